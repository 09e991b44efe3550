//! Server-Sent Events: one turn on the response of its message, or a whole session.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::header::{self, HeaderName},
    web,
};
use actix_web_lab::sse::{Data, Event as SseEvent, Sse};
use bytestring::ByteString;
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;

use super::{
    error::{ApiError, jittered, spread},
    extract::Caller,
    headers::rate_limit,
    places::Place,
    state::App,
    stay::Stay,
};
use crate::{
    clock,
    domain::{ErrorCode, Name, Party, Problem, SessionId},
    limits::Quota,
    log::{
        Cursor,
        frame::{Frame, Position},
    },
    session::{
        feed::FeedEnd,
        follow::{Followed, Follower},
        messages::{Progress, Started},
    },
};

pub fn event(frame: &Frame) -> SseEvent {
    // The JSON was made by serde_json: always UTF-8.
    let json = ByteString::try_from(frame.json.clone()).unwrap_or_default();
    let name = match &frame.name {
        Name::Borrowed(name) => ByteString::from_static(name),
        Name::Owned(name) => ByteString::from(name.as_str()),
    };
    let mut data = Data::new(json).event(name);
    if let Some(id) = frame.id {
        data.set_id(id.to_string());
    }
    data.into()
}

fn own(name: &'static str, value: &serde_json::Value) -> SseEvent {
    Data::new(value.to_string()).event(name).into()
}

/// Frames of the stream itself, which are not events of its session.
pub enum Notice {
    Reset {
        last_seq: u64,
    },
    Draining {
        reconnect_after: Duration,
    },
    Typing(Party),
    TokenExpired,
    /// The stream cannot continue. The client resumes with the last id.
    Lost,
    Erased,
}

impl Notice {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reset { .. } => "stream.reset",
            Self::Draining { .. } => "server.draining",
            Self::Typing(Party::Agent) => "agent.typing",
            Self::Typing(_) => "shopper.typing",
            Self::TokenExpired | Self::Lost | Self::Erased => "error",
        }
    }

    pub fn json(&self, session: SessionId) -> serde_json::Value {
        let problem = |code| json!({"v": 1, "session_id": session, "problem": Problem::new(code)});
        let mut value = match self {
            Self::Reset { last_seq } => json!({"v": 1, "session_id": session, "seq": last_seq}),
            Self::Draining { reconnect_after } => json!({
                "v": 1,
                "session_id": session,
                "reconnect_after_ms": reconnect_after.as_millis() as u64,
            }),
            Self::Typing(_) => json!({"v": 1, "session_id": session}),
            Self::TokenExpired => problem(ErrorCode::TokenExpired),
            Self::Lost => problem(ErrorCode::DependencyUnavailable),
            Self::Erased => problem(ErrorCode::Erased),
        };
        value["type"] = self.name().into();
        value["at"] = json!(clock::now());
        value
    }
}

/// The turn of one message, from its `message.created` to its terminal event.
pub fn turn(
    app: &web::Data<App>,
    caller: &Caller,
    request: &HttpRequest,
    started: Started,
    quota: Option<&Quota>,
) -> Result<HttpResponse, ApiError> {
    let place = app.streams.take(&caller.principal)?;
    let session = started.message.session_id;
    let head = stream::iter([event(&Frame::of_event(&started.message))]);
    let rest = match started.turn {
        Progress::Running(log) => {
            follow_turn(log.read(None), Stay::of(app, caller), session).left_stream()
        }
        Progress::Ended(end) => stream::iter(Some(event(&Frame::of_event(&end)))).right_stream(),
        Progress::Delivered => stream::iter(None).right_stream(),
        Progress::Elsewhere => return Err(ApiError::new(ErrorCode::RequestInProgress)),
    };
    let body = head.chain(rest).map(move |event| {
        let _held = &place;
        event
    });
    Ok(respond(app, request, body, started.replayed, quota))
}

fn follow_turn(cursor: Cursor, stay: Stay, session: SessionId) -> impl Stream<Item = SseEvent> {
    stream::unfold(Some((cursor, stay)), move |reader| async move {
        let (mut cursor, stay) = reader?;
        tokio::select! {
            biased;
            frame = cursor.next() => frame.map(|frame| (event(&frame), Some((cursor, stay)))),
            () = stay.over() => {
                let notice = Notice::TokenExpired;
                Some((own(notice.name(), &notice.json(session)), None))
            }
        }
    })
}

/// The whole session, from the reader's position.
pub fn session(
    app: &web::Data<App>,
    caller: &Caller,
    request: &HttpRequest,
    follower: Follower,
    first: Option<Followed>,
    session: SessionId,
) -> Result<HttpResponse, ApiError> {
    let reader = Reader {
        follower,
        first,
        stay: Stay::of(app, caller),
        app: app.clone(),
        session,
        _place: app.streams.take(&caller.principal)?,
    };
    let body = stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        let (event, goes_on) = reader.next().await?;
        Some((event, goes_on.then_some(reader)))
    });
    Ok(respond(app, request, body, false, None))
}

struct Reader {
    follower: Follower,
    first: Option<Followed>,
    stay: Stay,
    app: web::Data<App>,
    session: SessionId,
    _place: Place,
}

impl Reader {
    async fn next(&mut self) -> Option<(SseEvent, bool)> {
        let draining = self.app.draining.clone();
        let followed = match self.first.take() {
            Some(first) => Ok(first),
            None => tokio::select! {
                biased;
                followed = self.follower.next() => followed,
                () = self.stay.over() => return Some(self.last(&Notice::TokenExpired)),
                // The stream continues to the end of a running turn; the drain waits for it.
                () = draining.cancelled(), if self.follower.is_idle() => {
                    let reconnect_after = spread();
                    return Some(self.last(&Notice::Draining { reconnect_after }));
                }
            },
        };
        Some(match followed {
            Ok(Followed::Frame(frame)) => (event(&frame), true),
            Ok(Followed::Reset { last_seq }) => {
                let notice = Notice::Reset { last_seq };
                // With the id, so that a reconnect resumes at the reader's position.
                let json = notice.json(self.session).to_string();
                let id = Position::after(last_seq).to_string();
                (Data::new(json).event(notice.name()).id(id).into(), true)
            }
            Ok(Followed::Typing(by)) => {
                let notice = Notice::Typing(by);
                (own(notice.name(), &notice.json(self.session)), true)
            }
            Ok(Followed::Ended(FeedEnd::Erased)) => self.last(&Notice::Erased),
            Ok(Followed::Ended(FeedEnd::Stopped)) | Err(_) => self.last(&Notice::Lost),
        })
    }

    fn last(&self, notice: &Notice) -> (SseEvent, bool) {
        (own(notice.name(), &notice.json(self.session)), false)
    }
}

pub fn respond(
    app: &App,
    request: &HttpRequest,
    body: impl Stream<Item = SseEvent> + 'static,
    replayed: bool,
    quota: Option<&Quota>,
) -> HttpResponse {
    let body = body.map(Ok::<_, Infallible>);
    let sse = Sse::from_stream(Box::pin(body))
        .with_keep_alive(app.config.server.heartbeat)
        .with_retry_duration(jittered(Duration::from_millis(1_000)));
    let mut response = sse.respond_to(request);
    let headers = response.headers_mut();
    headers
        .insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store, no-transform"));
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        header::HeaderValue::from_static("no"),
    );
    if replayed {
        headers.insert(
            HeaderName::from_static("idempotency-replayed"),
            header::HeaderValue::from_static("true"),
        );
    }
    let mut limits = HttpResponse::Ok();
    rate_limit(&mut limits, quota);
    for (name, value) in limits.finish().headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}
