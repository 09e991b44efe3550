//! How much one visitor and one site may ask for.
//!
//! Owns the counts and the answer "yes, and this is what is left" or "no, come back then". The HTTP layer asks before it
//! admits a message or a sign-in. In distributed mode the counts live in Redis and hold across replicas; while Redis is
//! away each replica counts alone, so that a limiter never takes the service down.
//!
//! It never counts by address, for a school or an office is one address, and it never blocks or queues anybody.

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
    /// Requests that a whole quota holds.
    pub limit: u32,
    pub remaining: u32,
    /// Until the quota is whole again if nothing more is asked.
    pub reset: Duration,
    /// Value of the `RateLimit-Policy` header: `"visitor";q=20;w=720`, that is 20 requests in 720 seconds.
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
    /// The same request is admitted after this time if nobody else takes its place.
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
    /// Where `store.redis_url` is no address.
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

    /// Undoes [`Limits::message`], for a message that was not taken after all. Where Redis went or came back meanwhile,
    /// another count than the one it was taken from may be off by this one request.
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
