//! Messages between replicas (*letters*). Each process has one inbox, a stream that it alone reads
//! and all may add to, and each session knows which replicas want to hear of it.
//!
//! A letter may be lost (its reader is too far behind, Redis restarts): it only speeds things up.

use std::{sync::Arc, time::Duration};

use deadpool_redis::redis::{cmd, pipe, streams::StreamReadReply};

use super::{error::HotError, store::HotStore};
use crate::{
    domain::SessionId,
    redis::{Handle, Redis},
};

/// Letters in one inbox, about. Whoever is further behind has lost some.
const INBOX: usize = 20_000;
/// Nobody reads the inbox of a dead replica: it goes this long after its last letter.
const INBOX_TTL_MS: u64 = 60_000;
/// The reader waits for letters at most so long, then asks again.
const BLOCK: Duration = Duration::from_secs(1);
/// Letters taken at once.
const BATCH: usize = 512;
/// A watcher that does not say so again is forgotten.
const WATCH_TTL_MS: u64 = 3_600_000;

impl HotStore {
    /// Puts messages into the inbox of `replica`, in order.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn post(&self, replica: &str, letters: &[String]) -> Result<(), HotError> {
        let key = self.keys.inbox(replica);
        let mut commands = pipe();
        for letter in letters {
            let add = commands.cmd("XADD").arg(&key).arg("MAXLEN").arg("~").arg(INBOX);
            add.arg("*").arg("l").arg(letter).ignore();
        }
        commands.cmd("PEXPIRE").arg(&key).arg(INBOX_TTL_MS).ignore();
        self.connections.pipeline("post", &commands).await
    }

    /// From now on `replica` is among the watchers of the session, for an hour.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn watch(&self, id: SessionId, replica: &str) -> Result<(), HotError> {
        let key = self.keys.watchers(id);
        let mut commands = pipe();
        commands.sadd(&key, replica).ignore();
        commands.cmd("PEXPIRE").arg(&key).arg(WATCH_TTL_MS).ignore();
        self.connections.pipeline("watch", &commands).await
    }

    /// `replica` does not want to hear of the session any more.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn unwatch(&self, id: SessionId, replica: &str) -> Result<(), HotError> {
        let mut commands = pipe();
        commands.srem(self.keys.watchers(id), replica).ignore();
        self.connections.pipeline("unwatch", &commands).await
    }

    /// The replicas that want to hear of the session.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn watchers(&self, id: SessionId) -> Result<Vec<String>, HotError> {
        let mut commands = pipe();
        commands.smembers(self.keys.watchers(id));
        let (watchers,) = self.connections.pipeline("watchers", &commands).await?;
        Ok(watchers)
    }

    /// The inbox of `replica`.
    pub fn inbox(&self, replica: &str) -> Inbox {
        Inbox {
            redis: Arc::clone(self.connections.redis()),
            key: self.keys.inbox(replica),
            seen: "0".to_owned(),
            connection: None,
        }
    }
}

/// The one reader of an inbox, on a connection of its own.
pub struct Inbox {
    redis: Arc<Redis>,
    key: String,
    seen: String,
    connection: Option<Handle>,
}

impl Inbox {
    /// The next letters, in order; none where none came for a while.
    ///
    /// # Errors
    /// Where Redis does not answer; call again after a while.
    pub async fn receive(&mut self) -> Result<Vec<String>, HotError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.redis.dedicated(BLOCK).await?,
        };
        let reply: Option<StreamReadReply> = cmd("XREAD")
            .arg("COUNT")
            .arg(BATCH)
            .arg("BLOCK")
            .arg(BLOCK.as_millis() as u64)
            .arg("STREAMS")
            .arg(&self.key)
            .arg(&self.seen)
            .query_async(&mut connection)
            .await?;
        let records = reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids);
        let (mut letters, mut read) = (Vec::new(), Vec::new());
        for record in records {
            letters.extend(record.get("l"));
            self.seen.clone_from(&record.id);
            read.push(record.id);
        }
        if !read.is_empty() {
            // They may have the words of a shopper, and nobody reads them again. If this fails, they
            // go with the inbox.
            let _ = cmd("XDEL").arg(&self.key).arg(read).exec_async(&mut connection).await;
        }
        self.connection = Some(connection);
        Ok(letters)
    }
}
