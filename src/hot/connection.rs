//! The road to Redis: a pool of connections behind one deadline.
//!
//! Waiting for a connection, making one and the command itself share `store.redis_timeout_ms`. A broken connection is
//! found when it is taken from the pool and replaced, so nothing has to be done after Redis comes back. While Redis is
//! away a circuit refuses at once, so that only a probe now and then waits.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool_redis::{
    Manager, Pool, PoolError, Runtime,
    redis::{
        AsyncConnectionConfig, ErrorKind, FromRedisValue, Pipeline, RedisError, ScriptInvocation,
    },
};
use tokio::time::{Instant, timeout};

use super::{
    HotError,
    circuit::{Change, Circuit},
    metrics,
};
use crate::config;

pub struct Connections {
    pool: Pool,
    limit: Duration,
    circuit: Mutex<Circuit>,
}

impl Connections {
    pub fn new(store: &config::Store) -> Result<Self, HotError> {
        let limit = store.redis_timeout;
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limit))
            .set_response_timeout(Some(limit));
        let manager = Manager::new_with_config(store.redis_url.expose(), settings)?;
        let pool = Pool::builder(manager)
            .max_size(store.redis_pool)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| HotError::Unavailable(error.to_string()))?;
        Ok(Self { pool, limit, circuit: Mutex::default() })
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

    /// A step inside [`Self::bounded`]. Sends the hash of the script, and its text only where Redis has forgotten it.
    pub async fn run_script<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, HotError> {
        Ok(script.invoke_async(&mut self.pool.get().await?).await?)
    }

    /// A step inside [`Self::bounded`].
    pub async fn run_pipeline<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, HotError> {
        Ok(commands.query_async(&mut self.pool.get().await?).await?)
    }

    fn note(&self, error: Option<&HotError>) {
        let away = error.filter(|error| error.is_away());
        let change = match away {
            Some(_) => self.circuit().failed(Instant::now()),
            None => self.circuit().succeeded(),
        };
        match (change, away) {
            (Some(Change::Opened), Some(error)) => tracing::warn!(%error, "hot store is away"),
            (Some(Change::Closed), _) => tracing::info!("hot store is back"),
            _ => return,
        }
        metrics::up(change == Some(Change::Closed));
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
