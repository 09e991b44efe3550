//! The limiter of one process: governor's GCRA over a bounded number of counters.

use std::time::Duration;

use governor::{
    Quota as GovernorQuota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};

use super::{
    claim::Claim,
    quota::{Limited, Quota, Scope},
    rate::{Rate, Rates},
    tats::Tats,
};

pub struct Local<C: Clock = DefaultClock>([Counters<C>; Scope::COUNTED.len()]);

/// One limit with its counters.
struct Counters<C: Clock> {
    rate: Rate,
    tats: Tats<String>,
    limiter: RateLimiter<String, Tats<String>, C, StateInformationMiddleware>,
}

impl Local {
    pub fn new(rates: &Rates, max_keys: usize) -> Self {
        Self::with_clock(rates, max_keys, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> Local<C> {
    pub fn with_clock(rates: &Rates, max_keys: usize, clock: &C) -> Self {
        Self(rates.each(|rate| Counters::new(rate, max_keys, clock)))
    }

    /// Takes one request from each of the claimed counters, or from none. The quota is that of the
    /// first.
    pub fn take(&self, claims: &[Claim]) -> Result<Option<Quota>, Limited> {
        let mut quota = None;
        for (taken, claim) in claims.iter().enumerate() {
            let of_claim = self.counters(claim).check(&claim.name);
            let of_claim = of_claim.inspect_err(|_| self.give_back(&claims[..taken]))?;
            quota.get_or_insert(of_claim);
        }
        Ok(quota)
    }

    /// Undoes [`Local::take`].
    pub fn give_back(&self, claims: &[Claim]) {
        claims.iter().for_each(|claim| self.counters(claim).tats.refund(&claim.name));
    }

    fn counters(&self, claim: &Claim) -> &Counters<C> {
        self.0.get(claim.scope as usize).unwrap_or(&self.0[0])
    }

    #[cfg(test)]
    pub fn visitors(&self) -> usize {
        self.0[Scope::Visitor as usize].tats.len()
    }
}

impl<C: Clock + Clone> Counters<C> {
    fn new(rate: &Rate, max_keys: usize, clock: &C) -> Self {
        let tats = Tats::new(rate.interval, max_keys);
        // `with_period` fails only for zero, and an interval is never zero.
        let quota = GovernorQuota::with_period(rate.interval)
            .unwrap_or(GovernorQuota::per_second(rate.burst))
            .allow_burst(rate.burst);
        let limiter = RateLimiter::new(quota, tats.clone(), clock.clone());
        Self { rate: rate.clone(), tats, limiter }
    }

    fn check(&self, name: &String) -> Result<Quota, Limited> {
        match self.limiter.check_key(name) {
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
