//! The in-process limiter with a fake clock; the shared limiter is tested in [`shared`].

mod shared;

use std::time::Duration;

use governor::clock::FakeRelativeClock;

use super::{rate::Rate, *};
use crate::config::{Config, Sources};

fn settings() -> config::Limits {
    config::Limits {
        visitor_messages_per_hour: 100,
        visitor_burst: 3,
        site_messages_per_second: 10,
        site_burst: 5,
        site_visitors_per_second: 4,
        site_free_visitors_per_second: 1,
        site_logins_per_second: 2,
        address_messages_per_minute: 4,
        account_guesses: 3,
        max_keys: 1000,
        ..Config::load(&Sources::default()).unwrap().limits
    }
}

fn block(address: &str) -> Option<AddressBlock> {
    Some(AddressBlock::of(address.parse().unwrap(), 32, 64))
}

impl Local<FakeRelativeClock> {
    fn message(&self, site: &SiteId, visitor: PrincipalId) -> Result<Quota, Limited> {
        self.message_from(site, visitor, None)
    }

    fn message_from(
        &self,
        site: &SiteId,
        visitor: PrincipalId,
        from: Option<AddressBlock>,
    ) -> Result<Quota, Limited> {
        self.take(&Claim::message(site, visitor, from)).map(Option::unwrap)
    }

    fn of_site(&self, budget: Budget, site: &SiteId) -> Result<(), Limited> {
        self.take(&[Claim::of_site(budget, site)]).map(drop)
    }
}

fn site(name: &str) -> SiteId {
    SiteId::parse(name).unwrap()
}

fn limiter() -> (Local<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (Local::with_clock(&Rates::new(&settings()), settings().max_keys, &clock), clock)
}

#[test]
fn a_visitor_may_burst_then_waits_for_the_next_place() {
    let (limits, clock) = limiter();
    let (site, visitor) = (site("a"), PrincipalId::new());
    let left: Vec<u32> =
        (0..3).map(|_| limits.message(&site, visitor).unwrap().remaining).collect();
    assert_eq!(left, [2, 1, 0]);
    let limited = limits.message(&site, visitor).unwrap_err();
    assert_eq!(limited, Limited { retry_after: Duration::from_secs(36), scope: Scope::Visitor });
    clock.advance(Duration::from_millis(35_999));
    assert!(limits.message(&site, visitor).is_err());
    clock.advance(Duration::from_millis(1));
    assert_eq!(limits.message(&site, visitor).unwrap().remaining, 0);
    assert!(limits.message(&site, PrincipalId::new()).is_ok(), "others are not affected");
}

#[test]
fn a_quota_reads_as_the_draft_says() {
    let (limits, _) = limiter();
    let quota = limits.message(&site("a"), PrincipalId::new()).unwrap();
    assert_eq!(quota.policy, "\"visitor\";q=3;w=108");
    assert_eq!(quota.header(), "\"visitor\";r=2;t=36");
    assert_eq!(quota.limit, 3);
}

#[test]
fn a_site_that_is_full_does_not_cost_the_visitor_anything() {
    let (limits, clock) = limiter();
    let (full, visitor) = (site("a"), PrincipalId::new());
    for _ in 0..5 {
        limits.message(&full, PrincipalId::new()).unwrap();
    }
    for _ in 0..10 {
        let limited = limits.message(&full, visitor).unwrap_err();
        assert_eq!(limited.scope, Scope::Site);
        assert_eq!(limited.retry_after, Duration::from_millis(100));
    }
    assert!(limits.message(&site("b"), PrincipalId::new()).is_ok(), "another site has room");
    clock.advance(Duration::from_millis(100));
    assert_eq!(limits.message(&full, visitor).unwrap().remaining, 2);
}

#[test]
fn what_is_given_back_may_be_taken_again_and_is_no_more_than_that() {
    let (limits, _) = limiter();
    let (site, visitor) = (site("a"), PrincipalId::new());
    let taken = Claim::message(&site, visitor, None);
    limits.give_back(&taken);
    for _ in 0..100 {
        assert_eq!(limits.message(&site, visitor).unwrap().remaining, 2);
        limits.give_back(&taken);
    }
    for remaining in [2, 1, 0] {
        assert_eq!(limits.message(&site, visitor).unwrap().remaining, remaining);
    }
    assert_eq!(limits.message(&site, visitor).unwrap_err().scope, Scope::Visitor);
}

#[test]
fn a_visitor_who_is_refused_all_the_time_does_not_use_up_the_site() {
    let (limits, _) = limiter();
    let (site, loud) = (site("a"), PrincipalId::new());
    for _ in 0..100 {
        let _ = limits.message(&site, loud);
    }
    assert!(limits.message(&site, PrincipalId::new()).is_ok());
    assert!(limits.message(&site, PrincipalId::new()).is_ok());
}

#[test]
fn an_address_is_a_second_bound_and_never_the_only_one() {
    let (limits, clock) = limiter();
    let (site, one, other) = (site("a"), block("203.0.113.7"), block("203.0.113.8"));
    for _ in 0..4 {
        limits.message_from(&site, PrincipalId::new(), one).unwrap();
    }
    let refused = PrincipalId::new();
    for _ in 0..10 {
        let limited = limits.message_from(&site, refused, one).unwrap_err();
        assert_eq!(limited.scope, Scope::AddressMessages);
    }
    // Neither the visitor nor the site has paid for it.
    let quota = limits.message_from(&site, refused, other).unwrap();
    assert_eq!(quota.remaining, 2);
    assert_eq!(quota.policy, "\"visitor\";q=3;w=108");
    // A visitor with many addresses is still bound, and so is the site.
    clock.advance(Duration::from_secs(1));
    limits.message_from(&site, refused, None).unwrap();
    limits.message_from(&site, refused, block("2001:db8::1")).unwrap();
    let limited = limits.message_from(&site, refused, block("2001:db8:1::1")).unwrap_err();
    assert_eq!(limited.scope, Scope::Visitor);
}

#[test]
fn each_way_to_tokens_has_a_budget_of_its_own() {
    let (limits, clock) = limiter();
    let site = site("a");
    for (budget, scope, most, wait) in [
        (Budget::Logins, Scope::Logins, 2, 500),
        (Budget::Visitors, Scope::NewVisitors, 4, 250),
        (Budget::Refreshes, Scope::Refreshes, 200, 5),
    ] {
        for _ in 0..most {
            limits.of_site(budget, &site).unwrap();
        }
        let retry_after = Duration::from_millis(wait);
        assert_eq!(limits.of_site(budget, &site), Err(Limited { retry_after, scope }));
    }
    clock.advance(Duration::from_millis(500));
    limits.of_site(Budget::Logins, &site).unwrap();
}

#[tokio::test]
async fn a_challenge_is_used_once_and_the_next_one_too() {
    let limits = Limits::local(&settings());
    let site = site("a");
    for id in ["one", "two"] {
        assert!(limits.first_use(&site, id).await);
        assert!(!limits.first_use(&site, id).await);
    }
}

#[test]
fn the_number_of_keys_is_bounded_and_the_busiest_is_remembered() {
    let clock = FakeRelativeClock::default();
    let roomy = config::Limits { site_burst: 1_000_000, ..settings() };
    let limits = Local::with_clock(&Rates::new(&roomy), 1000, &clock);
    let (site, loud) = (site("a"), PrincipalId::new());
    while limits.message(&site, loud).is_ok() {}
    for _ in 0..20_000 {
        limits.message(&site, PrincipalId::new()).unwrap();
        assert!(limits.visitors() <= 1008);
    }
    assert_eq!(limits.message(&site, loud).unwrap_err().scope, Scope::Visitor);
    clock.advance(Duration::from_secs(3600));
    for _ in 0..1000 {
        limits.message(&site, PrincipalId::new()).unwrap();
    }
    assert!(limits.message(&site, loud).is_ok());
}

#[tokio::test]
async fn clones_share_their_counts() {
    let limits = Limits::local(&settings());
    let (site, visitor) = (site("a"), PrincipalId::new());
    for _ in 0..3 {
        let _ = limits.clone().message(&site, visitor, None).await.unwrap();
    }
    let limited = limits.message(&site, visitor, None).await.map(drop).unwrap_err();
    assert_eq!(limited.scope, Scope::Visitor);
    limits.of_site(Budget::Logins, &site).await.unwrap();
}

fn rate(interval: Duration, burst: u32) -> Rate {
    Rate { scope: Scope::Visitor, interval, burst: burst.try_into().unwrap() }
}
