//! Conversations that a person is to take over, as a view of the journal: the fact that asks for a
//! person makes the row, later facts change it, each in the transaction of its event.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::handoffs,
    write_all::write_all,
};
use crate::domain::{
    Append, Controller, Fact, HandoffEnd, HandoffId, HandoffState, People, PrincipalId, SessionId,
    SiteId, Timestamp,
};

/// A handoff as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = handoffs, treat_none_as_default_value = false)]
pub struct Handoff {
    pub id: HandoffId,
    pub site_id: SiteId,
    pub session_id: SessionId,
    pub owner_id: PrincipalId,
    pub reason: String,
    /// The language of the message that asked, or the locale of the session.
    pub locale: String,
    pub state: HandoffState,
    pub requested_at: Timestamp,
    /// First taken over.
    pub accepted_at: Option<Timestamp>,
    /// Who has it, or had it last.
    pub agent_id: Option<PrincipalId>,
    pub ended_at: Option<Timestamp>,
    /// Goes to the front of the queue.
    pub urgent: bool,
    /// What came afterwards.
    pub ended_to: Option<HandoffEnd>,
}

/// What a step changes about handoffs.
#[derive(Clone, Default)]
pub(super) struct HandoffViews {
    pub requested: Vec<Handoff>,
    pub accepted: Vec<(HandoffId, Option<PrincipalId>, Timestamp)>,
    pub ended: Vec<(HandoffId, HandoffEnd, Timestamp)>,
}

impl HandoffViews {
    pub fn of(append: &Append) -> Self {
        let meta = &append.meta;
        let agent = match meta.controller {
            Controller::Agent(id) => Some(id),
            Controller::Bot => None,
        };
        let mut views = Self::default();
        for event in &append.events {
            let Fact::People(people) = &event.fact else { continue };
            match people {
                People::HandoffRequested { handoff_id, reason, language, urgent } => {
                    let locale = language.map_or(meta.locale.as_str(), |language| language.code());
                    views.requested.push(Handoff {
                        id: *handoff_id,
                        site_id: meta.site_id.clone(),
                        session_id: meta.id,
                        owner_id: meta.owner,
                        reason: reason.clone(),
                        locale: locale.to_owned(),
                        state: HandoffState::Queued,
                        requested_at: event.at,
                        accepted_at: None,
                        agent_id: None,
                        ended_at: None,
                        urgent: *urgent,
                        ended_to: None,
                    });
                }
                People::HandoffAccepted { handoff_id, .. } => {
                    views.accepted.push((*handoff_id, agent, event.at));
                }
                People::HandoffEnded { handoff_id, to, .. } => {
                    views.ended.push((*handoff_id, *to, event.at));
                }
                People::HandoffQueued { .. }
                | People::ControlChanged { .. }
                | People::AgentMessage { .. }
                | People::MessageDelivered { .. }
                | People::SessionClosed { .. }
                | People::SessionReopened
                | People::SessionRated { .. } => {}
            }
        }
        views
    }

    pub fn extend(&mut self, other: &Self) {
        self.requested.extend_from_slice(&other.requested);
        self.accepted.extend_from_slice(&other.accepted);
        self.ended.extend_from_slice(&other.ended);
    }
}

/// `write_handoffs!(connection, &HandoffViews)`: within the transaction of the events.
macro_rules! write_handoffs {
    ($connection:ident, $views:expr) => {{
        use $crate::{
            archive::{schema::handoffs, write_all::WriteAll as _},
            domain::HandoffState,
        };
        let views: &$crate::archive::handoffs::HandoffViews = $views;
        $connection.insert_all(&views.requested).await?;
        for (id, agent, at) in &views.accepted {
            let taken = (handoffs::state.eq(HandoffState::Accepted), handoffs::agent_id.eq(*agent));
            diesel::update(handoffs::table.find(id)).set(taken).execute($connection).await?;
            // A transfer is no second acceptance.
            let first = handoffs::table.find(id).filter(handoffs::accepted_at.is_null());
            let at = handoffs::accepted_at.eq(Some(*at));
            diesel::update(first).set(at).execute($connection).await?;
        }
        for (id, to, at) in &views.ended {
            let end = (
                handoffs::state.eq(HandoffState::Ended),
                handoffs::ended_at.eq(Some(*at)),
                handoffs::ended_to.eq(Some(*to)),
            );
            diesel::update(handoffs::table.find(id)).set(end).execute($connection).await?;
        }
    }};
}
pub(super) use write_handoffs;

write_all! {
    Handoff => handoffs, |row| 512 + row.reason.len();
}

impl Archive {
    pub async fn handoff(&self, id: HandoffId) -> Result<Option<Handoff>, ArchiveError> {
        read!(self, |conn| {
            let row = handoffs::table.find(id).select(Handoff::as_select());
            row.first(conn).await.optional()
        })
    }

    /// At most `limit` handoffs of a session, the oldest first.
    pub async fn handoffs_of(
        &self,
        session: SessionId,
        after: Option<HandoffId>,
        limit: u32,
    ) -> Result<Vec<Handoff>, ArchiveError> {
        let after = after.unwrap_or(HandoffId(uuid::Uuid::nil()));
        read!(self, |conn| {
            let of_session = handoffs::table.filter(handoffs::session_id.eq(session));
            let page = of_session.filter(handoffs::id.gt(after)).order(handoffs::id.asc());
            page.limit(limit.into()).select(Handoff::as_select()).load(conn).await
        })
    }

    /// At most `limit` handoffs of all sites that wait since before `before`, the oldest first.
    pub async fn waiting_since(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Handoff>, ArchiveError> {
        read!(self, |conn| {
            let queued = handoffs::table.filter(handoffs::state.eq(HandoffState::Queued));
            let late = queued.filter(handoffs::requested_at.le(before));
            let oldest = late.order(handoffs::requested_at.asc()).limit(limit.into());
            oldest.select(Handoff::as_select()).load(conn).await
        })
    }

    /// Closes the row of a handoff that its session does not know any more.
    pub async fn drop_handoff(&self, id: HandoffId, at: Timestamp) -> Result<(), ArchiveError> {
        transact!(self, |conn| {
            let end = (handoffs::state.eq(HandoffState::Ended), handoffs::ended_at.eq(Some(at)));
            diesel::update(handoffs::table.find(id)).set(end).execute(conn).await
        })?;
        Ok(())
    }

    /// Handoffs of all sites that wait.
    pub async fn count_waiting(&self) -> Result<u64, ArchiveError> {
        let count: i64 = read!(self, |conn| {
            let queued = handoffs::table.filter(handoffs::state.eq(HandoffState::Queued));
            queued.count().get_result(conn).await
        })?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
