//! Changes that were proposed to shoppers, as a view of the journal: an answer that proposes makes
//! the row, the message that decides and the fact that says what became of it change it, each in
//! the transaction of its event. So a proposal is decided once, and a call begins only behind a
//! decision that is durable.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, QueryResult,
    Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _};
use serde_json::{Value, json};

use super::{
    audit::AuditEntry,
    column::{Count, Json, RecordId},
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::actions,
    sqlite::Sqlite,
    write_all::write_all,
};
use crate::domain::{
    ActionId, ActionOutcome, ActionState, ActionStatus, Append, Decided, Decision, Draft, Event,
    Fact, Language, PrincipalId, Quotas, Role, SessionId, SessionMeta, SiteId, Timestamp, TurnId,
};

/// A proposal as it is kept.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = actions, treat_none_as_default_value = false)]
pub struct Action {
    /// Also the idempotency key of the call.
    pub id: ActionId,
    pub site_id: SiteId,
    pub session_id: SessionId,
    pub owner_id: PrincipalId,
    /// That proposed it.
    pub turn_id: TurnId,
    pub tool: String,
    pub arguments: Json<Value>,
    pub hash: String,
    pub effect: String,
    pub language: Language,
    pub signed_in: bool,
    pub proposed_at: Timestamp,
    pub expires_at: Timestamp,
    pub state: ActionState,
    pub decision: Option<Decision>,
    pub decided_turn_id: Option<TurnId>,
    pub decided_at: Option<Timestamp>,
    /// That asks the shop.
    pub replica: Option<String>,
    pub ended_at: Option<Timestamp>,
    /// How often somebody asked the shop what became of it.
    pub tries: Count,
    pub leased_until: Timestamp,
    /// Once confirmed, it waits for a person of the shop.
    pub approval: bool,
    pub reviewer_id: Option<PrincipalId>,
    pub reviewed_at: Option<Timestamp>,
    /// The change that this one takes back.
    pub undoes: Option<ActionId>,
}

impl Action {
    fn new(event: &Event, meta: &SessionMeta, draft: &Draft) -> Self {
        let Draft { proposal, arguments, language, signed_in, approval } = draft.clone();
        Self {
            id: proposal.action_id,
            site_id: meta.site_id.clone(),
            session_id: meta.id,
            owner_id: meta.owner,
            turn_id: event.turn_id,
            tool: proposal.tool,
            arguments: Json(arguments),
            hash: proposal.hash,
            effect: proposal.effect,
            language,
            signed_in,
            proposed_at: event.at,
            expires_at: proposal.expires_at,
            state: ActionState::Proposed,
            decision: None,
            decided_turn_id: None,
            decided_at: None,
            replica: None,
            ended_at: None,
            tries: Count(0),
            leased_until: Timestamp::from_millis(0),
            approval,
            reviewer_id: None,
            reviewed_at: None,
            undoes: proposal.undoes,
        }
    }
}

/// What a step changes about actions.
#[derive(Clone, Default)]
pub(super) struct ActionViews {
    pub proposed: Vec<Action>,
    pub decided: Vec<(Decided, Timestamp, String)>,
    pub outcomes: Vec<(ActionOutcome, Timestamp)>,
    /// Who confirmed what, and what became of it.
    pub audit: Vec<AuditEntry>,
}

impl ActionViews {
    /// `replica` appends.
    pub fn of(append: &Append, replica: &str) -> Self {
        let Append { meta, events, drafts, decided, .. } = append;
        let mut views = Self::default();
        for event in events {
            match &event.fact {
                Fact::ActionProposed(proposal) => {
                    let kept = drafts.iter().find(|d| d.proposal.action_id == proposal.action_id);
                    // Without its arguments it cannot be carried out, so nobody may confirm it.
                    views.proposed.extend(kept.map(|draft| Action::new(event, meta, draft)));
                }
                Fact::ActionResult(outcome) => {
                    views.outcomes.push((outcome.clone(), event.at));
                    views.audit.extend(ended(outcome, event, meta));
                }
                Fact::MessageCreated { .. }
                | Fact::AnswerCompleted(_)
                | Fact::TurnFailed { .. }
                | Fact::TurnCancelled { .. }
                | Fact::People(_)
                | Fact::Unknown(_) => {}
            }
        }
        if let Some(decided) = decided {
            views.decided.push((decided.clone(), meta.updated_at, replica.to_owned()));
            let waits = views.outcomes.iter().any(|(o, _)| o.status == ActionStatus::Waiting);
            views.audit.extend((decided.calls || waits).then(|| confirmed(decided, meta)));
        }
        views
    }

    pub fn extend(&mut self, other: &Self) {
        self.proposed.extend_from_slice(&other.proposed);
        self.decided.extend_from_slice(&other.decided);
        self.outcomes.extend_from_slice(&other.outcomes);
        self.audit.extend_from_slice(&other.audit);
    }

    /// The actions that must be open for the step to be taken.
    pub fn needed(&self) -> impl Iterator<Item = ActionId> {
        let decided = self.decided.iter().map(|(decided, ..)| decided.action_id);
        decided.chain(self.outcomes.iter().map(|(outcome, _)| outcome.action_id))
    }

    /// What the step claims within quotas.
    pub fn claims(&self) -> impl Iterator<Item = (ActionId, Quotas)> {
        self.decided.iter().filter_map(|(decided, ..)| Some((decided.action_id, decided.quotas?)))
    }

    /// Whether the step may be taken, where `action` stands so.
    pub fn fits(
        &self,
        action: ActionId,
        (state, decision): (ActionState, Option<Decision>),
    ) -> bool {
        match self.decided.iter().find(|(decided, ..)| decided.action_id == action) {
            Some((decided, ..)) if decided.calls => state == ActionState::Proposed,
            Some(_) => decision.is_none(),
            None => !state.is_settled(),
        }
    }
}

fn confirmed(decided: &Decided, meta: &SessionMeta) -> AuditEntry {
    let detail = json!({ "action_id": decided.action_id, "tool": decided.tool });
    entry("action.confirm", decided.by, detail, meta)
}

fn ended(outcome: &ActionOutcome, event: &Event, meta: &SessionMeta) -> Option<AuditEntry> {
    use ActionStatus::{Declined, Done, Expired, Failed, Unknown, Waiting};
    let detail = json!({ "action_id": outcome.action_id, "status": outcome.status });
    match outcome.status {
        // The service says what became of a call.
        Done | Failed | Unknown => {
            let entry = entry("action.result", Role::Server, detail, meta);
            Some(AuditEntry { at: event.at, ..entry })
        }
        Declined | Expired | Waiting => None,
    }
}

/// It is found by its session, and emptied with it.
fn entry(action: &str, actor_role: Role, detail: Value, meta: &SessionMeta) -> AuditEntry {
    AuditEntry {
        id: RecordId::new(),
        site_id: meta.site_id.clone(),
        actor_id: meta.owner,
        actor_role,
        action: action.to_owned(),
        target: meta.id.to_string(),
        detail,
        at: meta.updated_at,
    }
}

/// `write_actions!(connection, &ActionViews)`: within the transaction of the events.
macro_rules! write_actions {
    ($connection:ident, $views:expr) => {{
        use $crate::archive::{
            schema::{actions, audit},
            write_all::WriteAll as _,
        };
        let views: &$crate::archive::actions::ActionViews = $views;
        $connection.insert_all(&views.proposed).await?;
        for (decided, at, replica) in &views.decided {
            let row = || actions::table.find(decided.action_id);
            let decision = (
                actions::decision.eq(Some(decided.decision)),
                actions::decided_turn_id.eq(Some(decided.turn_id)),
                actions::decided_at.eq(Some(*at)),
            );
            diesel::update(row()).set(decision).execute($connection).await?;
            if decided.calls {
                let calling = $crate::domain::ActionState::Calling;
                let call = (actions::state.eq(calling), actions::replica.eq(Some(replica)));
                diesel::update(row()).set(call).execute($connection).await?;
            }
        }
        for (outcome, at) in &views.outcomes {
            let state = $crate::domain::ActionState::Ended(outcome.status);
            let end = (actions::state.eq(state), actions::ended_at.eq(Some(*at)));
            let row = actions::table.find(outcome.action_id);
            diesel::update(row).set(end).execute($connection).await?;
        }
        for entry in &views.audit {
            diesel::insert_into(audit::table).values(entry.clone()).execute($connection).await?;
        }
    }};
}
pub(super) use write_actions;

write_all! {
    Action => actions, |action| 1_024 + action.effect.len();
}

/// `count_carried_out!(connection, &SiteId, PrincipalId, since)`: confirmed changes of a shopper and of
/// a site. What takes another one back is none of them.
macro_rules! count_carried_out {
    ($connection:ident, $site:expr, $owner:expr, $since:expr) => {{
        use $crate::archive::schema::actions;
        let called = || {
            let called = actions::table.filter(actions::replica.is_not_null());
            called.filter(actions::undoes.is_null()).filter(actions::decided_at.ge($since))
        };
        let of_owner = called().filter(actions::owner_id.eq($owner)).count();
        let of_site = called().filter(actions::site_id.eq($site)).count();
        let of_owner: i64 = of_owner.get_result($connection).await?;
        let of_site: i64 = of_site.get_result($connection).await?;
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        (count(of_owner), count(of_site))
    }};
}
pub(super) use count_carried_out;

type Standing = (ActionId, ActionState, Option<Decision>);

/// Reads where actions stand, and holds them until the end of the transaction.
pub(super) trait LockActions {
    async fn lock_actions(&mut self, ids: &[ActionId]) -> QueryResult<Vec<Standing>>;
}

impl LockActions for AsyncMysqlConnection {
    async fn lock_actions(&mut self, ids: &[ActionId]) -> QueryResult<Vec<Standing>> {
        let rows = actions::table.filter(actions::id.eq_any(ids)).order(actions::id.asc());
        let columns = (actions::id, actions::state, actions::decision);
        rows.select(columns).for_update().load(self).await
    }
}

impl LockActions for Sqlite {
    /// The transaction holds the whole file by now.
    async fn lock_actions(&mut self, ids: &[ActionId]) -> QueryResult<Vec<Standing>> {
        let rows = actions::table.filter(actions::id.eq_any(ids));
        rows.select((actions::id, actions::state, actions::decision)).load(self).await
    }
}

impl Archive {
    pub async fn action(&self, id: ActionId) -> Result<Option<Action>, ArchiveError> {
        read!(self, |conn| {
            let row = actions::table.find(id).select(Action::as_select());
            row.first(conn).await.optional()
        })
    }

    /// Whether the shop is asked for an action by this turn now.
    pub async fn carries_out(
        &self,
        session: SessionId,
        turn: TurnId,
    ) -> Result<bool, ArchiveError> {
        read!(self, |conn| {
            let of_session = actions::table.filter(actions::session_id.eq(session));
            let called = of_session.filter(actions::decided_turn_id.eq(Some(turn)));
            let called = called.filter(actions::state.eq(ActionState::Calling));
            Ok(called.count().get_result::<i64>(conn).await? > 0)
        })
    }

    /// At most `limit` actions of a session after `after`, the oldest first.
    pub async fn actions_of(
        &self,
        session: SessionId,
        after: Option<ActionId>,
        limit: u32,
    ) -> Result<Vec<Action>, ArchiveError> {
        let after = after.unwrap_or(ActionId(uuid::Uuid::nil()));
        read!(self, |conn| {
            let of_session = actions::table.filter(actions::session_id.eq(session));
            let page = of_session.filter(actions::id.gt(after)).order(actions::id.asc());
            page.limit(limit.into()).select(Action::as_select()).load(conn).await
        })
    }

    /// How many confirmed actions of `owner`, and of the site, were to be carried out since then.
    pub async fn carried_out_since(
        &self,
        site: &SiteId,
        owner: PrincipalId,
        since: Timestamp,
    ) -> Result<(u64, u64), ArchiveError> {
        let site = site.clone();
        read!(self, |conn| { Ok(count_carried_out!(conn, &site, owner, since)) })
    }

    /// These actions, as far as they are there.
    pub async fn actions_among(&self, ids: &[ActionId]) -> Result<Vec<Action>, ArchiveError> {
        let ids = ids.to_vec();
        read!(self, |conn| {
            let rows = actions::table.filter(actions::id.eq_any(&ids));
            rows.select(Action::as_select()).load(conn).await
        })
    }

    /// Which actions of a session were taken back, or may have been, or are about to be.
    pub async fn undone_in(&self, session: SessionId) -> Result<Vec<ActionId>, ArchiveError> {
        let taken = [
            ActionState::Calling,
            ActionState::Approved,
            ActionState::Ended(ActionStatus::Done),
            ActionState::Ended(ActionStatus::Unknown),
            ActionState::Ended(ActionStatus::Waiting),
        ];
        let undone: Vec<Option<ActionId>> = read!(self, |conn| {
            let of_session = actions::table.filter(actions::session_id.eq(session));
            let undo = of_session.filter(actions::undoes.is_not_null());
            undo.filter(actions::state.eq_any(taken)).select(actions::undoes).load(conn).await
        })?;
        Ok(undone.into_iter().flatten().collect())
    }

    /// At most `limit` confirmed actions that need work: their result is not known yet, a person's
    /// decision has to be carried out, or the shopper was not told the result. Actions that a replica
    /// works on now are left out. Those that wait longest come first.
    pub async fn unsettled_actions(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Action>, ArchiveError> {
        let unknown = ActionState::Ended(ActionStatus::Unknown);
        let open = [ActionState::Calling, ActionState::Approved, ActionState::Refused, unknown];
        read!(self, |conn| {
            let open = actions::table.filter(actions::state.eq_any(open));
            let free = open.filter(actions::leased_until.le(now));
            let oldest = free.order((actions::leased_until.asc(), actions::id.asc()));
            oldest.limit(limit.into()).select(Action::as_select()).load(conn).await
        })
    }

    /// Makes an action the caller's until `until`, to find out what became of it. False if somebody
    /// else was faster.
    pub async fn lease_action(
        &self,
        action: &Action,
        until: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let (id, state, tries) = (action.id, action.state, action.tries);
        let leased = transact!(self, |conn| {
            let same = actions::table.find(id).filter(actions::state.eq(state));
            let same = same.filter(actions::tries.eq(tries));
            let lease = (actions::tries.eq(Count(tries.0 + 1)), actions::leased_until.eq(until));
            diesel::update(same).set(lease).execute(conn).await
        })?;
        Ok(leased == 1)
    }

    /// Gives a lease back: others may look from `from` on.
    pub async fn release_action(&self, id: ActionId, from: Timestamp) -> Result<(), ArchiveError> {
        transact!(self, |conn| {
            let row = actions::table.find(id);
            diesel::update(row).set(actions::leased_until.eq(from)).execute(conn).await
        })?;
        Ok(())
    }

    /// Proposals that nobody decided in time expire. Returns how many.
    pub async fn expire_actions(&self, now: Timestamp) -> Result<u64, ArchiveError> {
        let late = move || {
            let open = actions::table.filter(actions::state.eq(ActionState::Proposed));
            open.filter(actions::expires_at.le(now))
        };
        let found: Vec<ActionId> =
            read!(self, |conn| { late().select(actions::id).limit(256).load(conn).await })?;
        if found.is_empty() {
            return Ok(0);
        }
        let expired = transact!(self, |conn| {
            let late = late().filter(actions::id.eq_any(&found));
            let end = actions::state.eq(ActionState::Ended(ActionStatus::Expired));
            diesel::update(late).set(end).execute(conn).await
        })?;
        Ok(expired as u64)
    }

    /// Confirmed actions whose result is not known, on all replicas.
    pub async fn count_unsettled(&self) -> Result<u64, ArchiveError> {
        let open = [ActionState::Calling, ActionState::Ended(ActionStatus::Unknown)];
        let count: i64 = read!(self, |conn| {
            actions::table.filter(actions::state.eq_any(open)).count().get_result(conn).await
        })?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
