//! The HTTP of one session: each request goes through the client that all tools have.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use futures_util::{
    StreamExt as _,
    stream::{BoxStream, try_unfold},
};
use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use rmcp::{
    ErrorData,
    model::{ClientJsonRpcMessage, ClientRequest, ServerJsonRpcMessage},
    transport::streamable_http_client::{
        HttpStatusError, SseError, StreamableHttpClient, StreamableHttpError,
        StreamableHttpPostResponse,
    },
};
use sse_stream::{Sse, SseStream};
use tokio::time::Instant;

use crate::net::{Answer, Outbound, OutboundError, Wanted, media_type};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// Why a session failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("the server answers with the status {}", .0.as_u16())]
    Status(StatusCode),
    #[error("the server does not speak MCP, or refuses the request")]
    Protocol,
}

/// Of one session. Clones share the fault.
#[derive(Clone)]
pub(super) struct Http {
    client: Outbound,
    /// Of every request: the key, and who asks.
    headers: HeaderMap,
    max_bytes: usize,
    deadline: Instant,
    fault: Arc<OnceLock<Fault>>,
}

type Failed = StreamableHttpError<Fault>;
type Posted = Result<StreamableHttpPostResponse, Failed>;

impl Http {
    /// `max_bytes` bounds each answer, and `deadline` the whole session.
    pub(super) fn new(
        client: Outbound,
        headers: HeaderMap,
        max_bytes: usize,
        deadline: Instant,
    ) -> Self {
        Self { client, headers, max_bytes, deadline, fault: Arc::default() }
    }

    /// The first fault of the session.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.get().copied()
    }

    fn failed(&self, fault: Fault) -> Failed {
        let _ = self.fault.set(fault);
        match fault {
            Fault::Status(status) => HttpStatusError::new(status.as_u16(), None).into(),
            fault => StreamableHttpError::Client(fault),
        }
    }

    async fn open(
        &self,
        method: Method,
        url: &str,
        session: Option<&str>,
        headers: HashMap<HeaderName, HeaderValue>,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failed> {
        let url = Url::parse(url).map_err(|_| self.failed(Fault::Protocol))?;
        let mut all = self.headers.clone();
        all.extend(headers);
        all.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(session) = session {
            let session = HeaderValue::from_str(session);
            all.insert(SESSION_ID, session.map_err(|_| self.failed(Fault::Protocol))?);
        }
        let wanted = Wanted { method, url, headers: all, body, max_bytes: self.max_bytes };
        let answer = self.client.open(wanted, self.deadline).await;
        answer.map_err(|fault| self.failed(fault.into()))
    }

    async fn message(&self, mut answer: Answer) -> Result<ServerJsonRpcMessage, Failed> {
        match media_type(answer.headers.get(CONTENT_TYPE)).as_str() {
            JSON => {
                let body = answer.whole().await.map_err(|fault| self.failed(fault.into()))?;
                serde_json::from_slice(&body).map_err(|_| self.failed(Fault::Protocol))
            }
            EVENTS => self.answer_among(answer).await,
            _ => Err(self.failed(Fault::Protocol)),
        }
    }

    /// The one event that is an answer. What else a server sends in its stream is left out.
    async fn answer_among(&self, answer: Answer) -> Result<ServerJsonRpcMessage, Failed> {
        let bytes = try_unfold(answer, |mut answer| async move {
            Ok::<_, OutboundError>(answer.chunk().await?.map(|chunk| (chunk, answer)))
        });
        let mut events = SseStream::from_bytes_stream(Box::pin(bytes));
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| self.failed(cause(&error)))?;
            let data = event.data.unwrap_or_default();
            let Ok(message) = serde_json::from_str(&data) else { continue };
            let is_answer = matches!(
                message,
                ServerJsonRpcMessage::Response(_) | ServerJsonRpcMessage::Error(_)
            );
            if is_answer {
                return Ok(message);
            }
        }
        Err(self.failed(Fault::Protocol))
    }

    /// A server of an older protocol does not know `server/discover`, and may say so by a status
    /// alone. The session then goes on in the older way.
    async fn is_older(&self, message: &ClientJsonRpcMessage, mut answer: Answer) -> Posted {
        let status = answer.status;
        let refuses = status.is_client_error()
            && !matches!(
                status,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
            );
        if let ClientJsonRpcMessage::Request(request) = message
            && matches!(request.request, ClientRequest::DiscoverRequest(_))
            && refuses
        {
            let body = answer.whole().await.map_err(|fault| self.failed(fault.into()))?;
            let error = match serde_json::from_slice::<ServerJsonRpcMessage>(&body) {
                Ok(ServerJsonRpcMessage::Error(error)) => error.error,
                _ => ErrorData::invalid_request("refused", None),
            };
            let error = ServerJsonRpcMessage::error(error, Some(request.id.clone()));
            return Ok(StreamableHttpPostResponse::Json(error, None));
        }
        Err(self.failed(Fault::Status(status)))
    }
}

fn cause(error: &SseError) -> Fault {
    match error {
        SseError::Body(error) => {
            error.downcast_ref::<OutboundError>().map_or(Fault::Protocol, |fault| (*fault).into())
        }
        _ => Fault::Protocol,
    }
}

impl StreamableHttpClient for Http {
    type Error = Fault;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Posted {
        let body = serde_json::to_vec(&message)?;
        let session = session.as_deref();
        let answer = self.open(Method::POST, &uri, session, headers, Some(body)).await?;
        if !answer.status.is_success() {
            return self.is_older(&message, answer).await;
        }
        if !matches!(message, ClientJsonRpcMessage::Request(_)) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let session = answer.headers.get(SESSION_ID).and_then(|id| id.to_str().ok());
        let session = session.map(str::to_owned);
        Ok(StreamableHttpPostResponse::Json(self.message(answer).await?, session))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failed> {
        self.open(Method::DELETE, &uri, Some(&session), headers, None).await.map(drop)
    }

    /// The stream on which a server speaks unasked.
    async fn get_stream(
        &self,
        _uri: Arc<str>,
        _session: Option<Arc<str>>,
        _last_event_id: Option<String>,
        _auth_header: Option<String>,
        _headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failed> {
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}
