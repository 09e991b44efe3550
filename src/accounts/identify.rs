//! Customers whom the shop's server identifies.

use super::{error::AccountError, handle::Accounts, sign_in::Session, user::principal};
use crate::{
    archive::{Site, User},
    auth::verify_identity,
    clock,
    domain::{PrincipalId, Role},
    limits::Budget,
};

impl Accounts {
    /// A customer whom the shop's server identifies.
    ///
    /// # Errors
    /// [`AccountError::Erased`] for a token that may have been issued before the customer was
    /// erased: an old page must not bring back what was erased.
    pub async fn identify(&self, site: &Site, token: &str) -> Result<Session, AccountError> {
        let secret = site.identity_secret.expose().as_bytes();
        let identity = verify_identity(secret, &self.audience, token, clock::now())?;
        self.limits.of_site(Budget::Logins, &site.id).await?;
        let (iss, sub) = (&*identity.iss, &*identity.sub);
        let known = async || self.archive.user_by_identity(&site.id, iss, sub).await;
        let user = known().await?;
        // After the look for the account: what is erased from now on is refused when it is opened.
        let erased = self.archive.identity_erased_at(&site.id, iss, sub).await?;
        if erased.is_some_and(|erased| identity.issued_from <= erased) {
            return Err(AccountError::Erased);
        }
        if let Some(user) = user {
            return self.open_if_enabled(&user).await;
        }
        if self.archive.adopt_identity(&site.id, iss, sub).await?
            && let Some(user) = known().await?
        {
            return self.open_if_enabled(&user).await;
        }
        let now = clock::now();
        let user = User {
            id: PrincipalId::new(),
            site_id: site.id.clone(),
            role: Role::Customer,
            // The address in the token is not a sign-in name, so it need not be unique.
            email: None,
            external_iss: Some(iss.to_owned()),
            external_sub: Some(sub.to_owned()),
            display_name: None,
            password_hash: None,
            created_at: now,
            updated_at: now,
            disabled_at: None,
        };
        match self.insert(user.clone()).await {
            Ok(()) => self.open(principal(&user)).await,
            // Another request of the same customer created the account first.
            Err(AccountError::Taken) => {
                self.open_if_enabled(&known().await?.ok_or(AccountError::TokenInvalid)?).await
            }
            Err(error) => Err(error),
        }
    }

    async fn open_if_enabled(&self, user: &User) -> Result<Session, AccountError> {
        if user.disabled_at.is_some() {
            return Err(AccountError::TokenInvalid);
        }
        self.open(principal(user)).await
    }
}
