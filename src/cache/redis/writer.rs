//! Sends the outbox to Redis, in order and at least once.

use std::{collections::HashMap, sync::Arc};

use deadpool_redis::redis::{Pipeline, RedisResult, cmd, pipe};
use tokio_util::sync::CancellationToken;

use super::{
    codec::{self, News, Record},
    link::{Backoff, LOG_LENGTH, Link},
};
use crate::{
    cache::{
        answers::Cache,
        metrics,
        outbox::Change,
        store::{Scope, Watermarks},
    },
    clock,
    domain::{PrincipalId, Timestamp},
    redis::Handle,
};

const BATCH: usize = 128;

pub(super) async fn run(cache: Cache, link: Arc<Link>, shutdown: CancellationToken) {
    let mut writer = Writer { cache, link, connection: None };
    let mut backoff = Backoff::new();
    let going = async {
        loop {
            match writer.send().await {
                Ok(()) => backoff.reset(),
                Err(error) => {
                    writer.connection = None;
                    writer.link.down(&error);
                    backoff.wait().await;
                }
            }
        }
    };
    shutdown.run_until_cancelled(going).await;
    // An acknowledged purge should survive this process.
    let patience = writer.link.timeout * 2;
    let last =
        async { while !writer.cache.shared.outbox.is_empty() && writer.send().await.is_ok() {} };
    if tokio::time::timeout(patience, last).await.is_err() {
        tracing::warn!("cache: the last changes were not sent to redis in time");
    }
}

struct Writer {
    cache: Cache,
    link: Arc<Link>,
    connection: Option<Handle>,
}

impl Writer {
    /// Sends one batch. It stays in the outbox until Redis has it.
    async fn send(&mut self) -> RedisResult<()> {
        let outbox = &self.cache.shared.outbox;
        let batch = outbox.oldest(BATCH).await;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.link.connect(std::time::Duration::ZERO).await?),
        };
        let now = clock::now();
        let erased = erased(&self.link, &batch, connection).await?;
        let transaction = self.link.transaction(&batch, &erased, &self.cache, now);
        transaction.exec_async(connection).await?;
        trim(&self.link, &self.cache, connection).await?;
        self.link.up();
        metrics::sent(batch.len() as u64);
        self.cache.shared.outbox.sent(&batch);
        Ok(())
    }
}

/// The addresses of the entries that were made for people who are erased by this batch, also of
/// those that this process does not have.
async fn erased(
    link: &Link,
    batch: &[Change],
    connection: &mut Handle,
) -> RedisResult<HashMap<PrincipalId, Vec<String>>> {
    let mut found = HashMap::new();
    for change in batch {
        if let Change::Purge { scope: Scope::Person(person), .. } = change {
            let key = link.keys.person(*person);
            let addresses = cmd("SMEMBERS").arg(key).query_async(connection).await?;
            found.insert(*person, addresses);
        }
    }
    Ok(found)
}

impl Link {
    fn transaction(
        &self,
        batch: &[Change],
        erased: &HashMap<PrincipalId, Vec<String>>,
        cache: &Cache,
        now: Timestamp,
    ) -> Pipeline {
        let keys = &self.keys;
        let life = cache.longest_life().as_millis();
        let mut pipe = pipe();
        pipe.atomic();
        for change in batch {
            let news = match change {
                Change::Put(entry) => {
                    let left = entry.expires_at.as_millis() - now.as_millis();
                    let Some(json) = codec::encode(entry).ok().filter(|_| left > 0) else {
                        continue;
                    };
                    let address = codec::address(&entry.address());
                    let expiry = entry.expires_at.as_millis();
                    pipe.cmd("SET")
                        .arg(keys.entry(&address))
                        .arg(json)
                        .arg("PX")
                        .arg(left)
                        .ignore();
                    pipe.cmd("ZADD").arg(&keys.entries).arg(expiry).arg(&address).ignore();
                    if let Some(person) = entry.answer.made_for {
                        let key = keys.person(person);
                        let life = u64::try_from(life).unwrap_or(u64::MAX);
                        pipe.cmd("SADD").arg(&key).arg(&address).ignore();
                        pipe.cmd("PEXPIRE").arg(&key).arg(life).ignore();
                    }
                    News::Put { address }
                }
                Change::Purge { scope, at, addresses } => {
                    if !addresses.is_empty() {
                        let gone: Vec<String> =
                            addresses.iter().map(|a| keys.entry_at(a)).collect();
                        pipe.cmd("UNLINK").arg(gone).ignore();
                        let gone: Vec<String> = addresses.iter().map(codec::address).collect();
                        pipe.cmd("ZREM").arg(&keys.entries).arg(gone).ignore();
                    }
                    if let Scope::Person(person) = scope {
                        let of_person = erased.get(person).map_or(&[][..], Vec::as_slice);
                        for address in of_person {
                            pipe.cmd("UNLINK").arg(keys.entry(address)).ignore();
                            pipe.cmd("ZREM").arg(&keys.entries).arg(address).ignore();
                        }
                        pipe.cmd("UNLINK").arg(keys.person(*person)).ignore();
                    }
                    let Ok(member) = serde_json::to_string(scope) else { continue };
                    pipe.cmd("ZADD")
                        .arg(&keys.purges)
                        .arg("GT")
                        .arg(at.as_millis())
                        .arg(member)
                        .ignore();
                    News::Purge { scope: scope.clone(), at: *at }
                }
            };
            let Ok(record) = serde_json::to_string(&Record { from: self.process, news }) else {
                continue;
            };
            pipe.cmd("XADD").arg(&keys.log).arg("MAXLEN").arg("~").arg(LOG_LENGTH).arg("*");
            pipe.arg("r").arg(record).ignore();
        }
        // Purges older than every living entry have no effect any more.
        let outlived = i128::from(now.as_millis()) - i128::try_from(life).unwrap_or(i128::MAX);
        let outlived = i64::try_from(outlived).unwrap_or(0);
        pipe.cmd("ZREMRANGEBYSCORE").arg(&keys.purges).arg("-inf").arg(outlived).ignore();
        pipe.cmd("ZREMRANGEBYSCORE").arg(&keys.entries).arg("-inf").arg(now.as_millis()).ignore();
        for key in [&keys.log, &keys.purges, &keys.entries] {
            pipe.cmd("PEXPIRE").arg(key).arg(u64::try_from(life * 2).unwrap_or(u64::MAX)).ignore();
        }
        pipe
    }
}

/// Keeps the data in Redis within the limits of one replica. Entries that expire first are removed
/// first.
async fn trim(link: &Link, cache: &Cache, connection: &mut Handle) -> RedisResult<()> {
    let keys = &link.keys;
    let (entries, purges): (usize, usize) = pipe()
        .cmd("ZCARD")
        .arg(&keys.entries)
        .cmd("ZCARD")
        .arg(&keys.purges)
        .query_async(connection)
        .await?;
    let excess = entries.saturating_sub(cache.shared.max_entries);
    if excess > 0 {
        let popped: Vec<(String, f64)> =
            cmd("ZPOPMIN").arg(&keys.entries).arg(excess).query_async(connection).await?;
        let gone: Vec<String> = popped.iter().map(|(address, _)| keys.entry(address)).collect();
        cmd("UNLINK").arg(gone).exec_async(connection).await?;
    }
    if purges > Watermarks::MOST {
        merge_purges(link, cache, connection, purges).await?;
    }
    Ok(())
}

/// Called when there are too many purges to keep apart. The older half is merged into one purge of
/// everything, for replicas that read them later.
async fn merge_purges(
    link: &Link,
    cache: &Cache,
    connection: &mut Handle,
    purges: usize,
) -> RedisResult<()> {
    let keys = &link.keys;
    let half = purges / 2;
    let newest: Vec<(String, f64)> = cmd("ZRANGE")
        .arg(&keys.purges)
        .arg(half - 1)
        .arg(half - 1)
        .arg("WITHSCORES")
        .query_async(connection)
        .await?;
    let Some((_, at)) = newest.first() else { return Ok(()) };
    let Ok(everything) = serde_json::to_string(&Scope::Everything) else {
        return Ok(());
    };
    tracing::warn!(purges, "cache: too many purges; older entries were removed");
    let mut merged = pipe();
    merged.atomic();
    merged.cmd("ZREMRANGEBYRANK").arg(&keys.purges).arg(0).arg(half - 1).ignore();
    merged.cmd("ZADD").arg(&keys.purges).arg("GT").arg(*at).arg(everything).ignore();
    let life = u64::try_from(cache.longest_life().as_millis() * 2).unwrap_or(u64::MAX);
    merged.cmd("PEXPIRE").arg(&keys.purges).arg(life).ignore();
    merged.exec_async(connection).await
}
