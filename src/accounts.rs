//! Accounts: visitors, customers, staff and servers, and their tokens.
//!
//! Joins the primitives of `auth` with the rows of the archive. Called by the HTTP layer and by
//! `rushdesk admin`. A visitor has no row in the archive, only a token.

mod absence;
mod error;
mod keyring;

use std::{sync::Arc, time::Duration};

use absence::Absence;
use error::invalid;
use keyring::Keyring;

pub use error::AccountError;

use crate::{
    archive::{
        ApiKey as StoredKey, Archive, ArchiveError, KeyCreation, RecordId,
        RefreshToken as StoredToken, Site, Successor, TokenUse, User,
    },
    auth::{ApiKey, Email, Password, Passwords, RefreshToken, Tokens, oidc, verify_identity},
    clock, config,
    domain::{Principal, PrincipalId, Role, SiteId, Timestamp},
};

/// Refresh tokens that are stored in one round after an outage of the archive.
const TOKENS_AT_ONCE: usize = 200;

#[derive(Clone)]
pub struct Accounts {
    archive: Archive,
    absence: Arc<Absence>,
    tokens: Arc<Tokens>,
    keyring: Arc<Keyring>,
    passwords: Passwords,
    access_ttl: Duration,
    refresh_ttl: Duration,
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
        auth: &config::Auth,
        secrets: &[config::Secret],
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            archive,
            absence: Arc::default(),
            keyring: Arc::new(Keyring::new(&auth.oidc)?),
            tokens: Arc::new(Tokens::new(auth, secrets)),
            passwords: Passwords::new(auth.password_workers),
            access_ttl: auth.access_ttl,
            refresh_ttl: auth.refresh_ttl,
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

    pub async fn visitor(&self, site: &Site) -> Result<Session, AccountError> {
        let id = PrincipalId::new();
        self.open(Principal { id, role: Role::Visitor, site_id: site.id.clone() }).await
    }

    pub async fn register(
        &self,
        site: &Site,
        credentials: Credentials,
        display_name: Option<String>,
    ) -> Result<Session, AccountError> {
        let user = self.new_user(&site.id, Role::Customer, credentials, display_name).await?;
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
        let user = self.new_user(site, role, credentials, None).await?;
        let id = user.id;
        self.insert(user).await?;
        Ok(id)
    }

    async fn new_user(
        &self,
        site: &SiteId,
        role: Role,
        credentials: Credentials,
        display_name: Option<String>,
    ) -> Result<User, AccountError> {
        let email = Email::parse(&credentials.email)
            .ok_or_else(|| invalid("email", "must be an e-mail address"))?;
        let password = Password::parse(credentials.password)?;
        let password_hash = self.passwords.hash(password).await?;
        let now = clock::now();
        Ok(User {
            id: PrincipalId::new(),
            site_id: site.clone(),
            role,
            email: Some(email.as_str().to_owned()),
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

    /// Takes the same time whether the account exists or not.
    pub async fn login(
        &self,
        site: &Site,
        credentials: Credentials,
    ) -> Result<Session, AccountError> {
        let Some(email) = Email::parse(&credentials.email) else {
            return Err(AccountError::Credentials);
        };
        let user = self.archive.user_by_email(&site.id, email.as_str()).await?;
        let user = user.filter(|user| user.disabled_at.is_none());
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let matches = self.passwords.verify(credentials.password, hash).await?;
        let user = user.filter(|_| matches).ok_or(AccountError::Credentials)?;
        self.open(principal(&user)).await
    }

    /// A customer whom the shop's server identifies.
    pub async fn identify(&self, site: &Site, token: &str) -> Result<Session, AccountError> {
        let secret = site.identity_secret.expose().as_bytes();
        let identity = verify_identity(secret, token, clock::now())?;
        if let Some(user) = self.archive.user_by_external_sub(&site.id, &identity.sub).await? {
            return self.open_if_enabled(&user).await;
        }
        let now = clock::now();
        let user = User {
            id: PrincipalId::new(),
            site_id: site.id.clone(),
            role: Role::Customer,
            // The address in the token is not a sign-in name, so it need not be unique.
            email: None,
            external_sub: Some(identity.sub.clone()),
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
                let user = self.archive.user_by_external_sub(&site.id, &identity.sub).await?;
                self.open_if_enabled(&user.ok_or(AccountError::TokenInvalid)?).await
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
        let RefreshToken { token, hash } = RefreshToken::generate();
        let stored = StoredToken {
            id: RecordId::new(),
            family_id: RecordId::new(),
            principal_id: principal.id,
            site_id: principal.site_id.clone(),
            role: principal.role,
            token_hash: hash,
            created_at: now,
            expires_at: self.refresh_end(now),
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

    fn refresh_end(&self, now: Timestamp) -> Timestamp {
        let ttl = i64::try_from(self.refresh_ttl.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(now.as_millis().saturating_add(ttl))
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
        let now = clock::now();
        let RefreshToken { token: next, hash: token_hash } = RefreshToken::generate();
        let expires_at = self.refresh_end(now);
        let successor = Successor { id: RecordId::new(), token_hash, expires_at };
        match self.archive.rotate_refresh_token(&token, &successor, now).await? {
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

/// Longer tokens than ours are refused without hashing.
fn hash(token: &str) -> Result<String, AccountError> {
    if token.len() > 128 {
        return Err(AccountError::TokenInvalid);
    }
    Ok(RefreshToken::hash(token))
}

fn principal(user: &User) -> Principal {
    Principal { id: user.id, role: user.role, site_id: user.site_id.clone() }
}
