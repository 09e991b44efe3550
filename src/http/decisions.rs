//! For admins: what the guard did to answers.

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    error::ApiError,
    extract::{Caller, Query, id, page_limit},
    state::App,
};
use crate::{
    archive::GuardDecision,
    domain::{Problem, Role},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct DecisionQuery {
    #[serde(default)]
    cursor: Option<String>,
    /// 1 to 200.
    #[serde(default)]
    limit: Option<u32>,
    /// Only of this session.
    #[serde(default)]
    session: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DecisionPage {
    pub items: Vec<GuardDecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists the sentences of models that broke a rule, newest first.
#[utoipa::path(get, path = "/v1/admin/guard/decisions", tag = "admin", params(DecisionQuery),
    responses((status = 200, body = DecisionPage), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/guard/decisions")]
pub async fn list_decisions(
    app: web::Data<App>,
    caller: Caller,
    query: Query<DecisionQuery>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let limit = page_limit(query.limit, 50, 200)?;
    let before = query.cursor.as_deref().map(id).transpose()?;
    let session = query.session.as_deref().map(id).transpose()?;
    let site = &caller.principal.site_id;
    let mut items = app.archive.decisions(site, session, before, limit + 1).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|decision| decision.id.to_string());
    Ok(HttpResponse::Ok().json(DecisionPage { items, next_cursor }))
}
