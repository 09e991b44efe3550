//! `GET /v1/desk/events`: the desk, and the conversations that an agent has, as one stream of
//! Server-Sent Events.
//!
//! The stream holds no queue that others fill: a position for each conversation says up to where
//! its reader has seen it, the archive has the rest, and the position stands in every event's id.

use std::{collections::VecDeque, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, get, web};
use actix_web_lab::sse::{Data, Event as SseEvent};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{
    desk::{DeskView, desk_view},
    error::{ApiError, spread},
    extract::{Query, Reader},
    places::Place,
    say::staff,
    sse,
    state::App,
    stay::Stay,
};
use crate::{
    clock,
    desk::{Look, Looks, MOST, Seen},
    domain::{ErrorCode, Event, Fact, People, PrincipalId, Problem, Role, SessionId},
    journal::JournalError,
};

/// Events of one conversation that are read at once, and of all that wait to be sent.
const PAGE: u32 = 8;
const AHEAD: usize = 16;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct DeskEventsQuery {
    /// The id of the last event that was received. `Last-Event-ID` overrides it.
    after: Option<String>,
}

/// Follows the desk and the caller's conversations.
///
/// `desk.queue` is the desk as `GET /v1/desk/queue` shows it, first and after each change. The
/// events of each conversation that the caller has follow from when they took it, as in its own
/// stream. `Last-Event-ID` (or `?after=`) resumes on any replica without loss or repeat; an unknown
/// position gives `stream.reset`, and the stream begins again.
#[utoipa::path(
    get, path = "/v1/desk/events", tag = "people",
    params(("Last-Event-ID" = Option<String>, Header), DeskEventsQuery),
    responses((status = 200, description = "text/event-stream"), (status = 403, body = Problem)),
    security(("bearer" = []))
)]
#[get("/v1/desk/events")]
pub async fn desk_events(
    app: web::Data<App>,
    Reader(caller): Reader,
    query: Query<DeskEventsQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Agent, Role::Admin])?;
    staff(&app, &caller).await?;
    let asked = match request.headers().get("last-event-id") {
        Some(value) => Some(value.to_str().unwrap_or_default()),
        None => query.after.as_deref(),
    };
    let seen = asked.map_or_else(|| Ok(Seen::default()), str::parse);
    let mut ready = VecDeque::new();
    if seen.is_err() {
        ready.push_back(own("stream.reset", json!({})).id(Seen::default().to_string()).into());
    }
    let (site, me) = (&caller.principal.site_id, caller.principal.id);
    let desk = DeskStream {
        looks: app.ports.desk.watch(site, &app.tasks, &app.draining),
        seen: seen.unwrap_or_default(),
        stay: Stay::of(&app, &caller),
        _place: app.streams.take(&caller.principal)?,
        app: app.clone(),
        shown: None,
        ready,
        me,
    };
    let body = stream::unfold(Some(desk), |desk| async move {
        let mut desk = desk?;
        let (event, goes_on) = desk.next().await;
        Some((event, goes_on.then_some(desk)))
    });
    Ok(sse::respond(&app, &request, body, false, None))
}

struct DeskStream {
    app: web::Data<App>,
    me: PrincipalId,
    looks: Looks,
    seen: Seen,
    /// The desk as it was last sent.
    shown: Option<DeskView>,
    ready: VecDeque<SseEvent>,
    stay: Stay,
    _place: Place,
}

impl DeskStream {
    /// The next event, and whether others follow.
    async fn next(&mut self) -> (SseEvent, bool) {
        let draining = self.app.draining.clone();
        loop {
            if let Some(event) = self.ready.pop_front() {
                return (event, true);
            }
            let look = self.looks.borrow_and_update().clone();
            let more = match &look {
                Some(look) => self.fill(look).await,
                None => Ok(false),
            };
            match more {
                Err(_) => return failed(ErrorCode::DependencyUnavailable),
                Ok(more) if more || !self.ready.is_empty() => continue,
                Ok(_) => {}
            }
            tokio::select! {
                biased;
                () = draining.cancelled() => {
                    let reconnect_after_ms = spread().as_millis() as u64;
                    let fields = json!({ "reconnect_after_ms": reconnect_after_ms });
                    return (own("server.draining", fields).into(), false);
                }
                () = self.stay.over() => return failed(ErrorCode::TokenExpired),
                changed = self.looks.changed() => if changed.is_err() {
                    return failed(ErrorCode::DependencyUnavailable);
                }
            }
        }
    }

    /// Makes the next events ready. True if there are others behind them.
    async fn fill(&mut self, look: &Arc<Look>) -> Result<bool, JournalError> {
        let desk = desk_view(look, clock::now());
        if self.shown.as_ref().is_none_or(|shown| !shown.is_like(&desk)) {
            let mut fields = json!(desk);
            fields["v"] = 1.into();
            fields["type"] = "desk.queue".into();
            self.ready.push_back(self.placed(fields.to_string(), "desk.queue"));
            self.shown = Some(desk);
        }
        let most = u32::try_from(MOST).unwrap_or(u32::MAX);
        let conversations = self.app.archive.conversations_of(self.me, most).await?;
        let ids: Vec<SessionId> = conversations.iter().map(|(session, _)| *session).collect();
        self.seen.keep(&ids);
        let mut more = false;
        for (session, head) in conversations {
            if self.ready.len() >= AHEAD {
                return Ok(true);
            }
            let seen = match self.seen.of(session) {
                Some(seen) => seen,
                None => self.taken(session).await?,
            };
            self.seen.set(session, seen);
            if head.0 <= seen {
                continue;
            }
            let events = self.app.journal.events(session, seen, PAGE).await?;
            more |= events.last().is_some_and(|last| last.seq < head.0);
            for event in events {
                self.seen.set(session, event.seq);
                let json = serde_json::to_string(&event).unwrap_or_default();
                self.ready.push_back(self.placed(json, &event.fact.name()));
            }
        }
        Ok(more)
    }

    /// The `seq` at which the caller took a conversation over.
    async fn taken(&self, session: SessionId) -> Result<u64, JournalError> {
        let opened = match self.app.journal.open(session).await {
            Err(JournalError::NotFound | JournalError::Erased { .. }) => return Ok(0),
            opened => opened?,
        };
        let taken =
            |event: &&Event| matches!(event.fact, Fact::People(People::HandoffAccepted { .. }));
        let taken = opened.events.iter().rev().find(taken).map(|event| event.seq);
        Ok(taken.or_else(|| opened.events.first().map(|event| event.seq)).unwrap_or(0))
    }

    /// An event whose id says what was seen with it.
    fn placed(&self, json: String, name: &str) -> SseEvent {
        Data::new(json).event(name.to_owned()).id(self.seen.to_string()).into()
    }
}

/// An event of the stream itself.
fn own(name: &'static str, mut fields: serde_json::Value) -> Data {
    fields["v"] = 1.into();
    fields["type"] = name.into();
    fields["at"] = json!(clock::now());
    Data::new(fields.to_string()).event(name)
}

/// The stream ends; the client comes again with its position.
fn failed(code: ErrorCode) -> (SseEvent, bool) {
    (own("error", json!({ "problem": Problem::new(code) })).into(), false)
}
