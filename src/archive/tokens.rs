//! Refresh tokens. Each is used once and replaced by another of its family; one that comes a second time has been
//! stolen or repeated, and its family ends.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    Archive, ArchiveError, RecordId, error::conflict, query::transact, schema::refresh_tokens,
};
use crate::domain::{PrincipalId, Role, SiteId, Timestamp};

/// `token_hash` is all that is kept of the token itself.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub struct RefreshToken {
    pub id: RecordId,
    pub family_id: RecordId,
    pub principal_id: PrincipalId,
    pub site_id: SiteId,
    pub role: Role,
    pub token_hash: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RefreshToken({}, family {})", self.id, self.family_id)
    }
}

/// What became of an attempt to use a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// First use; it is marked used now.
    Fresh(RefreshToken),
    /// Used before; the family is to be revoked.
    Reused(RefreshToken),
    Expired,
    /// Never issued, or revoked.
    Unknown,
}

impl Archive {
    /// # Errors
    /// [`ArchiveError::Conflict`] where the token's family has been revoked meanwhile, or the hash is taken.
    pub async fn insert_refresh_token(&self, token: &RefreshToken) -> Result<(), ArchiveError> {
        let token = token.clone();
        transact!(self, |conn| {
            let family =
                refresh_tokens::table.filter(refresh_tokens::family_id.eq(token.family_id));
            // Changes nothing, but waits for a revocation under way and makes the next one wait.
            diesel::update(family.clone())
                .set(refresh_tokens::family_id.eq(token.family_id))
                .execute(conn)
                .await?;
            let revoked = family.filter(refresh_tokens::revoked_at.is_not_null());
            if revoked.count().get_result::<i64>(conn).await? > 0 {
                return Err(conflict());
            }
            diesel::insert_into(refresh_tokens::table).values(&token).execute(conn).await
        })?;
        Ok(())
    }

    /// Marks the token used if it is usable at `now`. Of any number of attempts at once, exactly one is `Fresh`.
    pub async fn take_refresh_token(
        &self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<TokenUse, ArchiveError> {
        let hash = token_hash.to_owned();
        let (taken, token) = transact!(self, |conn| {
            let token = refresh_tokens::table.filter(refresh_tokens::token_hash.eq(&hash));
            let usable = token
                .filter(refresh_tokens::used_at.is_null())
                .filter(refresh_tokens::revoked_at.is_null())
                .filter(refresh_tokens::expires_at.gt(now));
            let taken = diesel::update(usable)
                .set(refresh_tokens::used_at.eq(Some(now)))
                .execute(conn)
                .await?;
            let token = token.select(RefreshToken::as_select()).first(conn).await.optional()?;
            Ok((taken == 1, token))
        })?;
        Ok(match token {
            None => TokenUse::Unknown,
            Some(token) if taken => TokenUse::Fresh(token),
            Some(token) if token.used_at.is_some() => TokenUse::Reused(token),
            Some(token) if token.revoked_at.is_some() => TokenUse::Unknown,
            Some(_) => TokenUse::Expired,
        })
    }

    /// Ends every token of a family; how many were still alive.
    pub async fn revoke_family(
        &self,
        family: RecordId,
        now: Timestamp,
    ) -> Result<usize, ArchiveError> {
        transact!(self, |conn| {
            let alive = refresh_tokens::table
                .filter(refresh_tokens::family_id.eq(family))
                .filter(refresh_tokens::revoked_at.is_null());
            diesel::update(alive).set(refresh_tokens::revoked_at.eq(Some(now))).execute(conn).await
        })
    }
}
