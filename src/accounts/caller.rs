//! Who calls, by a token.

use super::{error::AccountError, handle::Accounts};
use crate::{
    auth::{ApiKey, Standing, oidc},
    clock,
    domain::{Principal, PrincipalId, Role, Timestamp},
};

/// The caller behind a valid token or API key.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    /// When the token ends; API keys do not.
    pub expires_at: Option<Timestamp>,
}

impl Accounts {
    /// The caller behind an access token, a token of an identity provider or an API key.
    ///
    /// # Errors
    /// [`AccountError::Erased`] if everything of the person was erased, even if the token would
    /// live for longer.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, AccountError> {
        let caller = self.authenticate_erased(token).await?;
        self.refuse_erased(&caller.principal).await?;
        Ok(caller)
    }

    /// As [`Accounts::authenticate`], also for somebody who was erased: the person may still ask
    /// how far the erasure came.
    pub async fn authenticate_erased(&self, token: &str) -> Result<Caller, AccountError> {
        if let Some(key) = ApiKey::parse(token) {
            let stored = self.archive.active_api_key(&key.hash()).await?;
            let stored = stored.filter(|stored| key.matches(&stored.key_hash));
            let stored = stored.ok_or(AccountError::TokenInvalid)?;
            let principal = Principal {
                id: PrincipalId(stored.id.0),
                role: Role::Server,
                site_id: stored.site_id,
            };
            return Ok(Caller { principal, expires_at: None });
        }
        let now = clock::now();
        let verified = match oidc::Claimed::of(token) {
            Some(claimed) => self.keyring.verify(&claimed, token, now).await?,
            None => self.tokens.verify(token, now)?,
        };
        Ok(Caller { principal: verified.principal, expires_at: Some(verified.expires_at) })
    }

    /// Only visitors and customers are erased; staff are disabled.
    pub(super) async fn refuse_erased(&self, principal: &Principal) -> Result<(), AccountError> {
        let is_erased = match principal.role {
            Role::Server => false,
            Role::Agent | Role::Admin => match self.disabled.standing(principal.id, clock::now()) {
                Standing::Erased => return Err(AccountError::TokenInvalid),
                Standing::Present => false,
                Standing::Unknown => {
                    let user = self.archive.user(principal.id).await?;
                    if user.is_some_and(|user| user.disabled_at.is_some()) {
                        return Err(AccountError::TokenInvalid);
                    }
                    false
                }
            },
            Role::Visitor | Role::Customer => {
                match self.erased.standing(principal.id, clock::now()) {
                    Standing::Erased => true,
                    Standing::Present => false,
                    Standing::Unknown => self.archive.erasure(principal.id).await?.is_some(),
                }
            }
        };
        if is_erased { Err(AccountError::Erased) } else { Ok(()) }
    }
}
