//! The people of a shop who may sign in, and those whose account was disabled.

use diesel::{ExpressionMethods as _, QueryDsl as _, SelectableHelper as _};
use diesel_async::RunQueryDsl as _;

use super::{
    accounts::User,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{password_resets, presence, refresh_tokens, users},
};
use crate::domain::{PrincipalId, Role, SiteId, Timestamp};

const STAFF: [Role; 2] = [Role::Agent, Role::Admin];

impl Archive {
    /// At most `limit` agents and admins of a site after `after`, the oldest first.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn staff_of(
        &self,
        site: &SiteId,
        after: Option<PrincipalId>,
        limit: u32,
    ) -> Result<Vec<User>, ArchiveError> {
        let site = site.clone();
        let after = after.unwrap_or(PrincipalId(uuid::Uuid::nil()));
        read!(self, |conn| {
            let of_site = users::table.filter(users::site_id.eq(&site));
            let staff = of_site.filter(users::role.eq_any(STAFF));
            let page = staff.filter(users::id.gt(after)).order(users::id.asc());
            page.limit(limit.into()).select(User::as_select()).load(conn).await
        })
    }

    /// Disables an account: its sign-ins and its link for a password end, and it is not on duty.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn disable(&self, user: PrincipalId, now: Timestamp) -> Result<(), ArchiveError> {
        transact!(self, |conn| {
            let enabled = users::table.find(user).filter(users::disabled_at.is_null());
            let end = (users::disabled_at.eq(Some(now)), users::updated_at.eq(now));
            diesel::update(enabled).set(end).execute(conn).await?;
            let living = refresh_tokens::table
                .filter(refresh_tokens::principal_id.eq(user))
                .filter(refresh_tokens::revoked_at.is_null());
            let end = refresh_tokens::revoked_at.eq(Some(now));
            diesel::update(living).set(end).execute(conn).await?;
            diesel::delete(password_resets::table.find(user)).execute(conn).await?;
            diesel::delete(presence::table.find(user)).execute(conn).await
        })?;
        Ok(())
    }

    /// Staff whose account was disabled at `since` or later.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn disabled_since(&self, since: Timestamp) -> Result<Vec<PrincipalId>, ArchiveError> {
        read!(self, |conn| {
            let disabled = users::table.filter(users::disabled_at.ge(Some(since)));
            let staff = disabled.filter(users::role.eq_any(STAFF));
            staff.select(users::id).load(conn).await
        })
    }
}
