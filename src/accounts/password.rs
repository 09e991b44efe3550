//! Passwords: registration, sign-in, and changing one.

use sha2::{Digest as _, Sha256};

use super::{
    error::{AccountError, invalid, not_an_address},
    handle::Accounts,
    sign_in::Session,
    user::{Named, principal},
};
use crate::{
    archive::Site,
    auth::{Email, Password},
    clock,
    domain::{AddressBlock, Principal, PrincipalId, Role, SiteId, is_blank},
    limits::Budget,
};

/// Longest name of somebody, in characters.
const LONGEST_NAME: usize = 100;

/// An address and a password as a person typed them.
#[derive(Clone)]
pub struct Credentials {
    pub email: String,
    pub password: String,
}

impl Accounts {
    /// A new account, or the one that the address has, for who knows its password: a failure says
    /// what a failed sign-in says. But it shows that there is an account, so a block of addresses
    /// waits longer after each one.
    ///
    /// # Errors
    /// As [`Accounts::login`], and [`AccountError::Invalid`].
    pub async fn register(
        &self,
        site: &Site,
        credentials: Credentials,
        display_name: Option<String>,
        from: Option<AddressBlock>,
    ) -> Result<Session, AccountError> {
        let again = credentials.clone();
        let named = credentials.named()?;
        let block = from.map(|from| name(&site.id, &format!("register {}", from.name())));
        if let Some(block) = &block {
            self.limits.guess(block).await?;
        }
        let registered = self.register_or_login(site, named, again, display_name).await;
        if let Some(block) = &block
            && !matches!(registered, Err(AccountError::Credentials))
        {
            self.limits.unguess(block).await;
        }
        registered
    }

    async fn register_or_login(
        &self,
        site: &Site,
        named: Named,
        again: Credentials,
        display_name: Option<String>,
    ) -> Result<Session, AccountError> {
        if self.archive.user_by_email(&site.id, named.email.as_str()).await?.is_some() {
            return self.login(site, again).await;
        }
        self.limits.of_site(Budget::Logins, &site.id).await?;
        let user = self.new_user(&site.id, Role::Customer, named, display_name).await?;
        let principal = principal(&user);
        match self.insert(user).await {
            // Somebody else was faster.
            Err(AccountError::Taken) => self.login(site, again).await,
            other => {
                other?;
                self.open(principal).await
            }
        }
    }

    /// Creates an account for staff, whose name shoppers read.
    ///
    /// # Errors
    /// [`AccountError::Invalid`], also where the name has no visible character.
    pub async fn create_staff(
        &self,
        site: &SiteId,
        role: Role,
        credentials: Credentials,
        name: Option<String>,
    ) -> Result<PrincipalId, AccountError> {
        if self.archive.site(site).await?.is_none() {
            return Err(AccountError::UnknownSite);
        }
        let is_name = |name: &String| {
            (1..=LONGEST_NAME).contains(&name.chars().count())
                && !is_blank(name)
                && !name.contains(char::is_control)
        };
        if name.as_ref().is_some_and(|name| !is_name(name)) {
            let detail = "must have 1 to 100 characters that can be read; leave it out for none";
            return Err(invalid("name", detail));
        }
        let user = self.new_user(site, role, credentials.named()?, name).await?;
        let id = user.id;
        self.insert(user).await?;
        Ok(id)
    }

    /// Takes the same time, and waits as long after wrong guesses, whether the account exists or
    /// not.
    pub async fn login(
        &self,
        site: &Site,
        credentials: Credentials,
    ) -> Result<Session, AccountError> {
        let Credentials { email, password } = credentials;
        let email = Email::parse(&email).ok_or(AccountError::Credentials)?;
        let user = self
            .guarded(&site.id, &email, async {
                let user = self.archive.user_by_email(&site.id, email.as_str()).await?;
                let user = user.filter(|user| user.disabled_at.is_none());
                let hash = user.as_ref().and_then(|user| user.password_hash.clone());
                let matches = self.passwords.verify(password, hash).await?;
                user.filter(|_| matches).ok_or(AccountError::Credentials)
            })
            .await?;
        self.open(principal(&user)).await
    }

    /// Checks a password as one guess of this account. A guess that was not checked costs nothing,
    /// and a right one forgets the wrong ones before it.
    async fn guarded<T>(
        &self,
        site: &SiteId,
        email: &Email,
        check: impl Future<Output = Result<T, AccountError>>,
    ) -> Result<T, AccountError> {
        let account = account(site, email);
        self.limits.guess(&account).await?;
        let checked = async {
            self.limits.of_site(Budget::Logins, site).await?;
            check.await
        };
        let checked = checked.await;
        match &checked {
            Ok(_) => self.limits.guessed(&account).await,
            Err(AccountError::Credentials) => {}
            Err(_) => self.limits.unguess(&account).await,
        }
        checked
    }

    /// Sets a new password for somebody who knows the current one. All sign-ins of the account end;
    /// the caller gets a new one.
    ///
    /// # Errors
    /// [`AccountError::NoPassword`], [`AccountError::Invalid`] if the current one is wrong.
    pub async fn change_password(
        &self,
        caller: &Principal,
        current: String,
        new: String,
    ) -> Result<Session, AccountError> {
        let new = new_password(new)?;
        let user = match caller.role {
            Role::Customer | Role::Agent | Role::Admin => self.archive.user(caller.id).await?,
            Role::Visitor | Role::Server => None,
        };
        let user = user.filter(|user| user.disabled_at.is_none());
        let user = user.ok_or(AccountError::NoPassword)?;
        let email = user.email.as_deref().and_then(Email::parse);
        let (Some(email), Some(hash)) = (email, user.password_hash.clone()) else {
            return Err(AccountError::NoPassword);
        };
        let check = async {
            let matches = self.passwords.verify(current, Some(hash)).await?;
            matches.then_some(()).ok_or(AccountError::Credentials)
        };
        let checked = self.guarded(&user.site_id, &email, check).await;
        checked.map_err(|error| {
            // Not a 401, after which a client would refresh its token and try again.
            let is_wrong = matches!(error, AccountError::Credentials);
            if is_wrong { invalid("current_password", "is wrong") } else { error }
        })?;
        let hash = self.passwords.hash(new).await?;
        if !self.archive.change_password(user.id, &hash, clock::now()).await? {
            return Err(AccountError::NoPassword);
        }
        self.open(principal(&user)).await
    }
}

impl Credentials {
    /// An address and a password that can be those of an account.
    fn named(self) -> Result<Named, AccountError> {
        let email = Email::parse(&self.email).ok_or_else(not_an_address)?;
        Ok(Named { email, password: Password::parse(self.password)? })
    }
}

pub(super) fn new_password(text: String) -> Result<Password, AccountError> {
    Password::parse(text).map_err(|_| invalid("new_password", "must have 8 to 256 characters"))
}

/// The name of an account in the limits. It does not show the address.
pub(super) fn account(site: &SiteId, email: &Email) -> String {
    name(site, email.as_str())
}

fn name(site: &SiteId, of: &str) -> String {
    // No site has this character.
    hex::encode(Sha256::digest(format!("{site} {of}")))
}
