//! What new visitors need while the archive is away: the sites, and a place where their refresh tokens wait.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;

use crate::archive::{RefreshToken, Site};

/// Tokens that wait, at most. Beyond that the oldest are lost: their visitors chat until their access token ends.
const MAX_TOKENS: usize = 20_000;

#[derive(Default)]
pub struct Absence {
    sites: ArcSwap<Vec<Site>>,
    tokens: Mutex<VecDeque<RefreshToken>>,
}

impl Absence {
    pub fn remember(&self, sites: Vec<Site>) {
        self.sites.store(sites.into());
    }

    pub fn site(&self, site_key: &str) -> Option<Site> {
        self.sites.load().iter().find(|site| site.site_key == site_key).cloned()
    }

    fn tokens(&self) -> MutexGuard<'_, VecDeque<RefreshToken>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wait(&self, token: RefreshToken) {
        let mut tokens = self.tokens();
        if tokens.len() == MAX_TOKENS {
            tokens.pop_front();
        }
        tokens.push_back(token);
    }

    pub fn oldest(&self, limit: usize) -> Vec<RefreshToken> {
        self.tokens().iter().take(limit).cloned().collect()
    }

    pub fn token(&self, hash: &str) -> Option<RefreshToken> {
        self.tokens().iter().find(|token| token.token_hash == hash).cloned()
    }

    pub fn stored(&self, token: &RefreshToken) {
        self.tokens().retain(|waiting| waiting.id != token.id);
    }
}
