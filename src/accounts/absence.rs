//! Serves new visitors while the archive is unreachable: known sites, and a queue of their refresh
//! tokens.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;

use crate::archive::{RefreshToken, Site};

/// Most waiting tokens. Beyond that the oldest are dropped, and their visitors can chat only until
/// the access token expires.
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
