//! Accounts: visitors, customers, staff and servers, and their tokens.
//!
//! Joins the primitives of `auth` with the rows of the archive. Called by the HTTP layer and by
//! `rushdesk admin`. A visitor has no row in the archive, only a token.

mod absence;
mod error;
mod keyring;
mod newcomer;

use std::{sync::Arc, time::Duration};

use absence::Absence;
use error::invalid;
use keyring::Keyring;
use sha2::{Digest as _, Sha256};

pub use error::AccountError;
pub use newcomer::Proof;

use crate::{
    archive::{
        ApiKey as StoredKey, Archive, ArchiveError, KeyCreation, PasswordReset, RecordId,
        RefreshToken as StoredToken, Site, Successor, TokenUse, User,
    },
    auth::{ApiKey, Email, OpaqueToken, Password, Passwords, Tokens, oidc, verify_identity},
    clock, config,
    domain::{Principal, PrincipalId, Role, SiteId, Timestamp},
    limits::{Budget, Limited, Limits},
};

/// Ended tokens that are deleted in one transaction, and how many of them in one round.
const DELETED_AT_ONCE: u32 = 500;
const DELETIONS: usize = 200;
/// Refresh tokens that are stored in one round after an outage of the archive.
const TOKENS_AT_ONCE: usize = 200;

#[derive(Clone)]
pub struct Accounts {
    archive: Archive,
    limits: Limits,
    absence: Arc<Absence>,
    tokens: Arc<Tokens>,
    keyring: Arc<Keyring>,
    passwords: Passwords,
    audience: String,
    /// Where people reach this service.
    base_url: String,
    access_ttl: Duration,
    refresh_ttl: Duration,
    reset_ttl: Duration,
    proof_bits: u8,
}

/// An address and a password as a person typed them.
pub struct Credentials {
    pub email: String,
    pub password: String,
}

/// The caller behind a valid token or API key.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    /// When the token ends; API keys do not.
    pub expires_at: Option<Timestamp>,
}

/// A one-time link for a new password. It is shown once.
pub struct Reset {
    pub user: PrincipalId,
    pub token: String,
    /// A page for a person. The token is behind the `#`, which browsers send to nobody.
    pub link: String,
    pub expires_at: Timestamp,
}

/// What a signed-in principal holds.
pub struct Session {
    pub principal: Principal,
    pub access_token: String,
    pub expires_in: Duration,
    pub refresh_token: String,
}

impl Accounts {
    /// `secrets` sign and check tokens: the first signs.
    ///
    /// # Errors
    /// If the TLS client for the identity providers cannot be created.
    pub fn new(
        archive: Archive,
        limits: Limits,
        config: &config::Config,
        secrets: &[config::Secret],
    ) -> Result<Self, reqwest::Error> {
        let auth = &config.auth;
        Ok(Self {
            archive,
            limits,
            absence: Arc::default(),
            keyring: Arc::new(Keyring::new(&auth.oidc)?),
            tokens: Arc::new(Tokens::new(auth, secrets)),
            passwords: Passwords::new(auth.password_workers),
            audience: auth.audience.clone(),
            base_url: config.server.base_url(),
            access_ttl: auth.access_ttl,
            refresh_ttl: auth.refresh_ttl,
            reset_ttl: auth.reset_ttl,
            proof_bits: config.limits.proof_bits,
        })
    }

    /// As [`Tokens::replace_secrets`].
    pub fn replace_secrets(&self, secrets: &[config::Secret]) {
        self.tokens.replace_secrets(secrets);
    }

    /// The caller behind an access token, a token of an identity provider or an API key.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, AccountError> {
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

    /// The site of a public key. While the archive is unreachable, known sites keep working.
    pub async fn site(&self, site_key: &str) -> Result<Site, AccountError> {
        if site_key.is_empty() || site_key.len() > 128 {
            return Err(AccountError::UnknownSite);
        }
        match self.archive.site_by_key(site_key).await {
            Ok(site) => site.ok_or(AccountError::UnknownSite),
            Err(error) if error.is_away() => {
                self.absence.site(site_key).ok_or(AccountError::Archive(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers the sites for an outage of the archive, and stores tokens from the last one.
    pub async fn refresh_absence(&self, sites: Vec<Site>) {
        self.absence.remember(sites);
        let _ = self.store_waiting().await;
    }

    /// Stores refresh tokens that were issued during an outage, a bounded number at a time.
    async fn store_waiting(&self) -> Result<(), ArchiveError> {
        for token in self.absence.oldest(TOKENS_AT_ONCE) {
            self.store(&token).await?;
        }
        Ok(())
    }

    async fn store(&self, token: &StoredToken) -> Result<(), ArchiveError> {
        match self.archive.insert_refresh_token(token).await {
            Ok(()) | Err(ArchiveError::Conflict) => {
                self.absence.stored(token);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// A new visitor. `owed` is the refusal of the block of addresses from which it comes.
    ///
    /// # Errors
    /// [`AccountError::ProofRequired`] in a flood of new visitors, [`AccountError::Limited`].
    pub async fn visitor(
        &self,
        site: &Site,
        proof: Option<Proof>,
        owed: Option<Limited>,
    ) -> Result<Session, AccountError> {
        let (limits, bits) = (&self.limits, self.proof_bits);
        newcomer::admit(limits, &self.tokens, bits, &site.id, proof, owed).await?;
        let id = PrincipalId::new();
        self.open(Principal { id, role: Role::Visitor, site_id: site.id.clone() }).await
    }

    pub async fn register(
        &self,
        site: &Site,
        credentials: Credentials,
        display_name: Option<String>,
    ) -> Result<Session, AccountError> {
        let named = Named::parse(credentials)?;
        self.limits.of_site(Budget::Logins, &site.id).await?;
        let user = self.new_user(&site.id, Role::Customer, named, display_name).await?;
        let principal = principal(&user);
        self.insert(user).await?;
        self.open(principal).await
    }

    /// Creates an account for staff.
    pub async fn create_staff(
        &self,
        site: &SiteId,
        role: Role,
        credentials: Credentials,
    ) -> Result<PrincipalId, AccountError> {
        if self.archive.site(site).await?.is_none() {
            return Err(AccountError::UnknownSite);
        }
        let user = self.new_user(site, role, Named::parse(credentials)?, None).await?;
        let id = user.id;
        self.insert(user).await?;
        Ok(id)
    }

    async fn new_user(
        &self,
        site: &SiteId,
        role: Role,
        named: Named,
        display_name: Option<String>,
    ) -> Result<User, AccountError> {
        let Named { email, password } = named;
        let password_hash = self.passwords.hash(password).await?;
        let now = clock::now();
        Ok(User {
            id: PrincipalId::new(),
            site_id: site.clone(),
            role,
            email: Some(email.as_str().to_owned()),
            external_iss: None,
            external_sub: None,
            display_name,
            password_hash: Some(password_hash),
            created_at: now,
            updated_at: now,
            disabled_at: None,
        })
    }

    async fn insert(&self, user: User) -> Result<(), AccountError> {
        match self.archive.create_user(&user).await {
            Err(ArchiveError::Conflict) => Err(AccountError::Taken),
            other => Ok(other?),
        }
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

    /// Checks a password as one guess of this account. A guess that nobody checked costs nothing,
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

    /// Deletes refresh tokens and links after their end, a bounded number at a time.
    pub async fn delete_ended(&self) -> Result<(), ArchiveError> {
        for _ in 0..DELETIONS {
            let deleted = self.archive.delete_ended_tokens(clock::now(), DELETED_AT_ONCE).await?;
            if deleted < DELETED_AT_ONCE as usize {
                break;
            }
        }
        Ok(())
    }

    /// A customer whom the shop's server identifies.
    pub async fn identify(&self, site: &Site, token: &str) -> Result<Session, AccountError> {
        let secret = site.identity_secret.expose().as_bytes();
        let identity = verify_identity(secret, &self.audience, token, clock::now())?;
        self.limits.of_site(Budget::Logins, &site.id).await?;
        let (iss, sub) = (&*identity.iss, &*identity.sub);
        let known = async || self.archive.user_by_identity(&site.id, iss, sub).await;
        if let Some(user) = known().await? {
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

    async fn open(&self, principal: Principal) -> Result<Session, AccountError> {
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
                let principal =
                    Principal { id: used.principal_id, role: used.role, site_id: used.site_id };
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

    /// Creates an API key of a site. At most two are active at a time. The key is shown once.
    pub async fn create_key(
        &self,
        site: &SiteId,
        name: &str,
    ) -> Result<Option<(StoredKey, String)>, AccountError> {
        let key = ApiKey::generate();
        let stored = StoredKey {
            id: RecordId::new(),
            site_id: site.clone(),
            name: name.to_owned(),
            prefix: key.prefix().to_owned(),
            key_hash: key.hash(),
            created_at: clock::now(),
            revoked_at: None,
        };
        Ok(match self.archive.create_api_key(&stored).await? {
            KeyCreation::Created => Some((stored, key.expose())),
            KeyCreation::TwoActive => None,
        })
    }
}

/// An address and a password that can be those of an account.
struct Named {
    email: Email,
    password: Password,
}

impl Named {
    fn parse(credentials: Credentials) -> Result<Self, AccountError> {
        let email = Email::parse(&credentials.email).ok_or_else(not_an_address)?;
        Ok(Self { email, password: Password::parse(credentials.password)? })
    }
}

fn not_an_address() -> AccountError {
    invalid("email", "must be an e-mail address without invisible characters")
}

fn new_password(text: String) -> Result<Password, AccountError> {
    Password::parse(text).map_err(|_| invalid("new_password", "must have 8 to 256 characters"))
}

/// The name of an account in the limits. It does not show the address.
fn account(site: &SiteId, email: &Email) -> String {
    // No site has this character.
    hex::encode(Sha256::digest(format!("{site} {}", email.as_str())))
}

/// Text that cannot be a token is refused without asking the archive.
fn hash(token: &str) -> Result<String, AccountError> {
    if !OpaqueToken::is_form_of(token) {
        return Err(AccountError::TokenInvalid);
    }
    Ok(OpaqueToken::hash(token))
}

fn after(now: Timestamp, span: Duration) -> Timestamp {
    let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_add(span))
}

fn principal(user: &User) -> Principal {
    Principal { id: user.id, role: user.role, site_id: user.site_id.clone() }
}
