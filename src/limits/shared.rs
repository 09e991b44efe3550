//! The limiter of all replicas: the same GCRA as a Redis script, atomic over visitor and site.
//!
//! It has its own connections, so it never waits behind the messages between replicas. After a
//! failure it pauses for a second, then one request tries again. A frozen Redis thus costs one wait
//! per second instead of one per message.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool_redis::redis::Script;
use tokio::time::{Instant, timeout};

use super::{
    metrics,
    quota::{Limited, Quota},
    rate::{Rate, Rates},
};
use crate::{
    config::{self, AddressFault},
    domain::{PrincipalId, SiteId},
    redis::Redis,
};

const RETRY: Duration = Duration::from_secs(1);

pub struct Shared {
    redis: Redis,
    limit: Duration,
    prefix: String,
    rates: Rates,
    script: Script,
    /// When to try again; `None` while Redis responds.
    away: Mutex<Option<Instant>>,
}

/// The operations of the script.
#[derive(Clone, Copy, Debug)]
pub enum Count {
    Take = 1,
    /// Never refused.
    GiveBack = -1,
}

/// The results of the script.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    Taken {
        remaining: u32,
        reset: Duration,
    },
    /// Refused by the limit of this number, counted from 0.
    Refused {
        by: usize,
        wait: Duration,
    },
}

impl Shared {
    pub fn new(rates: Rates, store: &config::Store) -> Result<Self, AddressFault> {
        Ok(Self {
            redis: Redis::open(store)?,
            limit: store.redis_timeout,
            prefix: store.redis_prefix.clone(),
            rates,
            script: Script::new(include_str!("gcra.lua")),
            away: Mutex::new(None),
        })
    }

    /// `None` if Redis is unreachable and the local limiter has to decide.
    pub async fn message(
        &self,
        site: &SiteId,
        visitor: PrincipalId,
    ) -> Option<Result<Quota, Limited>> {
        let Rates { visitor: visitor_rate, site: site_rate, .. } = &self.rates;
        let keys = self.keys_of_message(site, visitor);
        let limits = [(keys[0].as_str(), visitor_rate), (keys[1].as_str(), site_rate)];
        Some(match self.try_take(&limits).await? {
            Decision::Taken { remaining, reset } => Ok(visitor_rate.quota(remaining, reset)),
            Decision::Refused { by: 0, wait } => Err(visitor_rate.limited(wait)),
            Decision::Refused { wait, .. } => Err(site_rate.limited(wait)),
        })
    }

    /// Undoes [`Shared::message`]; `false` if Redis is unreachable.
    pub async fn give_back(&self, site: &SiteId, visitor: PrincipalId) -> bool {
        let keys = self.keys_of_message(site, visitor);
        let limits = [(&*keys[0], &self.rates.visitor), (&*keys[1], &self.rates.site)];
        self.may_try() && self.count(&limits, Count::GiveBack, None).await.is_some()
    }

    /// `None` if Redis is unreachable and the local limiter has to decide.
    pub async fn login(&self, site: &SiteId) -> Option<Result<(), Limited>> {
        let key = self.key(site, "logins");
        Some(match self.try_take(&[(&key, &self.rates.logins)]).await? {
            Decision::Taken { .. } => Ok(()),
            Decision::Refused { wait, .. } => Err(self.rates.logins.limited(wait)),
        })
    }

    fn keys_of_message(&self, site: &SiteId, visitor: PrincipalId) -> [String; 2] {
        [self.key(site, &format!("v:{visitor}")), self.key(site, "messages")]
    }

    /// All keys of a site share a slot, so that one script can use those of visitor and site.
    fn key(&self, site: &SiteId, name: &str) -> String {
        format!("{}:{{limits:{site}}}:{name}", self.prefix)
    }

    async fn try_take(&self, limits: &[(&str, &Rate)]) -> Option<Decision> {
        let decision =
            if self.may_try() { self.count(limits, Count::Take, None).await } else { None };
        if decision.is_none() {
            metrics::fell_back();
        }
        decision
    }

    /// `now` is in microseconds; without it the clock of Redis is used. `None` if Redis did not
    /// respond in time.
    pub async fn count(
        &self,
        limits: &[(&str, &Rate)],
        count: Count,
        now: Option<u64>,
    ) -> Option<Decision> {
        let mut call = self.script.prepare_invoke();
        call.arg(now.map_or_else(String::new, |now| now.to_string())).arg(count as i8);
        for (key, rate) in limits {
            call.key(*key).arg(rate.interval.as_micros() as u64).arg(rate.burst.get());
        }
        let asked = timeout(self.limit, async {
            let mut connection = self.redis.get().await.map_err(|error| error.to_string())?;
            call.invoke_async::<(usize, u64, u64)>(&mut *connection)
                .await
                .map_err(|error| error.to_string())
        });
        let reply = asked.await.unwrap_or_else(|_| Err("no response in time".to_owned()));
        self.note(reply.as_ref().err());
        Some(match reply.ok()? {
            (0, left, reset) => Decision::Taken {
                remaining: u32::try_from(left).unwrap_or(u32::MAX),
                reset: Duration::from_micros(reset),
            },
            (by, wait, _) => {
                Decision::Refused { by: by - 1, wait: Duration::from_micros(wait.max(1)) }
            }
        })
    }

    /// Whether to try Redis: the last attempt succeeded, or this request is the next probe.
    fn may_try(&self) -> bool {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *away {
            None => true,
            Some(at) if at <= now => {
                *away = Some(now + RETRY);
                true
            }
            Some(_) => false,
        }
    }

    fn note(&self, error: Option<&String>) {
        if error.is_some() {
            self.redis.doubt();
        }
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let was_away = away.is_some();
        *away = error.map(|_| Instant::now() + RETRY);
        match error {
            Some(error) if !was_away => {
                tracing::warn!(error, "redis is unreachable; each replica counts limits alone");
            }
            None if was_away => tracing::info!("redis is reachable; limits are shared again"),
            _ => {}
        }
    }
}
