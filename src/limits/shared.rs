//! The limiter of all replicas: the same rules as Redis scripts, atomic over all claims of a
//! request.
//!
//! It has its own connections, so it never waits behind the messages between replicas. After a
//! failure it pauses for a second, then one request tries again. A frozen Redis thus costs one wait
//! per second instead of one per message.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool_redis::redis::{Script, ScriptInvocation};
use tokio::time::{Instant, timeout};

use super::{
    claim::Claim,
    guess::{self, Waits},
    metrics,
    quota::{Limited, Quota},
    rate::{Rate, Rates},
};
use crate::{
    config::{self, AddressFault},
    redis::Redis,
};

const RETRY: Duration = Duration::from_secs(1);

pub struct Shared {
    redis: Redis,
    limit: Duration,
    prefix: String,
    rates: Rates,
    waits: Waits,
    gcra: Script,
    guess: Script,
    /// When to try again; `None` while Redis responds.
    away: Mutex<Option<Instant>>,
}

/// The operations of the script of rates.
#[derive(Clone, Copy, Debug)]
pub enum Count {
    Take = 1,
    /// Never refused.
    GiveBack = -1,
}

/// The operations of the script of guesses.
#[derive(Clone, Copy, Debug)]
pub enum Guess {
    Take = 1,
    GiveBack = -1,
    Forget = 0,
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
    pub fn new(rates: Rates, waits: Waits, store: &config::Store) -> Result<Self, AddressFault> {
        Ok(Self {
            redis: Redis::open(store)?,
            limit: store.redis_timeout,
            prefix: store.redis_prefix.clone(),
            rates,
            waits,
            gcra: Script::new(include_str!("gcra.lua")),
            guess: Script::new(include_str!("guess.lua")),
            away: Mutex::new(None),
        })
    }

    /// As [`super::local::Local::take`]; `None` if Redis is unreachable and the local limiter has
    /// to decide.
    pub async fn take(&self, claims: &[Claim]) -> Option<Result<Option<Quota>, Limited>> {
        let decision = match self.may_try() {
            true => self.count(&self.limits(claims), Count::Take, None).await,
            false => None,
        };
        if decision.is_none() {
            metrics::fell_back();
        }
        let rate = |index: usize| claims.get(index).map(|claim| self.rates.of(claim.scope));
        Some(match decision? {
            Decision::Taken { remaining, reset } => {
                Ok(rate(0).map(|rate| rate.quota(remaining, reset)))
            }
            Decision::Refused { by, wait } => Err(rate(by)?.limited(wait)),
        })
    }

    /// Undoes [`Shared::take`]; `false` if Redis is unreachable.
    pub async fn give_back(&self, claims: &[Claim]) -> bool {
        self.may_try() && self.count(&self.limits(claims), Count::GiveBack, None).await.is_some()
    }

    /// `None` if Redis is unreachable and the local table has to decide.
    pub async fn guess(&self, account: &str, what: Guess) -> Option<Result<(), Limited>> {
        let decision = match self.may_try() {
            true => self.guess_at(account, what, None).await,
            false => None,
        };
        if decision.is_none() {
            metrics::fell_back();
        }
        decision
    }

    /// `now` is in microseconds; without it the clock of Redis is used.
    pub async fn guess_at(
        &self,
        account: &str,
        what: Guess,
        now: Option<u64>,
    ) -> Option<Result<(), Limited>> {
        let mut call = self.guess.prepare_invoke();
        call.key(format!("{}:{{account:{account}}}", self.prefix))
            .arg(now.map_or_else(String::new, |now| now.to_string()))
            .arg(what as i8)
            .arg(self.waits.free)
            .arg(self.waits.longest.as_micros() as u64)
            .arg(self.waits.memory().as_millis() as u64);
        Some(match self.invoke(&call).await? {
            (0, _, _) => Ok(()),
            (_, wait, _) => Err(guess::limited(Duration::from_micros(wait.max(1)))),
        })
    }

    fn limits(&self, claims: &[Claim]) -> Vec<(String, &Rate)> {
        let key = |claim: &Claim| format!("{}:{}", self.prefix, claim.name);
        claims.iter().map(|claim| (key(claim), self.rates.of(claim.scope))).collect()
    }

    /// `now` is in microseconds; without it the clock of Redis is used. `None` if Redis did not
    /// respond in time.
    pub async fn count(
        &self,
        limits: &[(String, &Rate)],
        count: Count,
        now: Option<u64>,
    ) -> Option<Decision> {
        let mut call = self.gcra.prepare_invoke();
        call.arg(now.map_or_else(String::new, |now| now.to_string())).arg(count as i8);
        for (key, rate) in limits {
            call.key(key).arg(rate.interval.as_micros() as u64).arg(rate.burst.get());
        }
        Some(match self.invoke(&call).await? {
            (0, left, reset) => Decision::Taken {
                remaining: u32::try_from(left).unwrap_or(u32::MAX),
                reset: Duration::from_micros(reset),
            },
            (by, wait, _) => {
                Decision::Refused { by: by - 1, wait: Duration::from_micros(wait.max(1)) }
            }
        })
    }

    /// Runs a script within the time limit, and notes whether Redis responded.
    async fn invoke(&self, call: &ScriptInvocation<'_>) -> Option<(usize, u64, u64)> {
        let asked = timeout(self.limit, async {
            let mut connection = self.redis.get().await.map_err(|error| error.to_string())?;
            call.invoke_async::<(usize, u64, u64)>(&mut *connection)
                .await
                .map_err(|error| error.to_string())
        });
        let reply = asked.await.unwrap_or_else(|_| Err("no response in time".to_owned()));
        self.note(reply.as_ref().err());
        reply.ok()
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
