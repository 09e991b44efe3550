//! Connections to Redis behind one deadline.
//!
//! Waiting for a connection, making one and the command itself share `store.redis_timeout_ms`.
//! While Redis is away a circuit refuses at once, so that only a probe now and then waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool_redis::{
    PoolError,
    redis::{ErrorKind, FromRedisValue, Pipeline, RedisError, ScriptInvocation},
};
use tokio::time::{Instant, timeout};

use super::{error::HotError, metrics};
use crate::{
    circuit::{Change, Circuit},
    config::{self, AddressFault},
    redis::{Connection, Redis},
};

/// Failures in a row after which nobody waits for a cluster. A part of it may be away while it
/// appoints another master, and the rest is to be asked all the while.
const FAILURES_OF_CLUSTER: u32 = 24;

pub struct Connections {
    redis: Arc<Redis>,
    limit: Duration,
    circuit: Mutex<Circuit>,
}

impl Connections {
    pub fn new(store: &config::Store) -> Result<Self, HotError> {
        let redis = Arc::new(Redis::open(store)?);
        let circuit = match redis.is_cluster() {
            true => Circuit::new(FAILURES_OF_CLUSTER),
            false => Circuit::default(),
        };
        Ok(Self { redis, limit: store.redis_timeout, circuit: Mutex::new(circuit) })
    }

    /// One script under the deadline.
    pub async fn script<T: FromRedisValue>(
        &self,
        operation: &'static str,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, HotError> {
        self.bounded(operation, self.run_script(script)).await
    }

    /// Commands sent in one go, under the deadline.
    pub async fn pipeline<T: FromRedisValue>(
        &self,
        operation: &'static str,
        commands: &Pipeline,
    ) -> Result<T, HotError> {
        self.bounded(operation, self.run_pipeline(commands)).await
    }

    /// Puts all of `work` under one deadline, counts it and logs where Redis goes or comes back.
    pub fn bounded<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, HotError>>,
    ) -> impl Future<Output = Result<T, HotError>> {
        let observed = self.observed(operation, work);
        async move {
            if !self.circuit().admits(Instant::now()) {
                return Err(HotError::Unavailable("it was away a moment ago".into()));
            }
            observed.await
        }
    }

    /// As [`Self::bounded`], also while the circuit is open: for whoever asks in order to find out.
    pub fn observed<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, HotError>>,
    ) -> impl Future<Output = Result<T, HotError>> {
        // Boxed, so that those who wait for Redis carry a pointer and not a client's state.
        let work = Box::pin(work);
        async move {
            let begun = Instant::now();
            let outcome = timeout(self.limit, work).await.unwrap_or(Err(HotError::Timeout));
            metrics::called(operation, begun, &outcome);
            self.note(outcome.as_ref().err());
            outcome
        }
    }

    /// Whether Redis answers, as far as is known.
    pub fn is_up(&self) -> bool {
        !self.circuit().is_open()
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step inside [`Self::bounded`]. Sends the hash of the script, and its text only where Redis
    /// has forgotten it.
    pub async fn run_script<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, HotError> {
        Ok(script.invoke_async(&mut *self.connection().await?).await?)
    }

    /// A step inside [`Self::bounded`].
    pub async fn run_pipeline<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, HotError> {
        Ok(commands.query_async(&mut *self.connection().await?).await?)
    }

    /// A step inside [`Self::bounded`].
    pub async fn connection(&self) -> Result<Connection, HotError> {
        Ok(self.redis.get().await?)
    }

    /// For connections that wait longer than others.
    pub fn redis(&self) -> &Arc<Redis> {
        &self.redis
    }

    fn note(&self, error: Option<&HotError>) {
        let away = error.filter(|error| error.is_away());
        let change = match away {
            Some(_) => {
                self.redis.doubt();
                self.circuit().failed(Instant::now())
            }
            None => self.circuit().succeeded(),
        };
        match (change, away) {
            (Some(Change::Opened), Some(error)) => tracing::warn!(%error, "redis is unreachable"),
            (Some(Change::Closed), _) => tracing::info!("redis is reachable again"),
            _ => return,
        }
        metrics::up(change == Some(Change::Closed));
    }
}

impl From<AddressFault> for HotError {
    fn from(fault: AddressFault) -> Self {
        Self::Unavailable(fault.to_string())
    }
}

impl From<RedisError> for HotError {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            _ if error.is_timeout() => Self::Timeout,
            ErrorKind::UnexpectedReturnType => Self::Corrupt("unexpected reply"),
            // Only the category: the text of a reply could carry what a customer wrote.
            _ => Self::Unavailable(error.category().to_owned()),
        }
    }
}

impl From<PoolError> for HotError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::Timeout,
            other => Self::Unavailable(other.to_string()),
        }
    }
}
