//! Sentences of models that broke a rule. Staff read them; no shopper does.

use std::collections::BTreeSet;

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde::Serialize;

use super::{
    column::RecordId,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{erased_sessions, guard_decisions},
};
use crate::domain::{SessionId, SiteId, Timestamp, TurnId};

#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = guard_decisions)]
pub struct GuardDecision {
    pub id: RecordId,
    #[serde(skip)]
    pub site_id: SiteId,
    pub session_id: SessionId,
    pub turn_id: TurnId,
    /// What was wrong, as in the configuration: `numbers`, `promises`, ...
    pub rule: String,
    /// `block`, `replace` or `flag`.
    pub action: String,
    /// As the model wrote it, with personal data masked.
    pub sentence: String,
    pub at: Timestamp,
}

impl std::fmt::Debug for GuardDecision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chars = self.sentence.chars().count();
        write!(f, "GuardDecision({}, {}, [{chars} chars])", self.rule, self.action)
    }
}

impl Archive {
    /// Keeps decisions, except those of erased sessions, and of each site only the newest `most`.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn keep_decisions(
        &self,
        decisions: &[GuardDecision],
        most: u32,
    ) -> Result<(), ArchiveError> {
        let decisions = decisions.to_vec();
        transact!(self, |conn| {
            for decision in &decisions {
                let insert = diesel::insert_into(guard_decisions::table).values(decision);
                insert.execute(conn).await?;
            }
            // Only now: an erasure that is not visible here yet waits for the rows.
            let sessions: BTreeSet<SessionId> = decisions.iter().map(|d| d.session_id).collect();
            for session in sessions {
                let tombstone = erased_sessions::table.find(session);
                let tombstone = tombstone.select(erased_sessions::session_id);
                if tombstone.first::<SessionId>(conn).await.optional()?.is_some() {
                    let late = guard_decisions::table;
                    let late = late.filter(guard_decisions::session_id.eq(session));
                    diesel::delete(late).execute(conn).await?;
                }
            }
            let sites: BTreeSet<&SiteId> = decisions.iter().map(|d| &d.site_id).collect();
            for site in sites {
                let of_site = || guard_decisions::table.filter(guard_decisions::site_id.eq(site));
                let newest = of_site().order(guard_decisions::id.desc());
                let first_old = newest.offset(most.into()).limit(1).select(guard_decisions::id);
                if let Some(old) = first_old.first::<RecordId>(conn).await.optional()? {
                    let old = of_site().filter(guard_decisions::id.le(old));
                    diesel::delete(old).execute(conn).await?;
                }
            }
            Ok(())
        })
    }

    /// At most `limit` decisions of a site before `before`, the newest first; of one session, if
    /// one is named.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn decisions(
        &self,
        site: &SiteId,
        session: Option<SessionId>,
        before: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<GuardDecision>, ArchiveError> {
        let site = site.clone();
        let before = before.unwrap_or(RecordId(uuid::Uuid::max()));
        read!(self, |conn| {
            let of_site = guard_decisions::table.filter(guard_decisions::site_id.eq(&site));
            let page = of_site.filter(guard_decisions::id.lt(before));
            let page = page.order(guard_decisions::id.desc()).limit(limit.into());
            let page = page.select(GuardDecision::as_select());
            match session {
                Some(id) => page.filter(guard_decisions::session_id.eq(id)).load(conn).await,
                None => page.load(conn).await,
            }
        })
    }
}
