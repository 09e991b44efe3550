//! Who of a site takes conversations.

use diesel::{ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, Selectable};
use diesel_async::RunQueryDsl as _;

use super::{
    column::Count,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{presence, users},
};
use crate::domain::{DutyState, PrincipalId, Role, SiteId, Timestamp};

/// An agent's word about themselves. It holds for a while after `seen_at`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = presence)]
pub struct Presence {
    pub agent_id: PrincipalId,
    pub site_id: SiteId,
    pub state: DutyState,
    /// Conversations at once.
    pub capacity: Count,
    pub seen_at: Timestamp,
}

impl Archive {
    /// Keeps what an agent said last.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn set_presence(&self, said: &Presence) -> Result<(), ArchiveError> {
        let said = said.clone();
        transact!(self, |conn| {
            diesel::replace_into(presence::table).values(&said).execute(conn).await
        })?;
        Ok(())
    }

    /// Something was heard of an agent, whether they are on duty or not.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn heard_of(
        &self,
        agent_id: PrincipalId,
        site_id: &SiteId,
        seen_at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let (state, capacity) = (DutyState::Away, Count(1));
        let new = Presence { agent_id, site_id: site_id.clone(), state, capacity, seen_at };
        transact!(self, |conn| {
            let insert = diesel::insert_into(presence::table).values(&new);
            if insert.on_conflict_do_nothing().execute(conn).await? == 0 {
                let known = diesel::update(presence::table.find(agent_id));
                known.set(presence::seen_at.eq(seen_at)).execute(conn).await?;
            }
            Ok(())
        })
    }

    /// Those of `ids` who are staff of the site, and their names.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn staff_names(
        &self,
        site: &SiteId,
        ids: &[PrincipalId],
    ) -> Result<Vec<(PrincipalId, Option<String>)>, ArchiveError> {
        let (site, ids) = (site.clone(), ids.to_vec());
        read!(self, |conn| {
            let staff = users::table.filter(users::id.eq_any(&ids));
            let staff = staff.filter(users::site_id.eq(&site)).filter(users::disabled_at.is_null());
            let staff = staff.filter(users::role.eq_any([Role::Agent, Role::Admin]));
            staff.select((users::id, users::display_name)).load(conn).await
        })
    }
}
