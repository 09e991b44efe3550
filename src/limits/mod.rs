//! Rate limits of visitors, sites, blocks of addresses and accounts.
//!
//! The HTTP layer calls this before it admits a message or a request for tokens, and gets the
//! remaining quota or the time to wait. In distributed mode all replicas count in Redis. While
//! Redis is unreachable each replica counts by itself, so that the limits never take the service
//! down.
//!
//! A block of addresses is a second bound and never the only one, since a school or an office may
//! share an address. This never blocks or queues a request.

mod claim;
mod guess;
mod local;
mod metrics;
mod quota;
mod rate;
mod shared;
mod tats;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::time::Instant;

pub use self::{
    claim::Budget,
    metrics::METRICS,
    quota::{Limited, Quota, Scope},
};
use self::{
    claim::Claim,
    guess::{Guesses, Waits},
    local::Local,
    rate::Rates,
    shared::{Guess, Shared},
};
use crate::{
    config::{self, AddressFault},
    domain::{AddressBlock, PrincipalId, SiteId},
};

/// The limiter of this process; clones share their counts.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    local: Local,
    guesses: Guesses,
    shared: Option<Shared>,
}

/// The quotas that a message was taken from.
#[must_use]
pub struct Taken {
    claims: Vec<Claim>,
    /// That of the visitor.
    pub quota: Option<Quota>,
}

impl Limits {
    /// Counts in this process only.
    pub fn local(limits: &config::Limits) -> Self {
        Self::new(limits, None)
    }

    /// Counts in Redis for all replicas. Does not connect yet.
    ///
    /// # Errors
    /// If `store.redis_url` is not an address.
    pub fn shared(limits: &config::Limits, store: &config::Store) -> Result<Self, AddressFault> {
        let shared = Shared::new(Rates::new(limits), Waits::new(limits), store)?;
        Ok(Self::new(limits, Some(shared)))
    }

    fn new(limits: &config::Limits, shared: Option<Shared>) -> Self {
        Self(Arc::new(Inner {
            local: Local::new(&Rates::new(limits), limits.max_keys),
            guesses: Guesses::new(Waits::new(limits), limits.max_keys),
            shared,
        }))
    }

    /// Takes one message from the quotas of the visitor, of the block of addresses if it is known,
    /// and of the site; or from none of them.
    pub async fn message(
        &self,
        site: &SiteId,
        visitor: PrincipalId,
        from: Option<AddressBlock>,
    ) -> Result<Taken, Limited> {
        let claims = Claim::message(site, visitor, from);
        let quota = self.take(&claims).await?;
        Ok(Taken { claims, quota })
    }

    /// Undoes [`Limits::message`] for a message that was not admitted. If Redis became unreachable
    /// or reachable in between, another counter may be off by one.
    pub async fn give_back(&self, taken: &Taken) {
        let Inner { local, shared, .. } = &*self.0;
        let given = match shared {
            Some(shared) => shared.give_back(&taken.claims).await,
            None => false,
        };
        if !given {
            local.give_back(&taken.claims);
        }
    }

    /// Takes one new session from the quotas of the visitor, of the block of addresses, and of the
    /// site; or from none of them. A server of the shop has no quota of its own.
    pub async fn session(
        &self,
        site: &SiteId,
        visitor: Option<PrincipalId>,
        from: Option<AddressBlock>,
    ) -> Result<(), Limited> {
        self.take(&Claim::session(site, visitor, from)).await.map(drop)
    }

    /// Takes one request for a session that is there, as [`Limits::session`] does. Each process
    /// counts by itself, since it is its memory that the request takes.
    pub fn read(
        &self,
        site: &SiteId,
        visitor: Option<PrincipalId>,
        from: Option<AddressBlock>,
    ) -> Result<(), Limited> {
        let taken = self.0.local.take(&Claim::read(site, visitor, from));
        taken.map(drop).inspect_err(metrics::refused)
    }

    /// Takes one request for tokens from the budget of a block of addresses, if it is known.
    pub async fn of_address(
        &self,
        budget: Budget,
        from: Option<AddressBlock>,
    ) -> Result<(), Limited> {
        match from {
            Some(from) => self.take(&[Claim::of_address(budget, from)]).await.map(drop),
            None => Ok(()),
        }
    }

    /// Takes one request for tokens from the budget of the site.
    pub async fn of_site(&self, budget: Budget, site: &SiteId) -> Result<(), Limited> {
        self.take(&[Claim::of_site(budget, site)]).await.map(drop)
    }

    /// Takes one of the site's new visitors that need no proof of work.
    pub async fn free_visitor(&self, site: &SiteId) -> Result<(), Limited> {
        self.take(&[Claim::free_visitor(site)]).await.map(drop)
    }

    /// Takes one refresh from the budgets of the principal and of the site, or from neither.
    pub async fn refresh(&self, site: &SiteId, of: PrincipalId) -> Result<(), Limited> {
        let claims = [Claim::refresh(site, of), Claim::of_site(Budget::Refreshes, site)];
        self.take(&claims).await.map(drop)
    }

    /// Whether a solved challenge is used for the first time, for as long as one lives.
    pub async fn first_use(&self, site: &SiteId, challenge: &str) -> bool {
        self.take(&[Claim::proof(site, challenge)]).await.is_ok()
    }

    /// Counts a guess of an account's password before it is checked. The account need not exist.
    pub async fn guess(&self, account: &str) -> Result<(), Limited> {
        let decided = self.guess_shared(account, Guess::Take).await;
        decided
            .unwrap_or_else(|| self.0.guesses.take(account, Instant::now()))
            .inspect_err(metrics::refused)
    }

    /// Undoes [`Limits::guess`] for a guess that was not checked.
    pub async fn unguess(&self, account: &str) {
        if self.guess_shared(account, Guess::GiveBack).await.is_none() {
            self.0.guesses.give_back(account, Instant::now());
        }
    }

    /// The guess was right: the account has all its guesses again.
    pub async fn guessed(&self, account: &str) {
        // This process may have counted alone for a while.
        self.0.guesses.forget(account);
        self.guess_shared(account, Guess::Forget).await;
    }

    async fn guess_shared(&self, account: &str, what: Guess) -> Option<Result<(), Limited>> {
        self.0.shared.as_ref()?.guess(account, what).await
    }

    async fn take(&self, claims: &[Claim]) -> Result<Option<Quota>, Limited> {
        let Inner { local, shared, .. } = &*self.0;
        let decided = match shared {
            Some(shared) => shared.take(claims).await,
            None => None,
        };
        decided.unwrap_or_else(|| local.take(claims)).inspect_err(metrics::refused)
    }
}
