//! New passwords, and the one-time links with which people set one. A new password ends every
//! sign-in of the account.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    accounts::User,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{password_resets, refresh_tokens, users},
};
use crate::domain::{PrincipalId, Timestamp};

/// `token_hash` is all that is kept of the link.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = password_resets)]
pub struct PasswordReset {
    pub user_id: PrincipalId,
    pub token_hash: String,
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for PasswordReset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasswordReset({})", self.user_id)
    }
}

/// Inside a transaction: the new password, the end of all refresh tokens, and of the link.
macro_rules! set_password {
    ($conn:expr, $user:expr, $hash:expr, $now:expr) => {{
        let set = diesel::update(users::table.find($user))
            .set((users::password_hash.eq(Some($hash)), users::updated_at.eq($now)))
            .execute($conn)
            .await?;
        let living = refresh_tokens::table
            .filter(refresh_tokens::principal_id.eq($user))
            .filter(refresh_tokens::revoked_at.is_null());
        let end = refresh_tokens::revoked_at.eq(Some($now));
        diesel::update(living).set(end).execute($conn).await?;
        diesel::delete(password_resets::table.find($user)).execute($conn).await?;
        set == 1
    }};
}

impl Archive {
    /// Stores a link; an earlier one of the same user ends.
    pub async fn put_password_reset(&self, reset: &PasswordReset) -> Result<(), ArchiveError> {
        let reset = reset.clone();
        transact!(self, |conn| {
            diesel::delete(password_resets::table.find(reset.user_id)).execute(conn).await?;
            diesel::insert_into(password_resets::table).values(&reset).execute(conn).await
        })?;
        Ok(())
    }

    /// Sets a password and ends all sign-ins. False if there is no such user.
    pub async fn change_password(
        &self,
        user: PrincipalId,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let hash = hash.to_owned();
        transact!(self, |conn| { Ok(set_password!(conn, user, &hash, now)) })
    }

    /// The user of a link that is valid at `now`.
    pub async fn user_of_reset(
        &self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<User>, ArchiveError> {
        let token_hash = token_hash.to_owned();
        read!(self, |conn| {
            let of_link = password_resets::table
                .filter(password_resets::token_hash.eq(&token_hash))
                .filter(password_resets::expires_at.gt(now))
                .select(password_resets::user_id);
            let user: Option<PrincipalId> = of_link.first(conn).await.optional()?;
            let Some(user) = user else { return Ok(None) };
            users::table.find(user).select(User::as_select()).first(conn).await.optional()
        })
    }

    /// Uses a link up and sets the password. Of any number of attempts at once, exactly one is
    /// true.
    pub async fn reset_password(
        &self,
        token_hash: &str,
        user: PrincipalId,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let (token_hash, hash) = (token_hash.to_owned(), hash.to_owned());
        transact!(self, |conn| {
            let link = password_resets::table
                .filter(password_resets::token_hash.eq(&token_hash))
                .filter(password_resets::user_id.eq(user))
                .filter(password_resets::expires_at.gt(now));
            if diesel::delete(link).execute(conn).await? == 0 {
                return Ok(false);
            }
            Ok(set_password!(conn, user, &hash, now))
        })
    }
}
