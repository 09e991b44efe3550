//! The client for targets that the configuration names and whose answers nobody trusts.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect::Policy,
};
use tokio::time::{Instant, timeout_at};

use super::resolver::{Guarded, Lookup, OutOfReach, Reach, system};

const CONNECT: Duration = Duration::from_secs(3);

/// Asks for JSON, unless a request has `accept`. Keeps no connection, no cookie and no proxy of the
/// environment.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    reach: Reach,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    /// Of the answer's body.
    pub max_bytes: usize,
}

impl Wanted {
    /// Asks for almost nothing.
    pub fn probe(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: None, max_bytes: 1024 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: StatusCode,
    /// Whether the body is said to be JSON.
    pub is_json: bool,
    pub body: Vec<u8>,
}

/// An answer whose body is read piece by piece, within the time and size of its request.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    response: Response,
    left: usize,
    deadline: Instant,
}

impl Answer {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`OutboundError::NoAnswer`] or [`OutboundError::TooLarge`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, OutboundError> {
        let read = timeout_at(self.deadline, self.response.chunk()).await;
        let Ok(Ok(chunk)) = read else { return Err(OutboundError::NoAnswer) };
        if let Some(chunk) = &chunk {
            self.left = self.left.checked_sub(chunk.len()).ok_or(OutboundError::TooLarge)?;
        }
        Ok(chunk)
    }

    /// All that is left of the body.
    ///
    /// # Errors
    /// As [`Answer::chunk`].
    pub async fn whole(&mut self) -> Result<Vec<u8>, OutboundError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Why there is no reply. Never quotes address or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Nothing was sent.
    #[error("the target has an address that is not allowed: see tools.allowed_networks")]
    OutOfReach,
    /// Nothing was sent.
    #[error("the target cannot be reached")]
    Unreachable,
    /// The request may have arrived.
    #[error("no whole answer in time")]
    NoAnswer,
    /// The request has arrived.
    #[error("the answer is too large")]
    TooLarge,
    /// The request has arrived.
    #[error("the answer is compressed, which was not asked for")]
    Encoded,
}

impl Outbound {
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(reach: Reach) -> Result<Self, reqwest::Error> {
        Self::with(reach, system())
    }

    pub(super) fn with(reach: Reach, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .dns_resolver(Arc::new(Guarded { reach: reach.clone(), lookup }))
            // A kept connection would belong to the thread that opened it.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, reach })
    }

    /// Sends a request and reads the whole answer before `deadline`.
    ///
    /// # Errors
    /// See [`OutboundError`]. Every status is a reply.
    pub async fn send(&self, wanted: Wanted, deadline: Instant) -> Result<Reply, OutboundError> {
        let mut answer = self.open(wanted, deadline).await?;
        let is_json = is_json(answer.headers.get(CONTENT_TYPE));
        Ok(Reply { status: answer.status, is_json, body: answer.whole().await? })
    }

    /// Sends a request, and returns as soon as the head of the answer is there.
    ///
    /// # Errors
    /// As [`Outbound::send`].
    pub async fn open(&self, wanted: Wanted, deadline: Instant) -> Result<Answer, OutboundError> {
        let Wanted { method, url, mut headers, body, max_bytes } = wanted;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none();
        if !is_plain || !self.reach.allows_host(&url) {
            return Err(OutboundError::OutOfReach);
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut request = self.client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let sent = timeout_at(deadline, request.send()).await;
        let response = sent.map_err(|_| OutboundError::NoAnswer)?.map_err(|error| cause(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(OutboundError::Encoded);
        }
        Ok(Answer { status, headers, response, left: max_bytes, deadline })
    }
}

fn cause(error: &reqwest::Error) -> OutboundError {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(at) = source {
        if at.is::<OutOfReach>() {
            return OutboundError::OutOfReach;
        }
        source = at.source();
    }
    if error.is_connect() || error.is_builder() {
        OutboundError::Unreachable
    } else {
        OutboundError::NoAnswer
    }
}

/// `application/json` or another type with the suffix `+json` (RFC 6839, 3.1).
fn is_json(value: Option<&HeaderValue>) -> bool {
    let kind = media_type(value);
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The media type of a header `content-type`, without its parameters.
pub fn media_type(value: Option<&HeaderValue>) -> String {
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
