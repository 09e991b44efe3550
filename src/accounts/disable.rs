//! Staff who leave the shop.

use super::{
    error::{AccountError, not_an_address},
    handle::Accounts,
};
use crate::{
    archive::ArchiveError,
    auth::{Email, Standing},
    clock,
    domain::{PrincipalId, Role, SiteId},
};

impl Accounts {
    /// Disables the account of an agent or admin, for good. Every process refuses its tokens as soon
    /// as it has followed ([`Accounts::follow_disabled`]).
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], also for other roles.
    pub async fn disable(&self, site: &SiteId, email: &str) -> Result<PrincipalId, AccountError> {
        let email = Email::parse(email).ok_or_else(not_an_address)?;
        let user = self.archive.user_by_email(site, email.as_str()).await?;
        let user = user.filter(|user| matches!(user.role, Role::Agent | Role::Admin));
        let user = user.ok_or(AccountError::UnknownAccount)?.id;
        self.archive.disable(user, clock::now()).await?;
        Ok(user)
    }

    /// Refuses the tokens of those who were disabled since the oldest token that lives. To be called
    /// before the first request, and then again and again.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn follow_disabled(&self) -> Result<(), ArchiveError> {
        let now = clock::now();
        let disabled = self.archive.disabled_since(now.before(self.disabled.life())).await?;
        self.disabled.add(&disabled, now);
        Ok(())
    }

    /// Whether this account was disabled lately.
    pub fn is_disabled(&self, id: PrincipalId) -> bool {
        self.disabled.standing(id, clock::now()) == Standing::Erased
    }
}
