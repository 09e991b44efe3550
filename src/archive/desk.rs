//! What the people of a shop see of their handoffs, and which of these have lost their agent.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _,
    NullableExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::Count,
    error::ArchiveError,
    handle::Archive,
    handoffs::Handoff,
    presence::Presence,
    query::read,
    schema::{handoffs, presence, sessions, tickets, users},
};
use crate::domain::{
    DutyState, HandoffEnd, HandoffId, HandoffState, Help, Loss, PrincipalId, SessionId, SiteId,
    TicketId, Timestamp,
};

/// What a site's desk has to do, and with whom.
#[derive(Clone, Debug, Default)]
pub struct DeskRows {
    /// Who is on duty.
    pub agents: Vec<Presence>,
    /// Open handoffs: those that wait, in the order in which they are served, then those that
    /// somebody has.
    pub queued: Vec<Handoff>,
    pub accepted: Vec<Handoff>,
    /// The newest ones that were taken over and have ended.
    pub handled: Vec<Handoff>,
}

impl Archive {
    /// At most `most` rows of each kind. An agent seen before `since` is not on duty.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn desk(
        &self,
        site: &SiteId,
        since: Timestamp,
        (most, handled): (u32, u32),
    ) -> Result<DeskRows, ArchiveError> {
        let site = site.clone();
        read!(self, |conn| {
            let here = presence::table.filter(presence::site_id.eq(&site));
            let here = here.filter(presence::seen_at.ge(since));
            let on_duty = here.filter(presence::state.eq(DutyState::Online));
            let on_duty = on_duty.order(presence::agent_id.asc()).limit(most.into());
            let queued = handoffs::table.filter(handoffs::site_id.eq(&site));
            let queued = queued.filter(handoffs::state.eq(HandoffState::Queued));
            let order = (handoffs::urgent.desc(), handoffs::requested_at.asc(), handoffs::id.asc());
            let queued = queued.order(order);
            let accepted = handoffs::table.filter(handoffs::site_id.eq(&site));
            let accepted = accepted.filter(handoffs::state.eq(HandoffState::Accepted));
            let accepted = accepted.order((handoffs::accepted_at.asc(), handoffs::id.asc()));
            let ended = handoffs::table.filter(handoffs::site_id.eq(&site));
            let ended = ended.filter(handoffs::ended_at.is_not_null());
            let ended = ended.filter(handoffs::accepted_at.is_not_null());
            let ended = ended.order(handoffs::ended_at.desc()).limit(handled.into());
            let (queued, accepted) = (queued.limit(most.into()), accepted.limit(most.into()));
            Ok(DeskRows {
                agents: on_duty.select(Presence::as_select()).load(conn).await?,
                queued: queued.select(Handoff::as_select()).load(conn).await?,
                accepted: accepted.select(Handoff::as_select()).load(conn).await?,
                handled: ended.select(Handoff::as_select()).load(conn).await?,
            })
        })
    }

    /// At most `limit` handoffs that are over: closed, or back with the assistant. The newest end
    /// comes first; `before` is the last one of the page before.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn ended_handoffs(
        &self,
        site: &SiteId,
        before: Option<(Timestamp, HandoffId)>,
        limit: u32,
    ) -> Result<Vec<Handoff>, ArchiveError> {
        let site = site.clone();
        let last = (Timestamp::from_millis(i64::MAX), HandoffId(uuid::Uuid::max()));
        let (at, id) = before.unwrap_or(last);
        read!(self, |conn| {
            let is_over = handoffs::ended_to.eq(Some(HandoffEnd::Bot));
            let is_over = is_over.or(handoffs::ended_to.eq(Some(HandoffEnd::Closed)));
            let ended = handoffs::table.filter(handoffs::site_id.eq(&site));
            let ended = ended.filter(handoffs::ended_at.le(Some(at)));
            let ended = ended.filter(is_over);
            let is_older = handoffs::ended_at.lt(Some(at));
            let is_earlier = is_older.or(handoffs::id.lt(id).nullable());
            let ended = ended.filter(is_earlier);
            let ended = ended.order((handoffs::ended_at.desc(), handoffs::id.desc()));
            ended.limit(limit.into()).select(Handoff::as_select()).load(conn).await
        })
    }

    /// The newest help that a session had: a handoff that somebody took and that has ended, or a
    /// ticket that was answered.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn last_help(&self, session: SessionId) -> Result<Option<Help>, ArchiveError> {
        let (handoff, ticket): (Option<(HandoffId, Option<Timestamp>)>, Option<_>) =
            read!(self, |conn| {
                let taken = handoffs::table.filter(handoffs::session_id.eq(session));
                let taken = taken.filter(handoffs::accepted_at.is_not_null());
                let ended = taken.filter(handoffs::ended_at.is_not_null());
                let newest = ended.order(handoffs::ended_at.desc());
                let newest = newest.select((handoffs::id, handoffs::ended_at));
                let handoff = newest.first(conn).await.optional()?;
                let asked = tickets::table.filter(tickets::session_id.eq(session));
                let answered = asked.filter(tickets::answered_at.is_not_null());
                let newest = answered.order(tickets::answered_at.desc());
                let newest = newest.select((tickets::id, tickets::answered_at));
                let ticket: Option<(TicketId, Option<Timestamp>)> =
                    newest.first(conn).await.optional()?;
                Ok((handoff, ticket))
            })?;
        let handoff = handoff.map(|(id, at)| (at, Help::Handoff(id)));
        let ticket = ticket.map(|(id, at)| (at, Help::Ticket(id)));
        let newest = handoff.into_iter().chain(ticket).max_by_key(|(at, _)| *at);
        Ok(newest.map(|(_, help)| help))
    }

    /// At most `limit` conversations that an agent has, those first that they took first, and the
    /// `seq` of the newest event of each.
    pub async fn conversations_of(
        &self,
        agent: PrincipalId,
        limit: u32,
    ) -> Result<Vec<(SessionId, Count)>, ArchiveError> {
        read!(self, |conn| {
            let own = handoffs::table
                .inner_join(sessions::table.on(sessions::id.eq(handoffs::session_id)));
            let own = own.filter(handoffs::agent_id.eq(Some(agent)));
            let own = own.filter(handoffs::state.eq(HandoffState::Accepted));
            let own = own.order((handoffs::accepted_at.asc(), handoffs::id.asc()));
            own.limit(limit.into()).select((sessions::id, sessions::last_seq)).load(conn).await
        })
    }

    /// At most `limit` handoffs of all sites whose agent is disabled, and as many of which nothing
    /// was heard since `silent`, if that is asked for.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn lost_handoffs(
        &self,
        silent: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<(Handoff, Loss)>, ArchiveError> {
        let (disabled, away) = read!(self, |conn| {
            let agent = users::table.on(handoffs::agent_id.eq(users::id.nullable()));
            let taken = handoffs::table.inner_join(agent);
            let taken = taken.filter(handoffs::state.eq(HandoffState::Accepted));
            let disabled = taken.filter(users::disabled_at.is_not_null()).limit(limit.into());
            let disabled: Vec<Handoff> = disabled.select(Handoff::as_select()).load(conn).await?;
            let Some(silent) = silent else { return Ok((disabled, Vec::new())) };
            let word = presence::table.on(handoffs::agent_id.eq(presence::agent_id.nullable()));
            let taken = handoffs::table.left_join(word);
            let taken = taken.filter(handoffs::state.eq(HandoffState::Accepted));
            let seen_at = presence::seen_at.nullable();
            let away = taken.filter(seen_at.is_null().or(seen_at.le(Some(silent))));
            let away = away.limit(limit.into()).select(Handoff::as_select());
            Ok((disabled, away.load::<Handoff>(conn).await?))
        })?;
        // Nothing is heard of somebody whose account is disabled, either.
        let is_new = |away: &Handoff| disabled.iter().all(|known| known.id != away.id);
        let away = away.into_iter().filter(is_new).map(|handoff| (handoff, Loss::AgentAway));
        let away: Vec<_> = away.collect();
        let disabled = disabled.into_iter().map(|handoff| (handoff, Loss::AgentDisabled));
        Ok(disabled.chain(away).collect())
    }
}
