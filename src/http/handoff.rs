//! Who may speak in a session: a shopper asks for a person, who takes over, passes on and leaves.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Body, Caller, Reader, count_command, id},
    say::staff,
    sender::Sender,
    sessions::SessionView,
    state::App,
};
use crate::{
    desk::Room,
    domain::{ErrorCode, HandoffEnd, PrincipalId, Problem, Role, SessionId},
    session::messages::{Act, Attach, Control, Typing},
};

/// Longest reason, in characters.
const MAX_REASON: usize = 500;
/// What a handoff says that comes without a reason.
const ASKED: &str = "the shopper asked for a person";
const STAFF: [Role; 2] = [Role::Agent, Role::Admin];

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoffRequest {
    /// Both sides read it. At most 500 characters.
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub to: ReleaseTo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseTo {
    /// The assistant answers again.
    Bot,
    /// Somebody else is to come.
    Queue,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// An agent or admin of the site.
    #[schema(value_type = String)]
    pub to: PrincipalId,
}

/// Asks for a person.
///
/// A turn that runs is stopped. Idempotent: a session that waits, or has a person, stays as it is.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/handoff", tag = "people", params(("id" = String, Path)),
    request_body = HandoffRequest,
    responses(
        (status = 200, body = SessionView), (status = 404, body = Problem),
        (status = 409, description = "`nobody_on_duty`; `turn_active`: the shop makes a change, come again", body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/handoff")]
pub async fn request_handoff(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    path: web::Path<String>,
    body: Body<HandoffRequest>,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    let reason = body.0.reason.unwrap_or_else(|| ASKED.to_owned());
    if reason.trim().is_empty() || reason.chars().count() > MAX_REASON || reason.contains('\0') {
        let detail = format!("must have 1 to {MAX_REASON} characters, and no NUL");
        return Err(ApiError::field("reason", detail));
    }
    count_command(&app, &caller, sender).await?;
    // Before anything is said about the desk: another person's session does not exist.
    let attached = app.sessions.ask(session, || Attach { asker: caller.asker(), seen: 0 }).await?;
    let standing = app.ports.desk.standing(&caller.principal.site_id).await?;
    if !standing.is_staffed() && attached.meta.handoff.is_none() {
        return Err(ApiError::new(ErrorCode::NobodyOnDuty));
    }
    let wait = standing.next();
    let (position, eta_ms) = (wait.position, wait.eta_ms());
    let act = || Act::Request { reason: reason.clone(), language: None, position, eta_ms };
    command(&app, &caller, session, act).await
}

/// Takes a session over.
///
/// Whoever waits in it is served; without a handoff it is a take-over. A turn that runs ends in the
/// same step, and no word of the assistant comes after `control.changed`.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/accept", tag = "people", params(("id" = String, Path)),
    responses(
        (status = 200, body = SessionView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "`control_conflict`: somebody else has it; `turn_active`: the shop makes a change, come again", body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/accept")]
pub async fn accept_handoff(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&STAFF)?;
    let session: SessionId = id(&path)?;
    let agent = staff(&app, &caller).await?;
    // Before they have it, or it would be given back at once.
    app.ports.desk.heard_of(&caller.principal.site_id, caller.principal.id).await?;
    command(&app, &caller, session, || Act::Accept { agent: agent.clone() }).await
}

/// Gives a session back.
///
/// To the assistant, or to the queue. The shopper may go back to the assistant at any time, also
/// while nobody has come.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/release", tag = "people", params(("id" = String, Path)),
    request_body = Release,
    responses(
        (status = 200, body = SessionView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "`control_conflict`: somebody else has it", body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/release")]
pub async fn release_session(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    path: web::Path<String>,
    body: Body<Release>,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    count_command(&app, &caller, sender).await?;
    let (to, position) = match body.to {
        ReleaseTo::Bot => (HandoffEnd::Bot, 0),
        ReleaseTo::Queue => {
            caller.require(&STAFF)?;
            let standing = app.ports.desk.standing(&caller.principal.site_id).await?;
            (HandoffEnd::Queue, standing.back().position)
        }
    };
    command(&app, &caller, session, || Act::Release { to, position }).await
}

/// Passes a session on to somebody else of the shop, who must be on duty and have room for it.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/transfer", tag = "people", params(("id" = String, Path)),
    request_body = Transfer,
    responses(
        (status = 200, body = SessionView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "`control_conflict`: the caller does not have it; `agent_unavailable`: the agent is away, or has as many conversations as they take", body = Problem),
        (status = 422, description = "nobody of the site's staff", body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/transfer")]
pub async fn transfer_session(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Body<Transfer>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&STAFF)?;
    let (session, to) = (id(&path)?, body.to);
    // Before anything is said about accounts: a session of another site does not exist.
    app.sessions.ask(session, || Attach { asker: caller.asker(), seen: 0 }).await?;
    let staff = app.ports.desk.staff(&caller.principal.site_id, to).await?;
    let agent = staff.ok_or_else(|| ApiError::field("to", "must be an agent of this site"))?;
    if to != caller.principal.id {
        let full = match app.ports.desk.room(&caller.principal.site_id, to).await? {
            Room::Free => None,
            Room::Away => Some("this agent is away".to_owned()),
            Room::Full { capacity } => Some(format!("this agent takes {capacity} at once")),
        };
        if let Some(detail) = full {
            return Err(ApiError::with_detail(ErrorCode::AgentUnavailable, detail));
        }
    }
    command(&app, &caller, session, || Act::Transfer { to, agent: agent.clone() }).await
}

/// Closes a session.
///
/// A message of the shopper opens it again.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/close", tag = "people", params(("id" = String, Path)),
    responses(
        (status = 200, body = SessionView), (status = 404, body = Problem),
        (status = 409, description = "`control_conflict`: somebody else has it", body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/close")]
pub async fn close_session(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    count_command(&app, &caller, sender).await?;
    command(&app, &caller, session, || Act::Close).await
}

/// Says that the caller writes something.
///
/// To be repeated every few seconds. While a person has control the other side sees `agent.typing`
/// or `shopper.typing`, at most once a second; nothing is kept.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/typing", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/typing")]
pub async fn typing(
    app: web::Data<App>,
    Reader(caller): Reader,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    app.sessions.ask(session, || Typing { asker: caller.asker() }).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn command(
    app: &App,
    caller: &Caller,
    session: SessionId,
    act: impl Fn() -> Act,
) -> Result<HttpResponse, ApiError> {
    let command = || Control { asker: Some(caller.asker()), key: None, act: act() };
    let controlled = app.sessions.ask(session, command).await?;
    Ok(HttpResponse::Ok().json(SessionView::from(controlled.meta)))
}
