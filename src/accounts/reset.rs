//! A new password by a one-time link.

use super::{
    error::{AccountError, not_an_address},
    handle::Accounts,
    password::{account, new_password},
    sign_in::hash,
    user::after,
};
use crate::{
    archive::{PasswordReset, Site},
    auth::{Email, OpaqueToken},
    clock,
    domain::{PrincipalId, Role, SiteId, Timestamp},
    limits::Budget,
};

/// A one-time link for a new password. It is shown once.
pub struct Reset {
    pub user: PrincipalId,
    pub token: String,
    /// A page for a person. The token is behind the `#`, which browsers never send.
    pub link: String,
    pub expires_at: Timestamp,
}

impl Accounts {
    /// Makes a link with which the account of an address sets a new password once. An earlier link
    /// of the account ends.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], also if the account has none of the `roles`.
    pub async fn create_reset(
        &self,
        site: &SiteId,
        email: &str,
        roles: &[Role],
    ) -> Result<Reset, AccountError> {
        let email = Email::parse(email).ok_or_else(not_an_address)?;
        let site = self.archive.site(site).await?.ok_or(AccountError::UnknownSite)?;
        let user = self.archive.user_by_email(&site.id, email.as_str()).await?;
        let user = user.filter(|user| user.disabled_at.is_none() && roles.contains(&user.role));
        let user = user.ok_or(AccountError::UnknownAccount)?.id;
        let OpaqueToken { token, hash: token_hash } = OpaqueToken::generate();
        let expires_at = after(clock::now(), self.reset_ttl);
        let reset = PasswordReset { user_id: user, token_hash, expires_at };
        self.archive.put_password_reset(&reset).await?;
        let link = format!("{}/reset#{}/{token}", self.base_url, site.site_key);
        Ok(Reset { user, token, link, expires_at })
    }

    /// Uses a link up and sets the password. All sign-ins of the account end.
    ///
    /// # Errors
    /// [`AccountError::TokenInvalid`] for a link that was used, has ended, or is of another site.
    pub async fn reset_password(
        &self,
        site: &Site,
        token: &str,
        new: String,
    ) -> Result<(), AccountError> {
        let new = new_password(new)?;
        let (token, now) = (hash(token)?, clock::now());
        self.limits.of_site(Budget::Logins, &site.id).await?;
        let user = self.archive.user_of_reset(&token, now).await?;
        let user = user.filter(|user| user.disabled_at.is_none() && user.site_id == site.id);
        let user = user.ok_or(AccountError::TokenInvalid)?;
        let password = self.passwords.hash(new).await?;
        if !self.archive.reset_password(&token, user.id, &password, now).await? {
            return Err(AccountError::TokenInvalid);
        }
        if let Some(email) = user.email.as_deref().and_then(Email::parse) {
            self.limits.guessed(&account(&site.id, &email)).await;
        }
        Ok(())
    }
}
