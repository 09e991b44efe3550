//! Limits the requests per second to a backend.

use std::num::NonZeroU32;

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

type Direct<C> =
    RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as governor::clock::Clock>::Instant>>;

/// A token bucket that holds one second's worth of requests.
pub struct Limiter<C: Clock = DefaultClock> {
    bucket: Option<Direct<C>>,
}

impl Limiter {
    /// `per_second` 0 means no limit.
    pub fn new(per_second: u32) -> Self {
        Self::with_clock(per_second, DefaultClock::default())
    }
}

impl<C: Clock> Limiter<C> {
    fn with_clock(per_second: u32, clock: C) -> Self {
        let quota = NonZeroU32::new(per_second).map(Quota::per_second);
        Self { bucket: quota.map(|quota| RateLimiter::direct_with_clock(quota, clock)) }
    }

    /// Takes one request out of the bucket, if it holds one.
    pub fn admit(&self) -> bool {
        self.bucket.as_ref().is_none_or(|bucket| bucket.check().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_limited_backend_gets_its_requests_a_second_and_no_more() {
        let clock = FakeRelativeClock::default();
        let limiter = Limiter::with_clock(3, clock.clone());
        assert_eq!((0..10).filter(|_| limiter.admit()).count(), 3);
        clock.advance(Duration::from_secs(1));
        assert_eq!((0..10).filter(|_| limiter.admit()).count(), 3);
    }

    #[test]
    fn zero_means_no_limit() {
        let limiter = Limiter::new(0);
        assert!((0..1000).all(|_| limiter.admit()));
    }
}
