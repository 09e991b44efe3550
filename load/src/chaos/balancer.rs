//! A balancer in front of the replicas: each connection goes, in turn, to one that is ready.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, spawn_local},
    time::{sleep, timeout},
};

const ASK_EVERY: Duration = Duration::from_millis(200);
const ASK_WITHIN: Duration = Duration::from_secs(1);
const CONNECT_WITHIN: Duration = Duration::from_millis(500);

/// Stops when it is dropped; connections that are open then go on.
pub struct Balancer {
    pub url: String,
    tasks: [JoinHandle<()>; 2],
}

struct Replicas {
    addresses: Vec<SocketAddr>,
    ready: RefCell<Vec<bool>>,
    next: Cell<usize>,
}

impl Balancer {
    /// # Errors
    /// When no port is free.
    pub async fn start(addresses: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let http = crate::http_client().timeout(ASK_WITHIN).build()?;
        let ready = RefCell::new(vec![true; addresses.len()]);
        let replicas = Rc::new(Replicas { addresses, ready, next: Cell::new(0) });
        let asker = spawn_local(ask(http, replicas.clone()));
        let acceptor = spawn_local(async move {
            while let Ok((client, _)) = listener.accept().await {
                spawn_local(carry(client, replicas.clone()));
            }
        });
        Ok(Self { url, tasks: [asker, acceptor] })
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn ask(http: reqwest::Client, replicas: Rc<Replicas>) {
    loop {
        for (number, address) in replicas.addresses.iter().enumerate() {
            let answer = http.get(format!("http://{address}/readyz")).send().await;
            let is_ready = answer.is_ok_and(|answer| answer.status().is_success());
            replicas.ready.borrow_mut()[number] = is_ready;
        }
        sleep(ASK_EVERY).await;
    }
}

/// Carries one connection. With nobody to take it, it is closed.
async fn carry(mut client: TcpStream, replicas: Rc<Replicas>) {
    for address in replicas.candidates() {
        let connected = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await;
        if let Ok(Ok(mut server)) = connected {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            // Either side may break; both are closed then.
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}

impl Replicas {
    /// The ready ones in turn, then the others.
    fn candidates(&self) -> Vec<SocketAddr> {
        let turn = self.next.replace(self.next.get().wrapping_add(1));
        let ready = self.ready.borrow();
        let count = self.addresses.len();
        let mut order: Vec<usize> = (0..count).map(|n| (turn + n) % count).collect();
        order.sort_by_key(|&number| !ready[number]);
        order.into_iter().map(|number| self.addresses[number]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_take_turns_and_those_that_are_not_ready_come_last() {
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let replicas = Replicas {
            addresses: vec![address(1), address(2), address(3)],
            ready: RefCell::new(vec![true; 3]),
            next: Cell::new(0),
        };
        let firsts: Vec<u16> = (0..4).map(|_| replicas.candidates()[0].port()).collect();
        assert_eq!(firsts, [1, 2, 3, 1]);
        replicas.ready.borrow_mut()[1] = false;
        assert!((0..6).all(|_| replicas.candidates()[2].port() == 2));
    }
}
