//! People with an account: customers, agents and admins of a site.

use diesel::{
    AsChangeset, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{refresh_tokens, users},
};
use crate::domain::{PrincipalId, Role, SiteId, Timestamp};

/// `email` and `external_sub` are each unique within a site; the archive keeps e-mail addresses in
/// lowercase.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct User {
    pub id: PrincipalId,
    pub site_id: SiteId,
    pub role: Role,
    pub email: Option<String>,
    /// The `sub` by which the shop's own identity tokens name this person.
    pub external_sub: Option<String>,
    pub display_name: Option<String>,
    pub password_hash: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({}, {}, {})", self.id, self.site_id, self.role.as_str())
    }
}

/// Addresses that differ only in case reach the same person.
fn normalised(email: &str) -> String {
    email.trim().to_lowercase()
}

impl User {
    fn normalised(&self) -> Self {
        Self { email: self.email.as_deref().map(normalised), ..self.clone() }
    }
}

impl Archive {
    /// # Errors
    /// [`ArchiveError::Conflict`] where the site has a user with this `email` or `external_sub`.
    pub async fn create_user(&self, user: &User) -> Result<(), ArchiveError> {
        let user = user.normalised();
        transact!(self, |conn| {
            diesel::insert_into(users::table).values(&user).execute(conn).await
        })?;
        Ok(())
    }

    /// Replaces everything but the id. False where there is no such user.
    ///
    /// # Errors
    /// [`ArchiveError::Conflict`] where another user of the site has this `email` or `external_sub`.
    pub async fn update_user(&self, user: &User) -> Result<bool, ArchiveError> {
        let user = user.normalised();
        let updated = transact!(self, |conn| {
            diesel::update(users::table.find(user.id)).set(&user).execute(conn).await
        })?;
        Ok(updated == 1)
    }

    pub async fn user(&self, id: PrincipalId) -> Result<Option<User>, ArchiveError> {
        read!(self, |conn| {
            users::table.find(id).select(User::as_select()).first(conn).await.optional()
        })
    }

    pub async fn user_by_email(
        &self,
        site: &SiteId,
        email: &str,
    ) -> Result<Option<User>, ArchiveError> {
        let (site, email) = (site.clone(), normalised(email));
        read!(self, |conn| {
            let of_site = users::table.filter(users::site_id.eq(&site));
            let user = of_site.filter(users::email.eq(&email)).select(User::as_select());
            user.first(conn).await.optional()
        })
    }

    pub async fn user_by_external_sub(
        &self,
        site: &SiteId,
        external_sub: &str,
    ) -> Result<Option<User>, ArchiveError> {
        let (site, external_sub) = (site.clone(), external_sub.to_owned());
        read!(self, |conn| {
            let of_site = users::table.filter(users::site_id.eq(&site));
            let user = of_site.filter(users::external_sub.eq(&external_sub));
            user.select(User::as_select()).first(conn).await.optional()
        })
    }

    /// At most `limit` users of a site after `after`, the oldest first.
    pub async fn users_of(
        &self,
        site: &SiteId,
        after: Option<PrincipalId>,
        limit: u32,
    ) -> Result<Vec<User>, ArchiveError> {
        let site = site.clone();
        let after = after.unwrap_or(PrincipalId(uuid::Uuid::nil()));
        read!(self, |conn| {
            let of_site = users::table.filter(users::site_id.eq(&site));
            let page = of_site.filter(users::id.gt(after)).order(users::id.asc());
            page.limit(limit.into()).select(User::as_select()).load(conn).await
        })
    }

    /// Removes a user and every token of theirs. False where there is no such user. Their sessions
    /// are erased one by one, with [`Archive::sessions_of`] and [`Archive::erase_session`].
    pub async fn erase_user(&self, id: PrincipalId) -> Result<bool, ArchiveError> {
        let erased = transact!(self, |conn| {
            let tokens = refresh_tokens::table.filter(refresh_tokens::principal_id.eq(id));
            diesel::delete(tokens).execute(conn).await?;
            diesel::delete(users::table.find(id)).execute(conn).await
        })?;
        Ok(erased == 1)
    }
}
