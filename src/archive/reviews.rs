//! Confirmed changes that wait for a person of the shop.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde_json::json;

use super::{
    actions::Action,
    audit::AuditEntry,
    column::RecordId,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{actions, audit},
};
use crate::domain::{ActionId, ActionState, ActionStatus, PrincipalId, Role, SiteId, Timestamp};

/// Actions that expire at once.
const AT_ONCE: i64 = 256;
const WAITING: ActionState = ActionState::Ended(ActionStatus::Waiting);

/// What a person decided about a confirmed change.
#[derive(Clone, Copy, Debug)]
pub struct Review {
    pub action: ActionId,
    pub approved: bool,
    pub by: PrincipalId,
    pub role: Role,
    pub at: Timestamp,
}

impl Review {
    const fn state(&self) -> ActionState {
        if self.approved { ActionState::Approved } else { ActionState::Refused }
    }
}

impl Archive {
    /// Decides about an action of a site that waits. Of two that decide at once, one does. Returns
    /// the action as it stands then, and whether this was the decision.
    ///
    /// # Errors
    /// If the archive does not answer; it may have been decided.
    pub async fn review(
        &self,
        site: &SiteId,
        review: Review,
    ) -> Result<Option<(Action, bool)>, ArchiveError> {
        let site = site.clone();
        transact!(self, |conn| {
            let of_site = || actions::table.find(review.action).filter(actions::site_id.eq(&site));
            let change = (
                actions::state.eq(review.state()),
                actions::reviewer_id.eq(Some(review.by)),
                actions::reviewed_at.eq(Some(review.at)),
            );
            let waiting = of_site().filter(actions::state.eq(WAITING));
            let decided = diesel::update(waiting).set(change).execute(conn).await? == 1;
            let row =
                of_site().select(Action::as_select()).first::<Action>(conn).await.optional()?;
            let Some(row) = row else { return Ok(None) };
            if decided {
                let entry = entry(&review, &row);
                diesel::insert_into(audit::table).values(entry).execute(conn).await?;
            }
            Ok(Some((row, decided)))
        })
    }

    /// The shop is going to be asked for an approved action, by `replica`. False if another one
    /// does.
    ///
    /// # Errors
    /// If the archive does not answer; it may have been claimed.
    pub async fn claim_approved(&self, id: ActionId, replica: &str) -> Result<bool, ArchiveError> {
        let replica = replica.to_owned();
        let claimed = transact!(self, |conn| {
            let approved = actions::table.find(id).filter(actions::state.eq(ActionState::Approved));
            let call =
                (actions::state.eq(ActionState::Calling), actions::replica.eq(Some(&replica)));
            diesel::update(approved).set(call).execute(conn).await
        })?;
        Ok(claimed == 1)
    }

    /// Actions that were confirmed before `before` and that nobody looked at are refused. Returns
    /// how many wait still.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn lapse_reviews(&self, before: Timestamp) -> Result<u64, ArchiveError> {
        let waiting = || actions::table.filter(actions::state.eq(WAITING));
        let late = move || waiting().filter(actions::decided_at.le(before));
        let found: Vec<ActionId> =
            read!(self, |conn| { late().select(actions::id).limit(AT_ONCE).load(conn).await })?;
        if !found.is_empty() {
            transact!(self, |conn| {
                let late = late().filter(actions::id.eq_any(&found));
                let refused = actions::state.eq(ActionState::Refused);
                diesel::update(late).set(refused).execute(conn).await
            })?;
        }
        let count: i64 = read!(self, |conn| { waiting().count().get_result(conn).await })?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// At most `limit` actions of a site before `before`, the newest first; those in one state, if
    /// one is named.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn actions_in(
        &self,
        site: &SiteId,
        state: Option<ActionState>,
        before: Option<ActionId>,
        limit: u32,
    ) -> Result<Vec<Action>, ArchiveError> {
        let site = site.clone();
        let before = before.unwrap_or(ActionId(uuid::Uuid::max()));
        read!(self, |conn| {
            let of_site = actions::table.filter(actions::site_id.eq(&site));
            let page = of_site.filter(actions::id.lt(before)).order(actions::id.desc());
            let page = page.limit(limit.into()).select(Action::as_select());
            match state {
                Some(state) => page.filter(actions::state.eq(state)).load(conn).await,
                None => page.load(conn).await,
            }
        })
    }
}

/// It is found by its session, and emptied with it.
fn entry(review: &Review, action: &Action) -> AuditEntry {
    let what = if review.approved { "action.approve" } else { "action.refuse" };
    AuditEntry {
        id: RecordId::new(),
        site_id: action.site_id.clone(),
        actor_id: review.by,
        actor_role: review.role,
        action: what.to_owned(),
        target: action.session_id.to_string(),
        detail: json!({ "action_id": action.id, "tool": action.tool }),
        at: review.at,
    }
}
