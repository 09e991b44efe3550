//! Readers of what a session streams: Server-Sent Events and sockets.

use futures_util::{SinkExt, StreamExt};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{harness::PATIENCE, shopper::Shopper};

#[derive(Clone, Debug)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

/// A reader of Server-Sent Events.
pub struct Events {
    pub status: StatusCode,
    stream: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: String,
}

impl Events {
    pub fn of(response: Response) -> Self {
        let status = response.status();
        Self { status, stream: response.bytes_stream().boxed(), buffer: String::new() }
    }

    /// The next event; `None` at the end of the stream. Comments and `retry:` are passed over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
            }
            let chunk = timeout(PATIENCE, self.stream.next()).await.unwrap()?.ok()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Everything up to and with the first event of this name.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut seen = Vec::new();
        while let Some(event) = self.next().await {
            let found = event.name == name;
            seen.push(event);
            if found {
                return seen;
            }
        }
        panic!("the stream ended without {name}: {seen:?}");
    }

    pub async fn rest(&mut self) -> Vec<Event> {
        let mut seen = Vec::new();
        while let Some(event) = self.next().await {
            seen.push(event);
        }
        seen
    }
}

fn parse(block: &str) -> Option<Event> {
    let (mut id, mut name, mut data) = (None, None, String::new());
    for line in block.lines() {
        match line.split_once(": ").or_else(|| line.split_once(':')) {
            Some(("id", value)) => id = Some(value.to_owned()),
            Some(("event", value)) => name = Some(value.to_owned()),
            Some(("data", value)) => data.push_str(value),
            _ => {}
        }
    }
    Some(Event { id, name: name?, data: serde_json::from_str(&data).unwrap() })
}

/// The text of the deltas, in order.
pub fn text_of(events: &[Event]) -> String {
    let deltas = events.iter().filter(|event| event.name == "answer.delta");
    deltas.map(|event| event.data["text"].as_str().unwrap()).collect()
}

/// A socket to a session.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub protocol: Option<String>,
}

/// Code and reason of a close frame; 0 where the connection just ended.
pub type Closed = (u16, String);

impl Socket {
    /// Without a token yet, unless `query` or `protocols` hold one.
    pub async fn connect(url: &str, session: &str, query: &str, protocols: Option<&str>) -> Self {
        let host = url.replace("http://", "ws://");
        let url = format!("{host}/v1/sessions/{session}/socket{query}");
        let mut request = url.into_client_request().unwrap();
        if let Some(protocols) = protocols {
            request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
        }
        let connecting = timeout(PATIENCE, connect_async(request));
        let (stream, response) = connecting.await.unwrap().unwrap();
        let protocol = response.headers().get("sec-websocket-protocol");
        let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
        Self { stream, protocol }
    }

    /// Signed in by the first frame, following from `after`.
    pub async fn open(shopper: &Shopper, session: &str, after: Option<&str>) -> Self {
        let mut socket = Self::connect(&shopper.url, session, "", None).await;
        let mut auth = json!({"type": "auth", "token": shopper.token});
        if let Some(after) = after {
            auth["after"] = after.into();
        }
        socket.send(auth).await;
        socket
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// The other side may have closed already; what it said tells the next read.
    pub async fn send_raw(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    pub async fn message(&mut self, text: &str, key: &str) {
        self.send(json!({"type": "message", "text": text, "idempotency_key": key})).await;
    }

    pub async fn next(&mut self) -> Result<Value, Closed> {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await.unwrap();
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err((0, String::new())),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Everything up to and with the first frame of this type.
    pub async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let frame = self.next().await.unwrap_or_else(|end| panic!("{end:?} after {seen:?}"));
            let found = frame["type"] == kind;
            seen.push(frame);
            if found {
                return seen;
            }
        }
    }

    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }
}
