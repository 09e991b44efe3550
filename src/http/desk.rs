//! For the people of a shop: who waits, who has which conversation, and who is on duty.

use actix_web::{HttpResponse, get, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Body, Caller},
    say::staff,
    state::App,
};
use crate::{
    archive::{Handoff, Presence},
    clock,
    desk::{Look, Standing},
    domain::{DutyState, HandoffId, PrincipalId, Problem, Role, SessionId, Timestamp},
};

/// Most conversations of one agent at once.
const MAX_CAPACITY: u64 = 100;
const STAFF: [Role; 2] = [Role::Agent, Role::Admin];

/// A conversation that a person is to take, or has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HandoffView {
    pub handoff_id: HandoffId,
    pub session_id: SessionId,
    pub reason: String,
    pub locale: String,
    pub requested_at: Timestamp,
    /// An agent has left it, so it goes to the front of the queue.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// Milliseconds since it was asked for.
    pub waited_ms: u64,
    /// Of one that waits; 1 is the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub agent_id: Option<PrincipalId>,
    /// Their name, if the account has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
}

/// Somebody of the shop who takes conversations.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OnDutyView {
    #[schema(value_type = String)]
    pub id: PrincipalId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub capacity: u64,
    /// Conversations that they have.
    pub active: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DeskView {
    /// The longest wait first.
    pub waiting: Vec<HandoffView>,
    pub active: Vec<HandoffView>,
    pub agents: Vec<OnDutyView>,
}

impl DeskView {
    /// Whether nothing but time has passed.
    pub fn is_like(&self, other: &Self) -> bool {
        let alike = |ours: &[HandoffView], theirs: &[HandoffView]| {
            let same = |(ours, theirs): (&HandoffView, &HandoffView)| {
                *ours == HandoffView { waited_ms: ours.waited_ms, ..theirs.clone() }
            };
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(same)
        };
        self.agents == other.agents
            && alike(&self.waiting, &other.waiting)
            && alike(&self.active, &other.active)
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceWish {
    pub state: DutyState,
    /// Conversations at once, 1 to 100.
    #[serde(default = "one")]
    pub capacity: u64,
}

const fn one() -> u64 {
    1
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PresenceView {
    pub state: DutyState,
    pub capacity: u64,
    /// Without another word until then the agent counts as away.
    pub expires_at: Timestamp,
}

fn view(row: &Handoff, look: &Look, standing: &Standing, now: Timestamp) -> HandoffView {
    let waited = now.as_millis().saturating_sub(row.requested_at.as_millis());
    let wait = standing.of_handoff(row.id);
    HandoffView {
        handoff_id: row.id,
        session_id: row.session_id,
        reason: row.reason.clone(),
        locale: row.locale.clone(),
        requested_at: row.requested_at,
        urgent: row.urgent,
        waited_ms: u64::try_from(waited).unwrap_or(0),
        position: wait.map(|wait| wait.position),
        eta_ms: wait.and_then(|wait| wait.eta_ms()),
        accepted_at: row.accepted_at,
        agent_id: row.agent_id,
        agent_name: row.agent_id.and_then(|id| look.names.get(&id)?.clone()),
    }
}

/// Shows who waits, who has which conversation, and who is on duty.
#[utoipa::path(
    get, path = "/v1/desk/queue", tag = "people",
    responses((status = 200, body = DeskView), (status = 403, body = Problem)), security(("bearer" = []))
)]
#[get("/v1/desk/queue")]
pub async fn desk_queue(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(&STAFF)?;
    let look = app.ports.desk.look(&caller.principal.site_id).await?;
    Ok(HttpResponse::Ok().json(desk_view(&look, clock::now())))
}

pub fn desk_view(look: &Look, now: Timestamp) -> DeskView {
    let Look { rows, names } = look;
    let standing = Standing::of(rows);
    let on_duty = rows.agents.iter().filter_map(|agent| {
        let has = |row: &&Handoff| row.agent_id == Some(agent.agent_id);
        Some(OnDutyView {
            id: agent.agent_id,
            name: names.get(&agent.agent_id)?.clone(),
            capacity: agent.capacity.0,
            active: rows.accepted.iter().filter(has).count() as u64,
        })
    });
    let views = |rows: &[Handoff]| rows.iter().map(|row| view(row, look, &standing, now)).collect();
    let (waiting, active) = (views(&rows.queued), views(&rows.accepted));
    DeskView { waiting, active, agents: on_duty.collect() }
}

/// Says whether the caller takes conversations, and how many at once.
///
/// To be repeated: without another word within `handoff.away_after_ms` the caller counts as away.
#[utoipa::path(
    put, path = "/v1/desk/presence", tag = "people", request_body = PresenceWish,
    responses((status = 200, body = PresenceView), (status = 403, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []))
)]
#[put("/v1/desk/presence")]
pub async fn set_presence(
    app: web::Data<App>,
    caller: Caller,
    body: Body<PresenceWish>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&STAFF)?;
    let PresenceWish { state, capacity } = body.0;
    if !(1..=MAX_CAPACITY).contains(&capacity) {
        let detail = format!("must be between 1 and {MAX_CAPACITY}");
        return Err(ApiError::field("capacity", detail));
    }
    staff(&app, &caller).await?;
    let seen_at = clock::now();
    let said = Presence {
        agent_id: caller.principal.id,
        site_id: caller.principal.site_id,
        state,
        capacity: capacity.into(),
        seen_at,
    };
    app.archive.set_presence(&said).await?;
    let expires_at = seen_at.after(app.config.handoff.away_after);
    Ok(HttpResponse::Ok().json(PresenceView { state, capacity, expires_at }))
}
