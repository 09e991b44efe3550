//! Confirmed changes, and those that a person of the shop approves or refuses.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    error::ApiError,
    extract::{Caller, Query, id, page_limit},
    state::App,
};
use crate::{
    archive::{Action, Review},
    clock,
    domain::{
        ActionId, ActionState, ActionStatus, ErrorCode, PrincipalId, Problem, Role, SessionId,
        Timestamp,
    },
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ActionQuery {
    #[serde(default)]
    cursor: Option<String>,
    /// 1 to 200.
    #[serde(default)]
    limit: Option<u32>,
    /// Only those in this state, such as `waiting`.
    #[serde(default)]
    state: Option<String>,
}

/// A change that was proposed to a shopper. What is sent to the shop is not shown.
#[derive(Serialize, ToSchema)]
pub struct ActionView {
    pub id: ActionId,
    pub session_id: SessionId,
    pub tool: String,
    /// As the shopper has read it.
    pub effect: String,
    /// `proposed`, `waiting`, `approved`, `refused`, `calling`, or what became of it.
    pub state: &'static str,
    pub proposed_at: Timestamp,
    /// When its shopper confirmed or declined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Until when a person may approve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<Timestamp>,
    /// Who approved or refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer_id: Option<PrincipalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub struct ActionPage {
    pub items: Vec<ActionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl ActionView {
    fn new(action: Action, app: &App) -> Self {
        let waits = action.state == ActionState::Ended(ActionStatus::Waiting);
        let until = action.decided_at.map(|at| at.after(app.config.actions.approval));
        Self {
            id: action.id,
            session_id: action.session_id,
            tool: action.tool,
            effect: action.effect,
            state: action.state.as_str(),
            proposed_at: action.proposed_at,
            decided_at: action.decided_at,
            waits_until: until.filter(|_| waits),
            reviewer_id: action.reviewer_id,
            reviewed_at: action.reviewed_at,
        }
    }
}

/// Lists changes that were proposed to shoppers, newest first.
#[utoipa::path(get, path = "/v1/admin/actions", tag = "admin", params(ActionQuery),
    responses((status = 200, body = ActionPage), (status = 403, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = [])))]
#[get("/v1/admin/actions")]
pub async fn list_actions(
    app: web::Data<App>,
    caller: Caller,
    query: Query<ActionQuery>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Agent, Role::Admin])?;
    let limit = page_limit(query.limit, 50, 200)?;
    let before = query.cursor.as_deref().map(id).transpose()?;
    let state = query.state.as_deref().map(|text| {
        let known = ActionState::parse(text);
        known.ok_or_else(|| ApiError::field("state", "is no state of a change, such as `waiting`"))
    });
    let site = &caller.principal.site_id;
    let mut found = app.archive.actions_in(site, state.transpose()?, before, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| more).map(|action| action.id.to_string());
    let items = found.into_iter().map(|action| ActionView::new(action, &app)).collect();
    Ok(HttpResponse::Ok().json(ActionPage { items, next_cursor }))
}

/// Approves a confirmed change that waits. The shop is asked for it within about a second.
///
/// Of two who decide at once, one does. The same decision again changes nothing.
#[utoipa::path(post, path = "/v1/admin/actions/{id}/approve", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = ActionView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "`conflict`: it does not wait", body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/admin/actions/{id}/approve")]
pub async fn approve_action(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    review(&app, &caller, &path, true).await
}

/// Refuses a confirmed change that waits. Its shopper is told.
#[utoipa::path(post, path = "/v1/admin/actions/{id}/refuse", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = ActionView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "`conflict`: it does not wait", body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/admin/actions/{id}/refuse")]
pub async fn refuse_action(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    review(&app, &caller, &path, false).await
}

async fn review(
    app: &App,
    caller: &Caller,
    path: &str,
    approved: bool,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Agent, Role::Admin])?;
    let principal = &caller.principal;
    let (by, role) = (principal.id, principal.role);
    let review = Review { action: id(path)?, approved, by, role, at: clock::now() };
    let found = app.archive.review(&principal.site_id, review).await?;
    let (action, decided) = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    // Sent twice by one person, it was decided so before.
    let before = action.reviewer_id == Some(by) && was_approved(&action) == approved;
    if !decided && !before {
        return Err(ApiError::new(ErrorCode::Conflict));
    }
    Ok(HttpResponse::Ok().json(ActionView::new(action, app)))
}

/// What the reviewer of an action decided: only what was approved is asked of the shop.
fn was_approved(action: &Action) -> bool {
    action.state == ActionState::Approved || action.replica.is_some()
}
