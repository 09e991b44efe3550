//! `GET /v1/sessions/{id}/events`: the session as Server-Sent Events, resumable.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    error::ApiError,
    extract::{Query, Reader, id},
    sse,
    state::App,
};
use crate::{
    domain::{Problem, SessionId},
    log::frame::Position,
    session::{follow::Follower, messages::Attach},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// `seq` or `seq.index` of the last event that was received. `Last-Event-ID` overrides it.
    after: Option<String>,
}

/// Follows a session.
///
/// `Last-Event-ID` (or `?after=`) resumes without loss or repeat; without it the stream starts at
/// the beginning of the session. An unknown position gives `stream.reset`.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/events", tag = "messages",
    params(("id" = String, Path), ("Last-Event-ID" = Option<String>, Header), EventsQuery),
    responses((status = 200, description = "text/event-stream"), (status = 404, body = Problem)),
    security(("bearer" = []))
)]
#[get("/v1/sessions/{id}/events")]
pub async fn events(
    app: web::Data<App>,
    Reader(caller): Reader,
    path: web::Path<String>,
    query: Query<EventsQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    let position = match request.headers().get("last-event-id") {
        Some(value) => value.to_str().ok().and_then(Position::parse),
        None => match &query.after {
            Some(after) => Position::parse(after),
            None => Some(Position::after(0)),
        },
    };
    let seen = position.map_or(0, |position| position.seq);
    let attached = app.sessions.ask(session, || Attach { asker: caller.asker(), seen }).await?;
    let (follower, first) = Follower::new(attached.feed, app.journal.clone(), position);
    sse::session(&app, &caller, &request, follower, first, session)
}
