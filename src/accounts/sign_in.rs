//! What somebody who is signed in holds, and how it is renewed and given back.

use std::time::Duration;

use super::{error::AccountError, handle::Accounts, user::after};
use crate::{
    archive::{ArchiveError, RecordId, RefreshToken as StoredToken, Successor, TokenUse},
    auth::{MAX_IDENTITY_LIFE, OpaqueToken},
    clock,
    domain::{Principal, Role, Timestamp},
};

/// Ended tokens that are deleted in one transaction, and how many of them in one round.
const DELETED_AT_ONCE: u32 = 500;
const DELETIONS: usize = 200;

/// What a signed-in principal holds.
pub struct Session {
    pub principal: Principal,
    pub access_token: String,
    pub expires_in: Duration,
    pub refresh_token: String,
}

impl Accounts {
    /// # Errors
    /// [`AccountError::Erased`] if the person was.
    pub(super) async fn open(&self, principal: Principal) -> Result<Session, AccountError> {
        let now = clock::now();
        let OpaqueToken { token, hash } = OpaqueToken::generate();
        let stored = StoredToken {
            id: RecordId::new(),
            family_id: RecordId::new(),
            principal_id: principal.id,
            site_id: principal.site_id.clone(),
            role: principal.role,
            token_hash: hash,
            created_at: now,
            expires_at: after(now, self.refresh_ttl),
            used_at: None,
            revoked_at: None,
        };
        match self.archive.insert_refresh_token(&stored).await {
            Ok(()) => {}
            // A visitor can chat at once. The refresh token works as soon as the archive has it.
            Err(error) if error.concerns_all() && principal.role == Role::Visitor => {
                self.absence.wait(stored);
            }
            Err(ArchiveError::Conflict) => return Err(AccountError::Erased),
            Err(error) => return Err(error.into()),
        }
        self.signed_in(principal, token, now)
    }

    fn signed_in(
        &self,
        principal: Principal,
        refresh_token: String,
        now: Timestamp,
    ) -> Result<Session, AccountError> {
        let access_token = self.tokens.issue(&principal, now)?;
        Ok(Session { principal, access_token, expires_in: self.access_ttl, refresh_token })
    }

    /// A token that is used twice may be stolen, so all tokens of its sign-in end.
    pub async fn refresh(&self, token: &str) -> Result<Session, AccountError> {
        let token = hash(token)?;
        if let Some(waiting) = self.absence.token(&token) {
            self.store(&waiting).await?;
        }
        let known = self.archive.refresh_token(&token).await?.ok_or(AccountError::TokenInvalid)?;
        let principal =
            Principal { id: known.principal_id, role: known.role, site_id: known.site_id.clone() };
        self.refuse_erased(&principal).await?;
        self.limits.refresh(&known.site_id, known.principal_id).await?;
        let now = clock::now();
        let OpaqueToken { token: next, hash: token_hash } = OpaqueToken::generate();
        let expires_at = after(now, self.refresh_ttl);
        let successor = Successor { id: RecordId::new(), token_hash, expires_at };
        match self.archive.rotate_refresh_token(known, &successor, now).await? {
            TokenUse::Fresh(used) => {
                if used.role != Role::Visitor {
                    let user = self.archive.user(used.principal_id).await?;
                    if user.is_none_or(|user| user.disabled_at.is_some()) {
                        return Err(AccountError::TokenInvalid);
                    }
                }
                self.signed_in(principal, next, now)
            }
            TokenUse::Reused(used) => {
                self.archive.revoke_family(used.family_id, now).await?;
                tracing::warn!(principal_id = %used.principal_id, "a refresh token was used twice");
                Err(AccountError::TokenInvalid)
            }
            TokenUse::Expired => Err(AccountError::TokenExpired),
            TokenUse::Unknown => Err(AccountError::TokenInvalid),
        }
    }

    pub async fn logout(&self, token: &str) -> Result<(), AccountError> {
        let Ok(hash) = hash(token) else { return Ok(()) };
        if let Some(stored) = self.archive.refresh_token(&hash).await? {
            self.archive.revoke_family(stored.family_id, clock::now()).await?;
        }
        Ok(())
    }

    /// Deletes refresh tokens, links and marks of erased identities after their end, the tokens a
    /// bounded number at a time.
    pub async fn delete_ended(&self) -> Result<(), ArchiveError> {
        for _ in 0..DELETIONS {
            let deleted = self.archive.delete_ended_tokens(clock::now(), DELETED_AT_ONCE).await?;
            if deleted < DELETED_AT_ONCE as usize {
                break;
            }
        }
        self.archive.delete_identity_marks(MAX_IDENTITY_LIFE).await
    }
}

/// Text that cannot be a token is refused without asking the archive.
pub fn hash(token: &str) -> Result<String, AccountError> {
    if !OpaqueToken::is_form_of(token) {
        return Err(AccountError::TokenInvalid);
    }
    Ok(OpaqueToken::hash(token))
}
