//! Refresh tokens. Each is used once and replaced by another of its family; one that comes a second
//! time has been stolen or repeated, and its family ends.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::RecordId,
    error::{ArchiveError, conflict},
    handle::Archive,
    query::{read, transact},
    schema::{customer_erasures, password_resets, refresh_tokens},
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

/// What replaces a token that is used: of the same family, principal and role.
#[derive(Clone, Debug)]
pub struct Successor {
    pub id: RecordId,
    pub token_hash: String,
    pub expires_at: Timestamp,
}

impl Archive {
    /// Stores the first token of a family.
    ///
    /// # Errors
    /// [`ArchiveError::Conflict`] where the hash is taken, or the principal was erased.
    pub async fn insert_refresh_token(&self, token: &RefreshToken) -> Result<(), ArchiveError> {
        let token = token.clone();
        transact!(self, |conn| {
            diesel::insert_into(refresh_tokens::table).values(&token).execute(conn).await?;
            // Only now: an erasure that is not visible here yet waits for the row and deletes it.
            let erasure = customer_erasures::table.find(token.principal_id);
            let erasure = erasure.select(customer_erasures::customer_id);
            match erasure.first::<PrincipalId>(conn).await.optional()? {
                Some(_) => Err(conflict()),
                None => Ok(()),
            }
        })?;
        Ok(())
    }

    pub async fn refresh_token(
        &self,
        token_hash: &str,
    ) -> Result<Option<RefreshToken>, ArchiveError> {
        let hash = token_hash.to_owned();
        read!(self, |conn| {
            refresh_tokens::table
                .filter(refresh_tokens::token_hash.eq(&hash))
                .select(RefreshToken::as_select())
                .first(conn)
                .await
                .optional()
        })
    }

    /// Marks a token used and stores its successor, if it is usable at `now`, in one step: nobody
    /// who comes second can end the family between the two. Of any number of attempts at once,
    /// exactly one is `Fresh`. `known` is the token as it was read.
    pub async fn rotate_refresh_token(
        &self,
        known: RefreshToken,
        successor: &Successor,
        now: Timestamp,
    ) -> Result<TokenUse, ArchiveError> {
        let successor = RefreshToken {
            id: successor.id,
            token_hash: successor.token_hash.clone(),
            created_at: now,
            expires_at: successor.expires_at,
            used_at: None,
            revoked_at: None,
            ..known.clone()
        };
        let (taken, token) = transact!(self, |conn| {
            let family =
                refresh_tokens::table.filter(refresh_tokens::family_id.eq(known.family_id));
            // Changes nothing, but waits for a revocation under way and makes the next one wait.
            diesel::update(family)
                .set(refresh_tokens::family_id.eq(known.family_id))
                .execute(conn)
                .await?;
            let usable = refresh_tokens::table
                .filter(refresh_tokens::id.eq(known.id))
                .filter(refresh_tokens::used_at.is_null())
                .filter(refresh_tokens::revoked_at.is_null())
                .filter(refresh_tokens::expires_at.gt(now));
            let taken = diesel::update(usable)
                .set(refresh_tokens::used_at.eq(Some(now)))
                .execute(conn)
                .await?;
            if taken == 1 {
                diesel::insert_into(refresh_tokens::table).values(&successor).execute(conn).await?;
            }
            let token = refresh_tokens::table
                .filter(refresh_tokens::id.eq(known.id))
                .select(RefreshToken::as_select())
                .first(conn)
                .await
                .optional()?;
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

    /// Deletes at most `limit` tokens, and as many links for new passwords, that ended before
    /// `now`; how many tokens were deleted.
    pub async fn delete_ended_tokens(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<usize, ArchiveError> {
        transact!(self, |conn| {
            let ended = refresh_tokens::table
                .filter(refresh_tokens::expires_at.le(now))
                .order(refresh_tokens::expires_at.asc());
            let ended: Vec<RecordId> =
                ended.limit(limit.into()).select(refresh_tokens::id).load(conn).await?;
            let links = password_resets::table.filter(password_resets::expires_at.le(now));
            let links: Vec<PrincipalId> =
                links.limit(limit.into()).select(password_resets::user_id).load(conn).await?;
            // One that was made anew meanwhile stays.
            let links = password_resets::table
                .filter(password_resets::user_id.eq_any(links))
                .filter(password_resets::expires_at.le(now));
            diesel::delete(links).execute(conn).await?;
            let tokens = refresh_tokens::table.filter(refresh_tokens::id.eq_any(ended));
            diesel::delete(tokens).execute(conn).await
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
