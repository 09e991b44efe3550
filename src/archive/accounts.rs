//! People with an account: customers, agents and admins of a site.

use diesel::{
    AsChangeset, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    error::ArchiveError,
    handle::{Archive, Store},
    query::{read, transact},
    schema::users,
};
use crate::{
    auth::Email,
    domain::{PrincipalId, Role, SiteId, Timestamp},
};

/// Addresses that are read at once.
const PAGE: i64 = 500;

/// `email` is unique within a site, and so are `external_iss` and `external_sub` together. The
/// archive keeps e-mail addresses in the form in which they are compared ([`Email`]).
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct User {
    pub id: PrincipalId,
    pub site_id: SiteId,
    pub role: Role,
    pub email: Option<String>,
    /// The `iss` of the shop's identity tokens that name this person. Absent with an `external_sub`
    /// from before issuers were kept apart, until the first one names it.
    pub external_iss: Option<String>,
    /// The `sub` by which that issuer names this person.
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

/// Addresses that differ only in their spelling reach the same person. One that is none, from
/// before addresses were checked, keeps its text.
fn normalised(email: &str) -> String {
    match Email::parse(email) {
        Some(email) => email.as_str().to_owned(),
        None => email.trim().to_lowercase(),
    }
}

impl User {
    fn normalised(&self) -> Self {
        Self { email: self.email.as_deref().map(normalised), ..self.clone() }
    }
}

impl Archive {
    /// # Errors
    /// [`ArchiveError::Conflict`] where the site has a user with this `email` or identity.
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
    /// [`ArchiveError::Conflict`] where another user of the site has this `email` or identity.
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

    /// The customer whom this issuer calls `external_sub`.
    pub async fn user_by_identity(
        &self,
        site: &SiteId,
        external_iss: &str,
        external_sub: &str,
    ) -> Result<Option<User>, ArchiveError> {
        let (site, iss, sub) = (site.clone(), external_iss.to_owned(), external_sub.to_owned());
        read!(self, |conn| {
            let of_site = users::table.filter(users::site_id.eq(&site));
            let named = of_site.filter(users::external_sub.eq(&sub));
            let user = named.filter(users::external_iss.eq(&iss));
            user.select(User::as_select()).first(conn).await.optional()
        })
    }

    /// Gives the customer of this `external_sub` without an issuer to this one. False if there is
    /// none, or another request was faster.
    pub async fn adopt_identity(
        &self,
        site: &SiteId,
        external_iss: &str,
        external_sub: &str,
    ) -> Result<bool, ArchiveError> {
        let (site, iss, sub) = (site.clone(), external_iss.to_owned(), external_sub.to_owned());
        let adopted = transact!(self, |conn| {
            let without = users::table
                .filter(users::site_id.eq(&site))
                .filter(users::external_sub.eq(&sub))
                .filter(users::external_iss.is_null());
            diesel::update(without).set(users::external_iss.eq(Some(&iss))).execute(conn).await
        })?;
        Ok(adopted > 0)
    }

    /// Brings stored addresses to the form in which they are compared, and returns the users whose
    /// address in that form is another account's; theirs stays as it is. Does nothing the next
    /// time.
    pub(super) async fn normalise_emails(&self) -> Result<Vec<PrincipalId>, ArchiveError> {
        // What is plain ASCII was stored in that form already.
        let is_wide = match &self.store {
            Store::Mysql(_) => "CHAR_LENGTH(email) <> LENGTH(email)",
            Store::Sqlite { .. } => "LENGTH(email) <> LENGTH(CAST(email AS BLOB))",
        };
        let (mut doubled, mut after) = (Vec::new(), PrincipalId(uuid::Uuid::nil()));
        loop {
            let page: Vec<(PrincipalId, Option<String>)> = read!(self, |conn| {
                users::table
                    .filter(users::id.gt(after))
                    .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(is_wide))
                    .order(users::id.asc())
                    .limit(PAGE)
                    .select((users::id, users::email))
                    .load(conn)
                    .await
            })?;
            let Some((last, _)) = page.last() else { return Ok(doubled) };
            after = *last;
            for (id, email) in page {
                let Some(email) = email else { continue };
                let form = normalised(&email);
                if form == email {
                    continue;
                }
                let changed = transact!(self, |conn| {
                    let user = users::table.find(id);
                    diesel::update(user).set(users::email.eq(Some(&form))).execute(conn).await
                });
                match changed {
                    Ok(_) => {}
                    Err(ArchiveError::Conflict) => doubled.push(id),
                    Err(error) => return Err(error),
                }
            }
        }
    }
}
