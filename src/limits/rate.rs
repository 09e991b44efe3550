//! The limits as GCRA parameters: one request each `interval`, and up to `burst` at once.

use std::{num::NonZeroU32, time::Duration};

use super::quota::{Limited, Quota, Scope, whole_seconds};
use crate::config;

#[derive(Clone, Debug)]
pub struct Rate {
    pub scope: Scope,
    /// One more request is allowed after this time.
    pub interval: Duration,
    /// How many requests can be saved up.
    pub burst: NonZeroU32,
}

#[derive(Clone, Debug)]
pub struct Rates {
    pub visitor: Rate,
    pub site: Rate,
    pub logins: Rate,
}

impl Rates {
    pub fn new(limits: &config::Limits) -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        const SECOND: Duration = Duration::from_secs(1);
        let logins = limits.site_logins_per_second;
        Self {
            visitor: Rate::new(
                Scope::Visitor,
                limits.visitor_messages_per_hour,
                HOUR,
                limits.visitor_burst,
            ),
            site: Rate::new(
                Scope::Site,
                limits.site_messages_per_second,
                SECOND,
                limits.site_burst,
            ),
            logins: Rate::new(Scope::Logins, logins, SECOND, logins),
        }
    }
}

impl Rate {
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
