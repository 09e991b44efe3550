//! Connections to Redis: one server, a cluster, or a master behind sentinels.
//!
//! Hot store, cache and limits each open their own, so that none waits for the traffic of another.
//! Callers put a deadline around [`Redis::get`] and around commands. All keys of one command,
//! pipeline or script must share a hash tag, since a cluster requires them in one slot.

mod handle;

use std::{io, sync::Arc, time::Duration};

use deadpool_redis::{
    Manager, Pool, PoolError, Runtime,
    redis::{
        AsyncConnectionConfig, Client, ConnectionInfo, RedisConnectionInfo, RedisResult, TlsMode,
        cluster::ClusterClientBuilder,
        sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
    },
};
use futures_util::future::select_ok;
use tokio::{
    runtime,
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

pub use self::handle::{Connection, Handle};
use crate::config::{self, AddressFault, RedisAddress};

/// Retries of a cluster command whose slot has moved or whose node was reconnected.
const REDIRECTS: u32 = 3;

/// Longest time to find the nodes of a cluster, or a master. Some nodes may be silent, so it can be
/// longer than the deadline of the call that started it.
const FIND: Duration = Duration::from_secs(10);

/// Connections to Redis.
pub struct Redis {
    way: Arc<Way>,
    /// The runtime of shared connections, since the worker that first needed one may end earlier.
    home: Option<runtime::Handle>,
}

struct Way {
    road: Road,
    timeout: Duration,
}

enum Road {
    /// A pool. Broken connections are detected and replaced when they are taken.
    Server { client: Client, pool: Pool },
    /// One connection to each node; the client itself follows the slots.
    Cluster { nodes: Vec<ConnectionInfo>, shared: Shared },
    /// One connection to the current master.
    Sentinel { sentinels: Sentinels, shared: Shared },
}

/// The shared connection; `None` until it is first needed.
type Shared = Arc<Mutex<Option<Handle>>>;

struct Sentinels {
    addresses: Vec<ConnectionInfo>,
    name: String,
    master: RedisConnectionInfo,
    tls: Option<TlsMode>,
}

impl Redis {
    /// Does not connect yet.
    ///
    /// # Errors
    /// If `store.redis_url` is not an address.
    pub fn open(store: &config::Store) -> Result<Self, AddressFault> {
        let road = match RedisAddress::parse(store.redis_url.expose())? {
            RedisAddress::Server(server) => Self::server(server, store)?,
            RedisAddress::Cluster(nodes) => Road::Cluster { nodes, shared: Shared::default() },
            RedisAddress::Sentinel { sentinels: addresses, name, master, tls } => {
                let tls = tls.then_some(TlsMode::Secure);
                let sentinels = Sentinels { addresses, name, master, tls };
                Road::Sentinel { sentinels, shared: Shared::default() }
            }
        };
        let way = Arc::new(Way { road, timeout: store.redis_timeout });
        Ok(Self { way, home: runtime::Handle::try_current().ok() })
    }

    fn server(server: ConnectionInfo, store: &config::Store) -> Result<Road, AddressFault> {
        let unreadable = |_| AddressFault::Unreadable;
        let client = Client::open(server.clone()).map_err(unreadable)?;
        let settings = settings(store.redis_timeout, Duration::ZERO);
        let manager = Manager::new_with_config(server, settings).map_err(unreadable)?;
        let pool = Pool::builder(manager).max_size(store.redis_pool).runtime(Runtime::Tokio1);
        Ok(Road::Server { client, pool: pool.build().map_err(|_| AddressFault::Unreadable)? })
    }

    /// A connection for a few commands.
    pub async fn get(&self) -> Result<Connection, PoolError> {
        match &self.way.road {
            Road::Server { pool, .. } => Ok(Connection::pooled(pool.get().await?)),
            Road::Cluster { shared, .. } | Road::Sentinel { shared, .. } => {
                let shared = Arc::clone(shared).lock_owned().await;
                if let Some(handle) = &*shared {
                    return Ok(handle.clone().into());
                }
                self.find(shared).await.map(Connection::from).map_err(PoolError::Backend)
            }
        }
    }

    /// Connects in a task of its own, so that the connection is made even if the caller gives up.
    async fn find(&self, mut shared: OwnedMutexGuard<Option<Handle>>) -> RedisResult<Handle> {
        let way = Arc::clone(&self.way);
        let home = self.home.clone().unwrap_or_else(runtime::Handle::current);
        let finding = home.spawn(async move {
            let found = timeout(FIND, way.dedicated(Duration::ZERO)).await;
            let handle = found.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(shared.insert(handle).clone())
        });
        finding.await.map_err(|_| io::Error::other("connecting was cancelled"))?
    }

    /// A separate connection, whose answers may take `extra` longer than the configured time.
    pub async fn dedicated(&self, extra: Duration) -> RedisResult<Handle> {
        self.way.dedicated(extra).await
    }

    /// Call this after a failure, so that the next caller searches for the master again. A pool and
    /// a cluster client detect broken connections themselves.
    pub fn doubt(&self) {
        if let Road::Sentinel { shared, .. } = &self.way.road
            && let Ok(mut shared) = shared.try_lock()
        {
            *shared = None;
        }
    }

    pub fn is_cluster(&self) -> bool {
        matches!(self.way.road, Road::Cluster { .. })
    }
}

impl Way {
    async fn dedicated(&self, extra: Duration) -> RedisResult<Handle> {
        let settings = settings(self.timeout, extra);
        let client = match &self.road {
            Road::Server { client, .. } => client.clone(),
            Road::Sentinel { sentinels, .. } => sentinels.find_master().await?,
            Road::Cluster { nodes, .. } => {
                let limit = self.timeout + extra;
                let client = ClusterClientBuilder::new(nodes.clone())
                    .connection_timeout(self.timeout)
                    .response_timeout(limit)
                    .overall_response_timeout(Some(limit))
                    .retries(REDIRECTS)
                    .build()?;
                return Ok(Handle::Cluster(client.get_async_connection().await?));
            }
        };
        Ok(Handle::Server(client.get_multiplexed_async_connection_with_config(&settings).await?))
    }
}

impl Sentinels {
    /// Asks all sentinels at once, so that a frozen one does not delay the others. Then checks that
    /// the named server considers itself the master.
    async fn find_master(&self) -> RedisResult<Client> {
        let asked = self.addresses.iter().map(|sentinel| {
            Box::pin(async move {
                let mut master = SentinelNodeConnectionInfo::default()
                    .set_redis_connection_info(self.master.clone());
                if let Some(tls) = self.tls {
                    master = master.set_tls_mode(tls);
                }
                let kind = SentinelServerType::Master;
                let sentinel = vec![sentinel.clone()];
                SentinelClient::build(sentinel, self.name.clone(), Some(master), kind)?
                    .async_get_client()
                    .await
            })
        });
        let (client, _) = select_ok(asked).await?;
        Ok(client)
    }
}

fn settings(limit: Duration, extra: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limit))
        .set_response_timeout(Some(limit + extra))
}
