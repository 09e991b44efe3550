//! The parts that all questions about accounts share.

use std::{sync::Arc, time::Duration};

use super::{absence::Absence, keyring::Keyring};
use crate::{
    archive::{Archive, ArchiveError},
    auth::{Erased, Passwords, Tokens},
    clock, config,
    domain::PrincipalId,
    limits::Limits,
};

/// Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(super) archive: Archive,
    pub(super) limits: Limits,
    pub(super) absence: Arc<Absence>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) passwords: Passwords,
    pub(super) audience: String,
    /// Where people reach this service.
    pub(super) base_url: String,
    pub(super) access_ttl: Duration,
    pub(super) refresh_ttl: Duration,
    pub(super) reset_ttl: Duration,
    pub(super) proof_bits: u8,
    pub(super) erased: Arc<Erased>,
    /// Staff, of whom nothing is erased.
    pub(super) disabled: Arc<Erased>,
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
            erased: Arc::new(Erased::new(auth.access_ttl)),
            disabled: Arc::new(Erased::new(auth.access_ttl)),
        })
    }

    /// As [`Tokens::replace_secrets`].
    pub fn replace_secrets(&self, secrets: &[config::Secret]) {
        self.tokens.replace_secrets(secrets);
    }

    /// The people whose tokens are refused.
    pub fn erased(&self) -> Arc<Erased> {
        Arc::clone(&self.erased)
    }

    /// Refuses the tokens of people who were erased before this process started. To be called after
    /// the first beat, which hears of everybody who is erased from then on.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn recall_erased(&self) -> Result<(), ArchiveError> {
        let (life, most) = (self.erased.life(), Erased::MOST + 1);
        let newest = self.archive.newest_erasures(life, most).await?;
        self.forget(&newest);
        Ok(())
    }

    /// Refuses the tokens of these people from now on: they were erased.
    pub fn forget(&self, people: &[PrincipalId]) {
        self.erased.add(people, clock::now());
    }
}
