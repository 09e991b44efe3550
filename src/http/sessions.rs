//! Creating, listing, reading and erasing sessions.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{
    admin::audit,
    error::ApiError,
    extract::{Body, Caller, Query, Reader, id, page_limit},
    sender::Sender,
    state::App,
    turns::is_locale,
};
use crate::{
    archive::ErasureCounts,
    clock,
    domain::{
        BadField, Controller, ErrorCode, HandoffId, PageContext, Problem, Role, SessionId,
        SessionMeta, SessionState, SiteId, Timestamp,
    },
    journal::JournalError,
    session::messages::{Attach, Erase},
};

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// BCP 47 tag; the default is `en`.
    #[serde(default)]
    pub locale: Option<String>,
    /// What the shopper is looking at.
    #[serde(default)]
    pub context: Option<PageContext>,
}

/// A session as clients see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    pub id: SessionId,
    #[schema(value_type = String)]
    pub site_id: SiteId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_seq: u64,
    pub state: SessionState,
    /// `bot` or `agent:<id>`.
    #[schema(value_type = String)]
    pub controller: Controller,
    pub epoch: u32,
    pub locale: String,
    /// What the shopper was looking at when the session began, as the shop's page said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<PageContext>>,
    /// The handoff that is open. Without an agent as the controller it waits for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandoffId>,
}

impl From<SessionMeta> for SessionView {
    fn from(meta: SessionMeta) -> Self {
        let SessionMeta {
            id,
            site_id,
            created_at,
            updated_at,
            last_seq,
            state,
            controller,
            epoch,
            locale,
            context,
            handoff,
            owner: _,
        } = meta;
        Self {
            id,
            site_id,
            created_at,
            updated_at,
            last_seq,
            state,
            controller,
            epoch,
            locale,
            context,
            handoff,
        }
    }
}

/// Creates a session.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "sessions", request_body = NewSession,
    responses((status = 201, body = SessionView), (status = 422, body = Problem)),
    security(("bearer" = []))
)]
#[post("/v1/sessions")]
pub async fn create_session(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    body: Body<NewSession>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Visitor, Role::Customer, Role::Server])?;
    let NewSession { locale, context } = body.0;
    let locale = locale.unwrap_or_else(|| "en".to_owned());
    if !is_locale(&locale) {
        return Err(ApiError::field("locale", "must be a language tag such as `en` or `de-AT`"));
    }
    if let Some(context) = &context {
        context.check().map_err(|BadField(name, detail)| ApiError::field(name, detail))?;
    }
    if app.draining.is_cancelled() {
        return Err(ApiError::new(ErrorCode::Draining));
    }
    let (visitor, from) = (caller.visitor(), sender.of_caller(&caller.principal));
    app.limits.session(&caller.principal.site_id, visitor, from).await?;
    let now = clock::now();
    let meta = SessionMeta {
        id: SessionId::new(),
        site_id: caller.principal.site_id,
        owner: caller.principal.id,
        created_at: now,
        updated_at: now,
        last_seq: 0,
        state: SessionState::Open,
        controller: Controller::Bot,
        epoch: 0,
        locale,
        context: context.map(Box::new),
        handoff: None,
    };
    app.journal.create(&meta).await.map_err(|error| match error {
        JournalError::Erased { .. } => ApiError::with_detail(
            ErrorCode::TokenInvalid,
            "everything of this account was erased; sign in again",
        ),
        JournalError::NotFound | JournalError::Archive(_) => error.into(),
    })?;
    Ok(HttpResponse::Created()
        .insert_header(("location", format!("/v1/sessions/{}", meta.id)))
        .json(SessionView::from(meta)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SessionsQuery {
    /// `next_cursor` of the previous page.
    #[serde(default)]
    cursor: Option<String>,
    /// 1 to 100.
    #[serde(default)]
    limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SessionPage {
    pub items: Vec<SessionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists the caller's own sessions, newest first.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions", params(SessionsQuery),
    responses((status = 200, body = SessionPage)), security(("bearer" = []))
)]
#[get("/v1/sessions")]
pub async fn list_sessions(
    app: web::Data<App>,
    Reader(caller): Reader,
    query: Query<SessionsQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = page_limit(query.limit, 20, 100)?;
    let before = match &query.cursor {
        None => None,
        Some(cursor) => Some(cursor.parse::<SessionId>().map_err(|_| {
            ApiError::with_detail(ErrorCode::InvalidRequest, "`cursor` is not valid")
        })?),
    };
    let mut found = app.journal.sessions_of(caller.principal.id, before, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| more).map(|meta| meta.id.to_string());
    let items = found.into_iter().map(SessionView::from).collect();
    Ok(HttpResponse::Ok().json(SessionPage { items, next_cursor }))
}

/// Reads a session.
#[utoipa::path(
    get, path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, body = SessionView), (status = 404, body = Problem)),
    security(("bearer" = []))
)]
#[get("/v1/sessions/{id}")]
pub async fn get_session(
    app: web::Data<App>,
    Reader(caller): Reader,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    let attached = app.sessions.ask(session, || Attach { asker: caller.asker(), seen: 0 }).await?;
    let meta = SessionMeta { last_seq: attached.feed.last_seq(), ..attached.meta };
    Ok(HttpResponse::Ok().json(SessionView::from(meta)))
}

/// What an erasure removed, and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipt {
    pub session_id: SessionId,
    pub erased_at: Timestamp,
    pub events: usize,
    pub messages: usize,
    pub feedback: usize,
    pub tickets: usize,
}

/// Erases a session.
///
/// Returns what was removed. The answer is 200 once no replica holds the session in memory and the
/// database file has no copy of it, and 202 if that was not confirmed within five seconds; it will be
/// done all the same.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, body = Receipt), (status = 202, body = Receipt), (status = 404, body = Problem)),
    security(("bearer" = []))
)]
#[delete("/v1/sessions/{id}")]
pub async fn erase_session(
    app: web::Data<App>,
    Reader(caller): Reader,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Visitor, Role::Customer, Role::Admin, Role::Server])?;
    let session: SessionId = id(&path)?;
    let meta = app.sessions.ask(session, || Erase { asker: caller.asker() }).await?;
    let erased = app.journal.erase(&meta).await?;
    // A reader may have opened it again while it was being erased.
    app.lookout.erased(&[session]);
    let ErasureCounts { events, messages, feedback, tickets, .. } = erased.counts;
    if meta.owner != caller.principal.id {
        let detail = json!({"events": events, "messages": messages});
        audit(&app, &caller, "session.erase", &session.to_string(), detail).await?;
    }
    let erased_at = clock::now();
    let receipt = Receipt { session_id: session, erased_at, events, messages, feedback, tickets };
    // Another replica may show it from memory until it has read the archive.
    let status = if erased.everywhere { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(HttpResponse::build(status).json(receipt))
}
