//! The limiter of one process: governor's GCRA over a bounded number of keys.

use std::{hash::Hash, time::Duration};

use governor::{
    Quota as GovernorQuota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};

use super::{
    quota::{Limited, Quota},
    rate::{Rate, Rates},
    tats::Tats,
};
use crate::domain::{PrincipalId, SiteId};

pub struct Local<C: Clock = DefaultClock> {
    visitors: Keyed<PrincipalId, C>,
    sites: Keyed<SiteId, C>,
    logins: Keyed<SiteId, C>,
}

/// One limit, applied to each key.
struct Keyed<K: Eq + Hash + Clone, C: Clock> {
    rate: Rate,
    tats: Tats<K>,
    limiter: RateLimiter<K, Tats<K>, C, StateInformationMiddleware>,
}

impl Local {
    pub fn new(rates: Rates, max_keys: usize) -> Self {
        Self::with_clock(rates, max_keys, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> Local<C> {
    pub fn with_clock(rates: Rates, max_keys: usize, clock: &C) -> Self {
        Self {
            visitors: Keyed::new(rates.visitor, max_keys, clock),
            sites: Keyed::new(rates.site, max_keys, clock),
            logins: Keyed::new(rates.logins, max_keys, clock),
        }
    }

    /// Checks the visitor first, so that a refused visitor does not use up the site's quota.
    pub fn message(&self, site: &SiteId, visitor: PrincipalId) -> Result<Quota, Limited> {
        let quota = self.visitors.check(&visitor)?;
        self.sites.check(site).inspect_err(|_| self.visitors.tats.refund(&visitor))?;
        Ok(quota)
    }

    /// Undoes [`Local::message`].
    pub fn give_back(&self, site: &SiteId, visitor: PrincipalId) {
        self.visitors.tats.refund(&visitor);
        self.sites.tats.refund(site);
    }

    pub fn login(&self, site: &SiteId) -> Result<(), Limited> {
        self.logins.check(site).map(drop)
    }

    #[cfg(test)]
    pub fn visitors(&self) -> usize {
        self.visitors.tats.len()
    }
}

impl<K: Eq + Hash + Clone, C: Clock + Clone> Keyed<K, C> {
    fn new(rate: Rate, max_keys: usize, clock: &C) -> Self {
        let tats = Tats::new(rate.interval, max_keys);
        // `with_period` fails only for zero, and an interval is never zero.
        let quota = GovernorQuota::with_period(rate.interval)
            .unwrap_or(GovernorQuota::per_second(rate.burst))
            .allow_burst(rate.burst);
        let limiter = RateLimiter::new(quota, tats.clone(), clock.clone());
        Self { rate, tats, limiter }
    }

    fn check(&self, key: &K) -> Result<Quota, Limited> {
        match self.limiter.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.rate.burst.get().saturating_sub(remaining);
                Ok(self.rate.quota(remaining, self.rate.interval * used))
            }
            Err(until) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                Err(self.rate.limited(wait.max(Duration::from_nanos(1))))
            }
        }
    }
}
