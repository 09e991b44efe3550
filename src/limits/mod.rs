//! Rate limits of visitors and sites.
//!
//! The HTTP layer asks before it admits a message or a sign-in, and gets the remaining quota or the
//! time to wait. In distributed mode all replicas count in Redis. While Redis is unreachable each
//! replica counts alone, so that the limits never take the service down.
//!
//! It never counts by IP address, since a school or an office may share one, and it never blocks or
//! queues a request.

mod local;
mod metrics;
mod rate;
mod shared;
mod tats;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

pub use self::metrics::METRICS;
use self::{local::Local, rate::Rates, shared::Shared};
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

/// What a visitor has left; feeds the headers of
/// [draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/)
/// in the form it has since revision 08 (structured fields, one item for each policy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests in a full quota.
    pub limit: u32,
    pub remaining: u32,
    /// Time until the quota is full again without further requests.
    pub reset: Duration,
    /// Value of the `RateLimit-Policy` header: `"visitor";q=20;w=720`, that is 20 requests in 720
    /// seconds.
    pub policy: String,
}

impl Quota {
    /// Value of the `RateLimit` header: `"visitor";r=19;t=36`.
    pub fn header(&self) -> String {
        let seconds = rate::whole_seconds(self.reset);
        format!("\"{}\";r={};t={seconds}", Scope::Visitor.as_str(), self.remaining)
    }
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limit of the {} reached", scope.as_str())]
pub struct Limited {
    /// The request is admitted after this time, unless others use the quota first.
    pub retry_after: Duration,
    pub scope: Scope,
}

/// Which limit it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Visitor,
    Site,
    Logins,
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Site => "site",
            Self::Logins => "logins",
        }
    }
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

    /// Takes one message from the quotas of the visitor and of the site, or from neither.
    pub async fn message(&self, site: &SiteId, visitor: PrincipalId) -> Result<Quota, Limited> {
        let Inner { local, shared } = &*self.0;
        let decided = match shared {
            Some(shared) => shared.message(site, visitor).await,
            None => None,
        };
        decided.unwrap_or_else(|| local.message(site, visitor)).inspect_err(metrics::refused)
    }

    /// Undoes [`Limits::message`] for a message that was not admitted. If Redis became unreachable
    /// or reachable meanwhile, a different count may be off by one.
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
