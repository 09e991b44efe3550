//! A model server that writes scripted bytes onto a real socket.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::task::TaskTracker;

/// What happens to the connection after the written bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Then {
    Close,
    /// Silence on an open socket, until the client hangs up.
    Hang,
    /// The next request on the same connection.
    KeepAlive,
}

/// The answer to one request: pieces with a pause after each.
#[derive(Clone, Debug)]
pub struct Script {
    pub pieces: Vec<(Vec<u8>, Duration)>,
    pub then: Then,
}

impl Script {
    pub fn bytes(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        Self { pieces: vec![(bytes.into(), Duration::ZERO)], then }
    }

    /// The same bytes in writes of `size`.
    pub fn cut(bytes: &[u8], size: usize, then: Then) -> Self {
        let pieces = bytes.chunks(size).map(|piece| (piece.to_vec(), Duration::ZERO)).collect();
        Self { pieces, then }
    }

    /// A whole answer with one text.
    pub fn says(text: &str) -> Self {
        let body = format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":{text:?}}}}}]}}\n\n\
             data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n"
        );
        Self::bytes(sse(&body), Then::Close)
    }
}

/// A response with an event stream that ends with the connection.
pub fn sse(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// A delta as an event.
pub fn delta(json: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{json},\"finish_reason\":null}}]}}\n\n")
}

struct Shared {
    script: Mutex<Script>,
    health: Mutex<Script>,
    metrics: Mutex<Script>,
    requests: Mutex<Vec<String>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
    resets: AtomicUsize,
    connections: AtomicUsize,
    hung_up: Semaphore,
}

/// Serves until it is dropped.
pub struct Upstream {
    pub url: String,
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

impl Upstream {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let well = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        let absent =
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            health: Mutex::new(Script::bytes(well, Then::Close)),
            metrics: Mutex::new(Script::bytes(absent, Then::Close)),
            requests: Mutex::default(),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            resets: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            hung_up: Semaphore::new(0),
        });
        let tasks = TaskTracker::new();
        let (serving, spawner) = (shared.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let serving = serving.clone();
                spawner.spawn(async move { serving.serve(socket).await });
            }
        });
        Self { url, shared, tasks }
    }

    pub fn set_script(&self, script: Script) {
        *self.shared.script.lock().unwrap() = script;
    }

    pub fn set_health(&self, script: Script) {
        *self.shared.health.lock().unwrap() = script;
    }

    pub fn set_metrics(&self, script: Script) {
        *self.shared.metrics.lock().unwrap() = script;
    }

    /// Closes the next `times` chat connections after the request, without sending a byte.
    pub fn reset_next(&self, times: usize) {
        self.shared.resets.store(times, Ordering::SeqCst);
    }

    /// Every chat request so far, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The most chat requests that were in progress at once.
    pub fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }

    /// Connections that started with a chat request.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until a client hung up during [`Then::Hang`].
    pub async fn hung_up(&self) {
        let gone = tokio::time::timeout(Duration::from_secs(5), self.shared.hung_up.acquire());
        gone.await.expect("the client hangs up").unwrap().forget();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.tasks.close();
    }
}

impl Shared {
    async fn serve(&self, mut socket: TcpStream) {
        let Some(mut request) = read_request(&mut socket).await else { return };
        if request.starts_with("GET") {
            let is_metrics = request.starts_with("GET /metrics");
            let page = if is_metrics { &self.metrics } else { &self.health };
            let page = page.lock().unwrap().clone();
            self.play(&mut socket, page).await;
            return;
        }
        self.connections.fetch_add(1, Ordering::SeqCst);
        loop {
            self.requests.lock().unwrap().push(request);
            let reset = |left: usize| left.checked_sub(1);
            if self.resets.fetch_update(Ordering::SeqCst, Ordering::SeqCst, reset).is_ok() {
                return;
            }
            let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_open.fetch_max(open, Ordering::SeqCst);
            let script = self.script.lock().unwrap().clone();
            let then = script.then;
            self.play(&mut socket, script).await;
            self.open.fetch_sub(1, Ordering::SeqCst);
            if then != Then::KeepAlive {
                return;
            }
            match read_request(&mut socket).await {
                Some(next) => request = next,
                None => return,
            }
        }
    }

    async fn play(&self, socket: &mut TcpStream, script: Script) {
        for (bytes, pause) in script.pieces {
            if socket.write_all(&bytes).await.is_err() {
                break;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        if script.then == Then::Hang {
            let mut byte = [0];
            while matches!(socket.read(&mut byte).await, Ok(1)) {}
            self.hung_up.add_permits(1);
        }
    }
}

async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next().and_then(|n| n.parse::<usize>().ok()));
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        let read = socket.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}
