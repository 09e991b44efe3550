//! A TCP proxy in front of a store, one for each replica, so that one replica can lose a store which the others keep.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, spawn_local},
    time::timeout,
};

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const CHUNK: usize = 16 << 10;

/// What happens to the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They pass.
    Whole,
    /// Connections are closed, and new ones as soon as they are made.
    Cut,
    /// Nothing passes, and nothing is closed.
    Silent,
    /// Requests pass and are executed; their replies do not come back.
    NoReplies,
}

/// Stops when it is dropped, with all its connections.
pub struct Wire {
    pub address: SocketAddr,
    state: watch::Sender<State>,
    acceptor: JoinHandle<()>,
}

impl Wire {
    /// # Errors
    /// When no port is free.
    pub async fn start(store: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (state, watched) = watch::channel(State::Whole);
        let acceptor = spawn_local(async move {
            while let Ok((client, _)) = listener.accept().await {
                spawn_local(carry(client, store, watched.clone()));
            }
        });
        Ok(Self { address, state, acceptor })
    }

    /// Connections that have lost bytes are closed before any more pass.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn carry(client: TcpStream, store: SocketAddr, mut state: watch::Receiver<State>) {
    let begun_in = *state.borrow_and_update();
    match begun_in {
        State::Cut => return,
        // Held open until the wire is mended: the bytes of the client are lost.
        State::Silent => return drop(state.changed().await),
        State::Whole | State::NoReplies => {}
    }
    let Ok(Ok(server)) = timeout(CONNECT_WITHIN, TcpStream::connect(store)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = |state| matches!(state, State::Whole | State::NoReplies);
    let replies = |state| state == State::Whole;
    // The first side that ends closes both.
    tokio::select! {
        () = closed(state.clone(), begun_in) => {}
        () = pump(from_client, to_server, state.clone(), requests) => {}
        () = pump(from_server, to_client, state, replies) => {}
    }
}

/// Returns when connections that began in this state must not go on.
async fn closed(mut state: watch::Receiver<State>, begun_in: State) {
    let mut lost_bytes = begun_in != State::Whole;
    while state.changed().await.is_ok() {
        match *state.borrow_and_update() {
            State::Cut => return,
            State::Whole if lost_bytes => return,
            State::Whole => {}
            State::Silent | State::NoReplies => lost_bytes = true,
        }
    }
}

/// Carries what may pass. After a loss nothing passes any more: no network hands over what comes behind a hole.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: watch::Receiver<State>,
    passes: impl Fn(State) -> bool,
) {
    let mut chunk = vec![0; CHUNK];
    let mut has_lost = false;
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        has_lost |= !passes(*state.borrow());
        if !has_lost && to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
    // The other side must not learn of an end while nothing passes.
    if has_lost || !passes(*state.borrow()) {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    /// A store that echoes, and counts the bytes that it was given.
    async fn store() -> (SocketAddr, watch::Receiver<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (count, seen) = watch::channel(0);
        spawn_local(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let count = count.clone();
                spawn_local(async move {
                    let mut byte = [0];
                    while client.read_exact(&mut byte).await.is_ok() {
                        count.send_modify(|count| *count += 1);
                        let _ = client.write_all(&byte).await;
                    }
                });
            }
        });
        (address, seen)
    }

    /// What comes back for a byte: the byte, nothing in time, or an end.
    async fn echo(client: &mut TcpStream) -> Result<Option<u8>, ()> {
        let _ = client.write_all(b"x").await;
        match timeout(SHORT, client.read_u8()).await {
            Ok(Ok(byte)) => Ok(Some(byte)),
            Ok(Err(_)) => Err(()),
            Err(_) => Ok(None),
        }
    }

    async fn connect(wire: &Wire) -> TcpStream {
        TcpStream::connect(wire.address).await.unwrap()
    }

    #[actix_web::test]
    async fn a_cut_wire_closes_what_is_open_and_what_is_opened() {
        let (address, _) = store().await;
        let wire = Wire::start(address).await.unwrap();
        let mut before = connect(&wire).await;
        assert_eq!(echo(&mut before).await, Ok(Some(b'x')));
        wire.set(State::Cut);
        assert_eq!(echo(&mut before).await, Err(()));
        assert_eq!(echo(&mut connect(&wire).await).await, Err(()));
        wire.set(State::Whole);
        assert_eq!(echo(&mut connect(&wire).await).await, Ok(Some(b'x')));
    }

    #[actix_web::test]
    async fn a_silent_wire_passes_nothing_and_closes_only_when_it_is_mended() {
        let (address, seen) = store().await;
        let wire = Wire::start(address).await.unwrap();
        let mut before = connect(&wire).await;
        assert_eq!(echo(&mut before).await, Ok(Some(b'x')));
        wire.set(State::Silent);
        let mut during = connect(&wire).await;
        assert_eq!(echo(&mut before).await, Ok(None));
        assert_eq!(echo(&mut during).await, Ok(None));
        assert_eq!(*seen.borrow(), 1);
        wire.set(State::Whole);
        assert_eq!(echo(&mut before).await, Err(()));
        assert_eq!(echo(&mut during).await, Err(()));
    }

    #[actix_web::test]
    async fn without_replies_requests_are_still_executed() {
        let (address, seen) = store().await;
        let wire = Wire::start(address).await.unwrap();
        let mut before = connect(&wire).await;
        assert_eq!(echo(&mut before).await, Ok(Some(b'x')));
        wire.set(State::NoReplies);
        let mut during = connect(&wire).await;
        assert_eq!(echo(&mut before).await, Ok(None));
        assert_eq!(echo(&mut during).await, Ok(None));
        sleep(SHORT).await;
        assert_eq!(*seen.borrow(), 3);
        wire.set(State::Whole);
        assert_eq!(echo(&mut before).await, Err(()));
        assert_eq!(echo(&mut during).await, Err(()));
        assert_eq!(echo(&mut connect(&wire).await).await, Ok(Some(b'x')));
    }
}
