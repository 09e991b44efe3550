//! Conversations that the people of a shop had, and that are over.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    error::ApiError,
    extract::{Caller, Query, id, page_limit},
    state::App,
};
use crate::domain::{HandoffEnd, HandoffId, PrincipalId, Problem, Role, SessionId, Timestamp};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct EndedQuery {
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// At most 100, 20 if absent.
    limit: Option<u32>,
}

/// A handoff that is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedView {
    pub handoff_id: HandoffId,
    pub session_id: SessionId,
    pub reason: String,
    pub locale: String,
    pub requested_at: Timestamp,
    /// Absent if nobody came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    pub ended_at: Timestamp,
    /// `closed`, or `bot`: the assistant has it.
    pub to: HandoffEnd,
    /// Who had it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub agent_id: Option<PrincipalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EndedPage {
    pub items: Vec<EndedView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists handoffs that were closed or given back to the assistant, the newest end first.
///
/// One that went back to the queue goes on as another one, and is not in the list.
#[utoipa::path(
    get, path = "/v1/desk/ended", tag = "people", params(EndedQuery),
    responses((status = 200, body = EndedPage), (status = 403, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []))
)]
#[get("/v1/desk/ended")]
pub async fn desk_ended(
    app: web::Data<App>,
    caller: Caller,
    query: Query<EndedQuery>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Agent, Role::Admin])?;
    let limit = page_limit(query.limit, 20, 100)?;
    let site = &caller.principal.site_id;
    let before: Option<HandoffId> = query.cursor.as_deref().map(id).transpose()?;
    let before = match before {
        // One that went with its session meanwhile: the list begins again.
        Some(before) => app.archive.handoff(before).await?,
        None => None,
    };
    let before = before.filter(|row| row.site_id == *site);
    let before = before.and_then(|row| Some((row.ended_at?, row.id)));
    let mut rows = app.archive.ended_handoffs(site, before, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let ids: BTreeSet<PrincipalId> = rows.iter().filter_map(|row| row.agent_id).collect();
    let ids: Vec<PrincipalId> = ids.into_iter().collect();
    let names = app.ports.desk.names(site, &ids).await?;
    let items = rows.into_iter().filter_map(|row| {
        Some(EndedView {
            handoff_id: row.id,
            session_id: row.session_id,
            reason: row.reason,
            locale: row.locale,
            requested_at: row.requested_at,
            accepted_at: row.accepted_at,
            ended_at: row.ended_at?,
            to: row.ended_to?,
            agent_id: row.agent_id,
            agent_name: row.agent_id.and_then(|id| names.get(&id)?.clone()),
        })
    });
    Ok(HttpResponse::Ok().json(EndedPage { items: items.collect(), next_cursor }))
}
