//! One open connection to a session: an SSE response or a WebSocket.

use std::pin::Pin;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use futures_util::{SinkExt as _, Stream, StreamExt as _};
use reqwest::{Response, header};
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message},
};

use super::{
    api::SILENCE,
    event::{Frame, Problem},
    reading::Recorder,
};
use crate::sse::SseReader;

type Body = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>>>>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Notes every frame that comes.
pub struct Line {
    source: Source,
    recorder: Recorder,
}

enum Source {
    Sse { body: Body, reader: SseReader },
    Socket(Box<Socket>),
}

/// The next item of a connection.
pub enum Came {
    Frame(Box<Frame>),
    /// Something that is not an event.
    Nonsense,
    /// The other side ended the stream cleanly.
    End,
    /// A socket was closed with this reason.
    Closed(String),
    /// The connection broke.
    Broken,
}

/// Why a socket was not opened.
pub enum NotOpened {
    Refused(Problem),
    Away,
}

impl Line {
    /// # Errors
    /// When the response is no event stream.
    pub fn of_response(response: Response, recorder: Recorder) -> anyhow::Result<Self> {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Err(anyhow!("{} instead of an event stream", response.status()));
        }
        let body = Box::pin(response.bytes_stream());
        Ok(Self { source: Source::Sse { body, reader: SseReader::default() }, recorder })
    }

    /// Opens a socket, and sends the token and the position to resume from.
    ///
    /// # Errors
    /// See [`NotOpened`].
    pub async fn socket(
        url: &str,
        token: &str,
        after: &str,
        record: impl FnOnce() -> Recorder,
    ) -> Result<Self, NotOpened> {
        let connected = timeout(SILENCE, connect_async(url)).await.map_err(|_| NotOpened::Away)?;
        let mut socket = match connected {
            Ok((socket, _)) => Box::new(socket),
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                let mut problem: Problem = serde_json::from_slice(body).unwrap_or_default();
                problem.status = response.status().as_u16();
                return Err(NotOpened::Refused(problem));
            }
            Err(_) => return Err(NotOpened::Away),
        };
        let auth = json!({"type": "auth", "token": token, "after": after});
        socket.send(Message::text(auth.to_string())).await.map_err(|_| NotOpened::Away)?;
        Ok(Self { source: Source::Socket(socket), recorder: record() })
    }

    /// Sends a message over a socket.
    ///
    /// # Errors
    /// If the connection is broken or not a socket.
    pub async fn say(&mut self, text: &str, key: &str) -> anyhow::Result<()> {
        let Source::Socket(socket) = &mut self.source else {
            return Err(anyhow!("not a socket"));
        };
        let message = json!({"type": "message", "text": text, "idempotency_key": key});
        socket.send(Message::text(message.to_string())).await.context("the socket is broken")
    }

    pub async fn next(&mut self) -> Came {
        let came = self.source.next().await;
        match &came {
            Came::Frame(frame) => self.recorder.frame(frame),
            Came::Nonsense => self.recorder.nonsense(),
            Came::End | Came::Closed(_) | Came::Broken => {}
        }
        came
    }
}

impl Source {
    async fn next(&mut self) -> Came {
        match self {
            Self::Sse { body, reader } => loop {
                if let Some(sse) = reader.next_event() {
                    return Frame::of_sse(sse).map_or(Came::Nonsense, |f| Came::Frame(Box::new(f)));
                }
                match body.next().await {
                    Some(Ok(bytes)) if reader.push(&bytes).is_ok() => {}
                    Some(Ok(_)) => return Came::Nonsense,
                    Some(Err(_)) => return Came::Broken,
                    None => return Came::End,
                }
            },
            Self::Socket(socket) => loop {
                let Ok(message) = timeout(SILENCE, socket.next()).await else {
                    return Came::Broken;
                };
                match message {
                    Some(Ok(Message::Text(text))) => {
                        return Frame::of_socket(&text)
                            .map_or(Came::Nonsense, |f| Came::Frame(Box::new(f)));
                    }
                    Some(Ok(Message::Binary(_))) => return Came::Nonsense,
                    Some(Ok(Message::Close(Some(close)))) if !close.reason.is_empty() => {
                        return Came::Closed(close.reason.to_string());
                    }
                    Some(Ok(Message::Close(_))) | None => return Came::End,
                    Some(Ok(_)) => {}
                    Some(Err(_)) => return Came::Broken,
                }
            },
        }
    }
}
