//! The limits as GCRA parameters: one request each `interval`, and up to `burst` at once.

use std::{num::NonZeroU32, time::Duration};

use super::quota::{Limited, Quota, Scope, whole_seconds};
use crate::config;

/// A used challenge is remembered for longer than one lives.
const PROOF_MEMORY: Duration = Duration::from_secs(240);
/// How many seconds' worth of visitors may come at once before one needs a proof of work: a page
/// that is shown on television must not ask its first viewers for work.
const FREE_BURST: u32 = 10;

#[derive(Clone, Debug)]
pub struct Rate {
    pub scope: Scope,
    /// One more request is allowed after this time.
    pub interval: Duration,
    /// How many requests can be saved up.
    pub burst: NonZeroU32,
}

/// The rate of each limit.
#[derive(Clone, Debug)]
pub struct Rates([Rate; Scope::COUNTED.len()]);

impl Rates {
    pub fn new(limits: &config::Limits) -> Self {
        Self(Scope::COUNTED.map(|scope| Rate::of(scope, limits)))
    }

    /// [`Scope::Account`] has no rate; it gets the first one.
    pub fn of(&self, scope: Scope) -> &Rate {
        self.0.get(scope as usize).unwrap_or(&self.0[0])
    }

    pub fn each<T>(&self, work: impl FnMut(&Rate) -> T) -> [T; Scope::COUNTED.len()] {
        self.0.each_ref().map(work)
    }
}

impl Rate {
    fn of(scope: Scope, limits: &config::Limits) -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        const MINUTE: Duration = Duration::from_mins(1);
        const SECOND: Duration = Duration::from_secs(1);
        let (count, period, burst) = match scope {
            Scope::Visitor => (limits.visitor_messages_per_hour, HOUR, limits.visitor_burst),
            Scope::Site => (limits.site_messages_per_second, SECOND, limits.site_burst),
            Scope::AddressMessages => whole(limits.address_messages_per_minute, MINUTE),
            Scope::NewVisitors => whole(limits.site_visitors_per_second, SECOND),
            Scope::FreeVisitors => {
                let count = limits.site_free_visitors_per_second;
                (count, SECOND, count.saturating_mul(FREE_BURST))
            }
            Scope::AddressVisitors => whole(limits.address_visitors_per_minute, MINUTE),
            Scope::Logins => whole(limits.site_logins_per_second, SECOND),
            Scope::AddressLogins => whole(limits.address_logins_per_minute, MINUTE),
            Scope::Refreshes => whole(limits.site_refreshes_per_second, SECOND),
            Scope::VisitorRefreshes => whole(limits.visitor_refreshes_per_hour, HOUR),
            Scope::AddressRefreshes => whole(limits.address_refreshes_per_minute, MINUTE),
            Scope::VisitorSessions => whole(limits.visitor_sessions_per_hour, HOUR),
            Scope::AddressSessions => whole(limits.address_sessions_per_minute, MINUTE),
            Scope::SiteSessions => whole(limits.site_sessions_per_second, SECOND),
            Scope::VisitorReads => whole(limits.visitor_reads_per_minute, MINUTE),
            Scope::AddressReads => whole(limits.address_reads_per_minute, MINUTE),
            Scope::SiteReads => whole(limits.site_reads_per_second, SECOND),
            Scope::Proof | Scope::Account => (1, PROOF_MEMORY, 1),
        };
        Self::new(scope, count, period, burst)
    }

    /// The configuration was checked: neither number is zero.
    fn new(scope: Scope, count: u32, period: Duration, burst: u32) -> Self {
        Self {
            scope,
            interval: (period / count.max(1)).max(Duration::from_micros(1)),
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
        }
    }

    /// Time in which an empty quota becomes full again.
    pub fn window(&self) -> Duration {
        self.interval * self.burst.get()
    }

    pub fn quota(&self, remaining: u32, reset: Duration) -> Quota {
        let limit = self.burst.get();
        let window = whole_seconds(self.window());
        let policy = format!("\"{}\";q={limit};w={window}", self.scope.as_str());
        Quota { limit, remaining, reset, policy }
    }

    pub fn limited(&self, retry_after: Duration) -> Limited {
        Limited { retry_after, scope: self.scope }
    }
}

/// What a period allows may come at once.
const fn whole(count: u32, period: Duration) -> (u32, Duration, u32) {
    (count, period, count)
}
