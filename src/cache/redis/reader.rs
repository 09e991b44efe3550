//! Follows the log: reads everything once, then every change, and everything again if records were
//! missed.

use std::{collections::HashMap, sync::Arc};

use deadpool_redis::redis::{
    RedisResult, cmd,
    streams::{StreamRangeReply, StreamReadReply},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    codec::{self, News, Record},
    link::{BLOCK, Backoff, CLOCK_SKEW, LOG_LENGTH, Link},
};
use crate::{
    cache::{answers::Cache, metrics, outbox::Change, store::Scope},
    clock,
    domain::Timestamp,
    redis::Handle,
};

/// How many records are read at once. After a full batch there may be many more, and some may
/// already be trimmed.
const BATCH: usize = 256;
/// How many entries are read at once.
const PAGE: usize = 128;

pub(super) async fn run(
    cache: Cache,
    link: Arc<Link>,
    loaded: watch::Sender<Option<usize>>,
    shutdown: CancellationToken,
) {
    let mut reader = Reader { cache, link, loaded, seen: None };
    let mut backoff = Backoff::new();
    let going = async {
        loop {
            if let Err(error) = reader.follow(&mut backoff).await {
                reader.link.down(&error);
            }
            backoff.wait().await;
        }
    };
    shutdown.run_until_cancelled(going).await;
}

/// Position in the log: milliseconds and a counter, as Redis numbers records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position(u64, u64);

impl Position {
    const START: Self = Self(0, 0);

    fn parse(id: &str) -> Option<Self> {
        let (time, count) = id.split_once('-')?;
        Some(Self(time.parse().ok()?, count.parse().ok()?))
    }
}

struct Reader {
    cache: Cache,
    link: Arc<Link>,
    loaded: watch::Sender<Option<usize>>,
    /// The last applied record; `None` before everything was read once.
    seen: Option<Position>,
}

impl Reader {
    /// Runs on one connection until it fails.
    async fn follow(&mut self, backoff: &mut Backoff) -> RedisResult<()> {
        let mut connection = self.link.connect(BLOCK).await?;
        self.catch_up(&mut connection).await?;
        backoff.reset();
        self.link.up();
        loop {
            let from = self.seen.unwrap_or(Position::START);
            let reply: Option<StreamReadReply> = cmd("XREAD")
                .arg("COUNT")
                .arg(BATCH)
                .arg("BLOCK")
                .arg(u64::try_from(BLOCK.as_millis()).unwrap_or(1000))
                .arg("STREAMS")
                .arg(&self.link.keys.log)
                .arg(format!("{}-{}", from.0, from.1))
                .query_async(&mut connection)
                .await?;
            let records: Vec<(Position, Option<Record>)> = reply
                .into_iter()
                .flat_map(|reply| reply.keys)
                .flat_map(|key| key.ids)
                .filter_map(|id| {
                    let json: Option<String> = id.get("r");
                    let record = json.and_then(|json| serde_json::from_str(&json).ok());
                    Some((Position::parse(&id.id)?, record))
                })
                .collect();
            let full = records.len() == BATCH;
            self.apply(records, &mut connection).await?;
            if full {
                self.catch_up(&mut connection).await?;
            }
        }
    }

    /// Checks that no record between `seen` and the start of the log was missed.
    async fn catch_up(&mut self, connection: &mut Handle) -> RedisResult<()> {
        let log = &self.link.keys.log;
        let first: StreamRangeReply = cmd("XRANGE")
            .arg(log)
            .arg("-")
            .arg("+")
            .arg("COUNT")
            .arg(1)
            .query_async(connection)
            .await?;
        let last: StreamRangeReply = cmd("XREVRANGE")
            .arg(log)
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1)
            .query_async(connection)
            .await?;
        let position =
            |reply: &StreamRangeReply| reply.ids.first().and_then(|id| Position::parse(&id.id));
        let end = position(&last).unwrap_or(Position::START);
        let Some(seen) = self.seen else {
            return self.load(connection, end).await;
        };
        if end < seen {
            // Redis lost the log, and perhaps the purges, too.
            self.read_purges(connection).await?;
            self.seen = Some(end);
            return Ok(());
        }
        let trimmed = position(&first).is_some_and(|first| first > seen);
        let long: usize = cmd("XLEN").arg(log).query_async(connection).await?;
        if trimmed && (seen != Position::START || long >= LOG_LENGTH / 2) {
            self.cache.write().clear();
            return self.load(connection, end).await;
        }
        Ok(())
    }

    /// Reads purges and entries. Records after `end` are applied afterwards.
    async fn load(&mut self, connection: &mut Handle, end: Position) -> RedisResult<()> {
        self.read_purges(connection).await?;
        let keys = &self.link.keys;
        let (mut offset, mut count) = (0, 0);
        while offset < self.cache.shared.max_entries {
            let addresses: Vec<String> = cmd("ZREVRANGE")
                .arg(&keys.entries)
                .arg(offset)
                .arg(offset + PAGE - 1)
                .query_async(connection)
                .await?;
            let entries = self.read(&addresses, connection).await?;
            count += entries.values().filter(|json| self.insert(json)).count();
            offset += PAGE;
            if addresses.len() < PAGE {
                break;
            }
        }
        self.seen = Some(end);
        metrics::reloaded();
        self.loaded.send_replace(Some(count));
        Ok(())
    }

    /// Reads the purges in Redis, and sends those that Redis does not have.
    async fn read_purges(&self, connection: &mut Handle) -> RedisResult<()> {
        let known: Vec<(String, f64)> = cmd("ZRANGE")
            .arg(&self.link.keys.purges)
            .arg(0)
            .arg(-1)
            .arg("WITHSCORES")
            .query_async(connection)
            .await?;
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds fit a float exactly")]
        let known: HashMap<Scope, Timestamp> = known
            .into_iter()
            .filter_map(|(scope, at)| {
                Some((serde_json::from_str(&scope).ok()?, Timestamp::from_millis(at as i64)))
            })
            .collect();
        for (scope, at) in self.cache.read().purges() {
            if !known.contains_key(&scope) {
                self.cache.shared.outbox.push(Change::Purge { scope, at, addresses: Vec::new() });
            }
        }
        for (scope, at) in known {
            self.cache.write().forbid(scope, late(at));
        }
        Ok(())
    }

    async fn apply(
        &mut self,
        records: Vec<(Position, Option<Record>)>,
        connection: &mut Handle,
    ) -> RedisResult<()> {
        let own = self.link.process;
        let foreign =
            |record: &Option<Record>| record.as_ref().is_some_and(|record| record.from != own);
        let addresses: Vec<String> = records
            .iter()
            .filter(|(_, record)| foreign(record))
            .filter_map(|(_, record)| match &record.as_ref()?.news {
                News::Put { address } => Some(address.clone()),
                News::Purge { .. } => None,
            })
            .collect();
        let entries = self.read(&addresses, connection).await?;
        let mut received = 0;
        for (position, record) in records {
            if foreign(&record)
                && let Some(record) = record
            {
                received += 1;
                match record.news {
                    News::Put { address } => {
                        if let Some(json) = entries.get(&address) {
                            self.insert(json);
                        }
                    }
                    News::Purge { scope, at } => self.purge(&scope, at),
                }
            }
            self.seen = Some(position);
        }
        metrics::received(received);
        Ok(())
    }

    /// The entries that still exist, by address.
    async fn read(
        &self,
        addresses: &[String],
        connection: &mut Handle,
    ) -> RedisResult<HashMap<String, String>> {
        if addresses.is_empty() {
            return Ok(HashMap::new());
        }
        let keys: Vec<String> =
            addresses.iter().map(|address| self.link.keys.entry(address)).collect();
        let values: Vec<Option<String>> = cmd("MGET").arg(keys).query_async(connection).await?;
        let found = addresses.iter().zip(values);
        Ok(found.filter_map(|(address, value)| Some((address.clone(), value?))).collect())
    }

    fn insert(&self, json: &str) -> bool {
        codec::decode(json).is_some_and(|entry| self.cache.receive(&Arc::new(entry), clock::now()))
    }

    fn purge(&self, scope: &Scope, at: Timestamp) {
        self.cache.write().purge(scope, late(at));
    }
}

/// The time of a purge plus the allowed clock difference.
fn late(at: Timestamp) -> Timestamp {
    let skew = i64::try_from(CLOCK_SKEW.as_millis()).unwrap_or(0);
    Timestamp::from_millis(at.as_millis().saturating_add(skew))
}
