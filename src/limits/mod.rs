//! Rate limits of visitors and sites.
//!
//! The HTTP layer calls this before it admits a message or a sign-in, and gets the remaining quota
//! or the time to wait. In distributed mode all replicas count in Redis. While Redis is unreachable
//! each replica counts by itself, so that the limits never take the service down.
//!
//! It never counts by IP address, since a school or an office may share one, and it never blocks or
//! queues a request.

mod local;
mod metrics;
mod quota;
mod rate;
mod shared;
mod tats;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::{local::Local, rate::Rates, shared::Shared};
pub use self::{
    metrics::METRICS,
    quota::{Limited, Quota, Scope},
};
use crate::{
    config::{self, AddressFault},
    domain::{PrincipalId, SiteId},
};

/// The limiter of this process; clones share their counts.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    local: Local,
    shared: Option<Shared>,
}

impl Limits {
    /// Counts in this process only.
    pub fn local(limits: &config::Limits) -> Self {
        let local = Local::new(Rates::new(limits), limits.max_keys);
        Self(Arc::new(Inner { local, shared: None }))
    }

    /// Counts in Redis for all replicas. Does not connect yet.
    ///
    /// # Errors
    /// If `store.redis_url` is not an address.
    pub fn shared(limits: &config::Limits, store: &config::Store) -> Result<Self, AddressFault> {
        let rates = Rates::new(limits);
        let shared = Some(Shared::new(rates.clone(), store)?);
        let local = Local::new(rates, limits.max_keys);
        Ok(Self(Arc::new(Inner { local, shared })))
    }

    /// Takes one message from the quotas of both the visitor and the site, or from neither.
    pub async fn message(&self, site: &SiteId, visitor: PrincipalId) -> Result<Quota, Limited> {
        let Inner { local, shared } = &*self.0;
        let decided = match shared {
            Some(shared) => shared.message(site, visitor).await,
            None => None,
        };
        decided.unwrap_or_else(|| local.message(site, visitor)).inspect_err(metrics::refused)
    }

    /// Undoes [`Limits::message`] for a message that was not admitted. If Redis became unreachable
    /// or reachable in between, another counter may be off by one.
    pub async fn give_back(&self, site: &SiteId, visitor: PrincipalId) {
        let Inner { local, shared } = &*self.0;
        let given = match shared {
            Some(shared) => shared.give_back(site, visitor).await,
            None => false,
        };
        if !given {
            local.give_back(site, visitor);
        }
    }

    /// Takes one sign-in, registration or new visitor from the quota of the site.
    pub async fn login(&self, site: &SiteId) -> Result<(), Limited> {
        let Inner { local, shared } = &*self.0;
        let decided = match shared {
            Some(shared) => shared.login(site).await,
            None => None,
        };
        decided.unwrap_or_else(|| local.login(site)).inspect_err(metrics::refused)
    }
}
