//! A shop that answers each request as a test says.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
};

/// What the shop does with a request.
pub(super) enum Then {
    /// Status and JSON.
    Say(u16, String),
    /// These bytes; then the connection ends, or comments of an event stream follow for ever.
    Raw(Vec<u8>, bool),
    /// Nothing, and the connection ends.
    Hang,
    /// Nothing, for ever.
    Wait,
}

pub(super) fn say(status: u16, body: &str) -> Then {
    Then::Say(status, body.to_owned())
}

pub(super) struct Shop {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
    /// An answer takes one; without a place it waits.
    pub places: Arc<Semaphore>,
    /// Ends with the shop.
    _serving: JoinSet<()>,
}

impl Shop {
    pub(super) async fn new(answer: impl Fn(&str) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let (requests, places) =
            (Arc::<Mutex<Vec<String>>>::default(), Arc::new(Semaphore::new(1_000)));
        let (kept, held, answer) = (Arc::clone(&requests), Arc::clone(&places), Arc::new(answer));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let (kept, held, answer) =
                    (Arc::clone(&kept), Arc::clone(&held), Arc::clone(&answer));
                connections.spawn(async move {
                    let mut request = vec![0; 8192];
                    let length = connection.read(&mut request).await.unwrap_or(0);
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    kept.lock().unwrap().push(request.clone());
                    let _place = held.acquire().await.unwrap();
                    match answer(&request) {
                        Then::Say(status, body) => {
                            let length = body.len();
                            let text = format!(
                                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n\
                                 content-length: {length}\r\n\r\n{body}"
                            );
                            let _ = connection.write_all(text.as_bytes()).await;
                        }
                        Then::Raw(bytes, again) => {
                            let _ = connection.write_all(&bytes).await;
                            while again && connection.write_all(b": and\n\n").await.is_ok() {}
                        }
                        Then::Hang => {}
                        Then::Wait => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, requests, places, _serving: serving }
    }

    /// Every request as it came, headers in lower case as the client writes them.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn calls(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}
