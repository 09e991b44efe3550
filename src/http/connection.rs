//! One connection of a client, with a limit for the arrival of each request.
//!
//! The framework limits only the first request of a connection, and refuses what it cannot read with
//! an empty body. Here every head must arrive in time, and such a refusal becomes a problem, too.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    http::StatusCode,
    web::{Buf, Bytes},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use uuid::Uuid;

use super::error::code_of;
use crate::domain::Problem;

/// The requests of a connection. Clones share the numbers.
#[derive(Clone, Default)]
pub struct Requests(Rc<Numbers>);

#[derive(Default)]
struct Numbers {
    begun: Cell<u64>,
    answered: Cell<u64>,
}

/// A request that is being answered, up to the last byte of its response.
#[must_use]
pub struct Answering(Rc<Numbers>);

impl Requests {
    pub fn begin(&self) -> Answering {
        self.0.begun.set(self.0.begun.get() + 1);
        Answering(Rc::clone(&self.0))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered.set(self.0.answered.get() + 1);
    }
}

/// The body of a response, which holds its request until it was sent or dropped.
pub struct Answer {
    body: BoxBody,
    _request: Option<Answering>,
}

impl Answer {
    pub fn new(body: BoxBody, request: Option<Answering>) -> Self {
        Self { body, _request: request }
    }
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, _request } = self;
        body.try_into_bytes().map_err(|body| Self { body, _request })
    }
}

/// A client's connection.
///
/// While no request is being answered, the next one has `limit` to arrive from its first byte on, and
/// the first one from the beginning of the connection. A head that is later gets 408. A body is read
/// by a handler, which limits it. An address that the framework does not read, because it is too long,
/// gets 414.
pub struct Connection<T> {
    io: T,
    requests: Requests,
    /// How many requests had begun when bytes were last read.
    begun: u64,
    limit: Duration,
    /// When the head that is arriving is late, if `is_arriving`.
    late: Pin<Box<Sleep>>,
    is_arriving: bool,
    line: RequestLine,
    /// What is written before anything else of the framework.
    first: Bytes,
}

impl<T> Connection<T> {
    pub fn new(io: T, limit: Duration) -> Self {
        Self {
            io,
            requests: Requests::default(),
            begun: 0,
            limit,
            late: Box::pin(sleep(limit)),
            is_arriving: true,
            line: RequestLine::default(),
            first: Bytes::new(),
        }
    }

    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Whether the head that is arriving is late.
    fn is_late(&mut self, has_read: bool, context: &mut Context<'_>) -> bool {
        let Numbers { begun, answered } = &*self.requests.0;
        if self.begun != begun.get() {
            // The head has arrived; what is read from now on is of the next one.
            self.begun = begun.get();
            self.is_arriving = false;
        }
        if begun.get() > answered.get() {
            return false;
        }
        if has_read && !self.is_arriving {
            self.is_arriving = true;
            self.line = RequestLine::default();
            self.late.as_mut().reset(Instant::now() + self.limit);
        }
        self.is_arriving && self.late.as_mut().poll(context).is_ready()
    }
}

impl<T: AsyncWrite + Unpin> Connection<T> {
    fn poll_first(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.first.has_remaining() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, &self.first))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.first.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Connection<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        let has_read = buffer.filled().len() > before;
        if !self.is_late(has_read, context) {
            if self.is_arriving {
                self.line.read(&buffer.filled()[before..]);
            }
            return polled;
        }
        // Reads as the end of the connection, before which the framework writes what is left.
        buffer.set_filled(before);
        self.is_arriving = false;
        self.first = refusal(StatusCode::REQUEST_TIMEOUT);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Connection<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_first(context))?;
        if let Some(status) = bare_refusal(bytes) {
            let is_long = matches!(status.as_u16(), 400 | 431) && self.line.is_too_long();
            self.first = refusal(if is_long { StatusCode::URI_TOO_LONG } else { status });
            // The rest leaves with the flush that follows.
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_first(context))?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_first(context))?;
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// The first line of a head that is arriving: the method, the address and the version.
#[derive(Clone, Copy, Default)]
struct RequestLine {
    bytes: usize,
    is_whole: bool,
}

impl RequestLine {
    /// The longest address that the framework reads, in bytes.
    const MOST: usize = 65_534;

    fn read(&mut self, bytes: &[u8]) {
        if self.is_whole {
            return;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        self.bytes += end.unwrap_or(bytes.len());
        self.is_whole = end.is_some();
    }

    fn is_too_long(self) -> bool {
        self.bytes > Self::MOST
    }
}

/// The status of a response that is a refusal by the framework: no body and no request id.
fn bare_refusal(bytes: &[u8]) -> Option<StatusCode> {
    let rest = bytes.strip_prefix(b"HTTP/1.1 4")?;
    let status = StatusCode::from_bytes(bytes.get(9..12)?).ok()?;
    let head = std::str::from_utf8(rest).ok()?.strip_suffix("\r\n\r\n")?.to_ascii_lowercase();
    let is_bare = head.contains("\r\ncontent-length: 0") && !head.contains("\r\nx-request-id:");
    is_bare.then_some(status)
}

/// A whole response that ends the connection.
fn refusal(status: StatusCode) -> Bytes {
    let mut problem = Problem::new(code_of(status));
    let id = Uuid::now_v7().to_string();
    problem.request_id = Some(id.clone());
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let reason = status.canonical_reason().unwrap_or_default();
    let (status, length) = (status.as_str(), body.len());
    Bytes::from(format!(
        "HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncache-control: no-store\r\n\
         content-type: application/problem+json\r\nx-request-id: {id}\r\n\
         content-length: {length}\r\n\r\n{body}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_refusal_without_an_id_is_the_framework_s() {
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\
                    connection: close\r\ndate: Sun, 29 Nov 2026 00:00:00 GMT\r\n\r\n";
        assert_eq!(bare_refusal(bare.as_bytes()).unwrap().as_u16(), 431);
        let ours = bare.replace("\r\ndate", "\r\nx-request-id: 1\r\ndate");
        let with_body = bare.replace("length: 0", "length: 2") + "{}";
        let fine = bare.replace("431", "200");
        for other in [ours, with_body, fine, bare.trim_end().to_owned(), String::new()] {
            assert!(bare_refusal(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_refusal_is_a_whole_problem() {
        let text = String::from_utf8(refusal(StatusCode::REQUEST_TIMEOUT).to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        let problem: Problem = serde_json::from_str(body).unwrap();
        assert_eq!((problem.status, problem.code.as_str()), (408, "request_timeout"));
    }
}
