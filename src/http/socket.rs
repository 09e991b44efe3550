//! `GET /v1/sessions/{id}/socket`: the same events as JSON frames over a WebSocket.
//!
//! The token comes in the first frame (`{"type":"auth","token":...,"after":...}`) or in
//! `Sec-WebSocket-Protocol` as `bearer.<token>` together with `rushdesk.v1`; never in the URL.

use std::time::Duration;

use actix_web::{
    FromRequest as _, HttpRequest, HttpResponse, dev::Payload, get, http::header, web,
};
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, ProtocolError, Session,
};
use bytestring::ByteString;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{
    actions,
    error::{ApiError, spread},
    extract::{Caller, IdempotencyKey, count_read, id},
    frames::{Guarded, TooLarge},
    sender::Sender,
    sse::Notice,
    state::App,
    stay::Stay,
    turns::{self, NewMessage},
};
use crate::{
    accounts::AccountError,
    domain::{ActionId, Decision, ErrorCode, Problem, SessionId, TurnId},
    log::frame::{Frame, Position},
    session::{
        feed::FeedEnd,
        follow::{Followed, Follower},
        messages::{Attach, CancelTurn, SessionError, Wish},
    },
    supervisor::door::AskError,
};

const PROTOCOL: &str = "rushdesk.v1";
const BEARER: &str = "bearer.";
const AUTH_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that reads nothing for this long is disconnected.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum ClientFrame {
    Auth {
        token: String,
        #[serde(default)]
        after: Option<String>,
    },
    Message {
        text: String,
        idempotency_key: String,
        #[serde(default)]
        client_message_id: Option<String>,
        #[serde(default)]
        locale: Option<String>,
    },
    Cancel {
        turn_id: TurnId,
    },
    Confirm {
        action_id: ActionId,
        hash: String,
    },
    Decline {
        action_id: ActionId,
    },
    Ack {
        /// How far the client has read. Ignored: a resume sends its position as `after`.
        #[serde(rename = "seq")]
        _seq: u64,
    },
}

/// Why a socket is closed. Each reason has a close code for clients.
enum Close {
    Unauthorized,
    TokenExpired,
    NotFound,
    BadFrame(&'static str),
    TooLarge,
    /// The visitor or the site has too many streams and sockets open.
    Limit,
    Draining,
    Erased,
    /// A store does not answer, or the session moves: come again.
    Unavailable,
    /// The client closed the socket, or stopped reading.
    Gone,
}

impl Close {
    fn reason(&self) -> Option<CloseReason> {
        let (code, description) = match self {
            Self::Unauthorized => (4401, "token_invalid"),
            Self::TokenExpired => (4401, "token_expired"),
            Self::NotFound => (4404, "not_found"),
            Self::BadFrame(what) => (1003, *what),
            Self::TooLarge => (4413, "too_large"),
            Self::Limit => (4429, "rate_limited"),
            Self::Draining => (1012, "draining"),
            Self::Erased => (4410, "erased"),
            Self::Unavailable => (4503, "dependency_unavailable"),
            Self::Gone => return None,
        };
        Some(CloseReason { code: CloseCode::from(code), description: Some(description.to_owned()) })
    }
}

/// Opens a WebSocket on a session.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/socket", tag = "messages", params(("id" = String, Path)),
    responses((status = 101, description = "WebSocket"), (status = 403, body = Problem), (status = 503, body = Problem))
)]
#[get("/v1/sessions/{id}/socket")]
pub async fn socket(
    app: web::Data<App>,
    path: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let token = protocols(&request).find_map(|p| p.strip_prefix(BEARER).map(str::to_owned));
    let most = app.config.server.max_body_bytes;
    let (guarded, too_large) = Guarded::new(payload, most as u64);
    let mut guarded = Payload::Stream { payload: guarded.boxed_local() };
    let Ok(payload) = web::Payload::from_request(&request, &mut guarded).await else {
        return Err(ApiError::new(ErrorCode::Internal));
    };
    let (response, socket, stream) =
        actix_ws::handle_with_protocols(&request, payload, &[PROTOCOL]).map_err(|_| {
            ApiError::with_detail(
                ErrorCode::InvalidRequest,
                "this address accepts WebSocket connections only",
            )
        })?;
    let stream = stream.max_frame_size(most).aggregate_continuations().max_continuation_size(most);
    let sender = app.senders.of(&request);
    let connection =
        Connection { app: app.clone(), session, socket, stream, origin, sender, too_large };
    app.tasks.spawn_local(connection.run(token));
    Ok(response)
}

fn protocols(request: &HttpRequest) -> impl Iterator<Item = &str> {
    request
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

struct Connection {
    app: web::Data<App>,
    session: SessionId,
    socket: Session,
    stream: AggregatedMessageStream,
    origin: Option<header::HeaderValue>,
    sender: Sender,
    too_large: TooLarge,
}

impl Connection {
    async fn run(mut self, token: Option<String>) {
        let close = match self.serve(token).await {
            Ok(never) => match never {},
            Err(close) => close,
        };
        let close = if self.too_large.was_seen() { Close::TooLarge } else { close };
        // A client that reads nothing is not waited for.
        let _ = timeout(SEND_TIMEOUT, self.socket.close(close.reason())).await;
    }

    async fn serve(&mut self, token: Option<String>) -> Result<std::convert::Infallible, Close> {
        let (token, after) = match token {
            Some(token) => (token, None),
            None => self.first_frame().await?,
        };
        let caller = self.authenticate(&token).await?;
        let counted = count_read(&self.app, &caller, self.sender);
        let _place = match counted.and_then(|()| self.app.streams.take(&caller.principal)) {
            Ok(place) => place,
            Err(error) => {
                let is_limit = error.0.code == ErrorCode::RateLimited;
                self.problem(error, None).await?;
                return Err(if is_limit { Close::Limit } else { Close::Unavailable });
            }
        };
        let position = match &after {
            Some(after) => Position::parse(after),
            None => Some(Position::after(0)),
        };
        let seen = position.map_or(0, |position| position.seq);
        let ask = || Attach { asker: caller.asker(), seen };
        let attached = match self.app.sessions.ask(self.session, ask).await {
            Ok(attached) => attached,
            Err(AskError::Session(SessionError::NotFound)) => return Err(Close::NotFound),
            Err(AskError::Session(SessionError::Erased)) => return Err(Close::Erased),
            // The frame says when to come again.
            Err(error) => {
                self.problem(ApiError::from(error), None).await?;
                return Err(Close::Unavailable);
            }
        };
        let (mut follower, first) =
            Follower::new(attached.feed, self.app.journal.clone(), position);
        if let Some(Followed::Reset { last_seq }) = first {
            self.notice(&Notice::Reset { last_seq }).await?;
        }
        let stay = Stay::of(&self.app, &caller);
        let mut heartbeat = interval(self.app.config.server.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let draining = self.app.draining.clone();
        loop {
            tokio::select! {
                followed = follower.next() => self.show(followed).await?,
                message = self.stream.recv() => self.take(message, &caller).await?,
                _ = heartbeat.tick() => self.ping().await?,
                () = stay.over() => {
                    self.notice(&Notice::TokenExpired).await?;
                    return Err(Close::TokenExpired);
                }
                () = draining.cancelled(), if follower.is_idle() => {
                    let reconnect_after = spread();
                    self.notice(&Notice::Draining { reconnect_after }).await?;
                    return Err(Close::Draining);
                }
            }
        }
    }

    async fn first_frame(&mut self) -> Result<(String, Option<String>), Close> {
        let deadline = Instant::now() + AUTH_TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, self.stream.recv()).await.map_err(|_| Close::Unauthorized)? {
                Some(Ok(AggregatedMessage::Text(text))) => {
                    return match serde_json::from_str(&text) {
                        Ok(ClientFrame::Auth { token, after }) => Ok((token, after)),
                        _ => Err(Close::Unauthorized),
                    };
                }
                Some(Ok(AggregatedMessage::Ping(bytes))) => {
                    self.pong(&bytes).await?;
                }
                Some(Ok(AggregatedMessage::Pong(_))) => {}
                Some(Ok(AggregatedMessage::Binary(_))) => {
                    return Err(Close::BadFrame("text_frames_only"));
                }
                Some(Ok(AggregatedMessage::Close(_)) | Err(_)) | None => return Err(Close::Gone),
            }
        }
    }

    async fn authenticate(&self, token: &str) -> Result<Caller, Close> {
        let caller = self.app.accounts.authenticate(token).await.map_err(|error| match error {
            AccountError::TokenExpired => Close::TokenExpired,
            AccountError::Archive(_) | AccountError::KeysAway | AccountError::Busy => {
                Close::Unavailable
            }
            AccountError::UnknownSite
            | AccountError::Credentials
            | AccountError::Taken
            | AccountError::Invalid(_)
            | AccountError::Limited(_)
            | AccountError::ProofRequired { .. }
            | AccountError::NoPassword
            | AccountError::UnknownAccount
            | AccountError::TokenInvalid
            | AccountError::Erased
            | AccountError::NoRole => Close::Unauthorized,
        })?;
        self.app
            .origins
            .check(&caller.principal.site_id, self.origin.as_ref())
            .map_err(|_| Close::Unauthorized)?;
        Ok(caller)
    }

    async fn show(
        &mut self,
        followed: Result<Followed, crate::journal::JournalError>,
    ) -> Result<(), Close> {
        match followed {
            Ok(Followed::Frame(frame)) => self.send(with_id(&frame)).await,
            Ok(Followed::Reset { last_seq }) => self.notice(&Notice::Reset { last_seq }).await,
            Ok(Followed::Typing(by)) => self.notice(&Notice::Typing(by)).await,
            Ok(Followed::Ended(FeedEnd::Erased)) => Err(Close::Erased),
            Ok(Followed::Ended(FeedEnd::Stopped)) | Err(_) => Err(Close::Unavailable),
        }
    }

    async fn take(
        &mut self,
        message: Option<Result<AggregatedMessage, ProtocolError>>,
        caller: &Caller,
    ) -> Result<(), Close> {
        let text = match message {
            Some(Ok(AggregatedMessage::Text(text))) => text,
            Some(Ok(AggregatedMessage::Ping(bytes))) => {
                return self.pong(&bytes).await;
            }
            Some(Ok(AggregatedMessage::Pong(_))) => return Ok(()),
            Some(Ok(AggregatedMessage::Binary(_))) => {
                return Err(Close::BadFrame("text_frames_only"));
            }
            // So is reported that the fragments of a message are too large together.
            Some(Err(ProtocolError::Io(_) | ProtocolError::Overflow)) => {
                return Err(Close::TooLarge);
            }
            Some(Err(_)) => return Err(Close::BadFrame("protocol_error")),
            Some(Ok(AggregatedMessage::Close(_))) | None => return Err(Close::Gone),
        };
        match serde_json::from_str(&text).map_err(|_| Close::BadFrame("unknown_frame"))? {
            ClientFrame::Auth { .. } | ClientFrame::Ack { .. } => Ok(()),
            ClientFrame::Cancel { turn_id } => {
                let ask = || CancelTurn { asker: caller.asker(), turn_id };
                match self.app.sessions.ask(self.session, ask).await {
                    Ok(_) => Ok(()),
                    Err(error) => self.problem(ApiError::from(error), None).await,
                }
            }
            ClientFrame::Confirm { action_id: action, hash } => {
                let hash = Some(hash);
                self.decide(caller, Wish { action, decision: Decision::Confirmed, hash }).await
            }
            ClientFrame::Decline { action_id: action } => {
                let wish = Wish { action, decision: Decision::Declined, hash: None };
                self.decide(caller, wish).await
            }
            ClientFrame::Message { text, idempotency_key, client_message_id, locale } => {
                let (last_seen_seq, visibility) = (None, None);
                let message =
                    NewMessage { text, client_message_id, locale, last_seen_seq, visibility };
                let Some(key) = IdempotencyKey::parse(&idempotency_key) else {
                    let error = ApiError::field("idempotency_key", "must have 1 to 255 characters");
                    return self.problem(error, None).await;
                };
                match turns::start(&self.app, caller, self.sender, self.session, &key, &message)
                    .await
                {
                    // Its events arrive through the follower, as for all readers.
                    Ok(_) => Ok(()),
                    Err(error) => self.problem(error, Some(&key)).await,
                }
            }
        }
    }

    async fn decide(&mut self, caller: &Caller, wish: Wish) -> Result<(), Close> {
        match actions::decide(&self.app, caller, self.sender, wish).await {
            Ok(_) => Ok(()),
            Err(error) => self.problem(error, None).await,
        }
    }

    async fn problem(
        &mut self,
        error: ApiError,
        key: Option<&IdempotencyKey>,
    ) -> Result<(), Close> {
        let problem: &Problem = &error.0;
        let mut frame = json!({"type": "error", "v": 1, "problem": problem});
        if let Some(key) = key {
            frame["idempotency_key"] = key.0.clone().into();
        }
        self.send(frame.to_string().into()).await
    }

    async fn notice(&mut self, notice: &Notice) -> Result<(), Close> {
        self.send(notice.json(self.session).to_string().into()).await
    }

    async fn send(&mut self, text: ByteString) -> Result<(), Close> {
        match timeout(SEND_TIMEOUT, self.socket.text(text)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Close::Gone),
        }
    }

    async fn pong(&mut self, bytes: &[u8]) -> Result<(), Close> {
        match timeout(SEND_TIMEOUT, self.socket.pong(bytes)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Close::Gone),
        }
    }

    async fn ping(&mut self) -> Result<(), Close> {
        match timeout(SEND_TIMEOUT, self.socket.ping(b"")).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Close::Gone),
        }
    }
}

/// The event's JSON with its position as `event_id`, so that a socket can resume. (A citation has
/// an `id` of its own.)
fn with_id(frame: &Frame) -> ByteString {
    let json = String::from_utf8_lossy(&frame.json);
    match frame.id {
        Some(id) => format!("{{\"event_id\":\"{id}\",{}", json.get(1..).unwrap_or_default()).into(),
        None => json.into_owned().into(),
    }
}
