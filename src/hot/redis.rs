//! Live sessions in Redis, shared by all replicas.
//!
//! What must be atomic is a script on the keys of one session. The owner index lies in another
//! slot, so it is written before the session: an entry without a session is skipped by readers, a
//! session without its entry would be lost to them.

use std::time::Duration;

use deadpool_redis::redis::{AsyncCommands, FromRedisValue, Script, ScriptInvocation, pipe};
use futures_util::future::try_join_all;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    connection::Connections,
    error::HotError,
    keys::{Keys, shard_of},
    session::{HotSession, OWNED, RECORDS, TAIL, newest},
};
use crate::{
    config,
    domain::{
        Append, Appended, Event, IdempotencyRecord, PrincipalId, RunningChange, SessionCopy,
        SessionId, SessionMeta, check_gapless,
    },
    redis::Handle,
};

/// Life of an owner's index after its last new session. Far longer than any outage of the archive,
/// which has the rest.
const OWNER_TTL: Duration = Duration::from_hours(7 * 24);

/// The hot store of the distributed mode.
pub struct RedisHot {
    pub(super) connections: Connections,
    pub(super) keys: Keys,
    hot_ttl: Duration,
    pub(super) scripts: Box<Scripts>,
}

macro_rules! scripts {
    ($($name:ident),+ $(,)?) => {
        pub(super) struct Scripts { $(pub(super) $name: Script,)+ }

        impl Scripts {
            fn new() -> Self {
                Self { $($name: Script::new(include_str!(concat!("scripts/", stringify!($name), ".lua"))),)+ }
            }
        }
    };
}

scripts!(
    append,
    create,
    erase,
    events,
    load,
    mark_flushed,
    release,
    renew,
    replace,
    restore,
    unflushed
);

impl RedisHot {
    /// # Errors
    /// [`HotError::Unavailable`] if `store.redis_url` is not a Redis address.
    pub fn new(store: &config::Store) -> Result<Self, HotError> {
        Ok(Self {
            connections: Connections::new(store)?,
            keys: Keys::new(&store.redis_prefix),
            hot_ttl: store.hot_ttl,
            scripts: Box::new(Scripts::new()),
        })
    }

    pub(super) async fn create(&self, meta: &SessionMeta) -> Result<(), HotError> {
        let mut call = self.scripts.create.prepare_invoke();
        call.key(self.keys.session(meta.id).meta).key(self.keys.dirty(shard_of(meta.id)));
        call.arg(meta.id.to_string()).arg(encode(meta)?);
        self.with_index("create", meta, &call).await
    }

    pub(super) async fn append(
        &self,
        append: &Append,
    ) -> Result<(Appended, Vec<String>), HotError> {
        let mut call = self.on_session(&self.scripts.append, append.meta.id);
        call.arg(append.expected_seq).arg(append.meta.last_seq).arg(encode(&append.meta)?);
        match &append.idempotency {
            Some(record) => call.arg(&record.key).arg(encode(record)?),
            None => call.arg("").arg(""),
        };
        with_running(&mut call, &append.running)?;
        for event in &append.events {
            call.arg(encode(event)?);
        }
        let mut reply: Vec<String> = self.connections.script("append", &call).await?;
        let watchers = reply.split_off(reply.len().min(2));
        let [word, detail] = &reply[..] else { return Err(HotError::Corrupt("unexpected reply")) };
        let appended = match word.as_str() {
            "done" => Appended::Done,
            "missing" => Appended::Missing,
            "replayed" => decode(detail).map(Appended::Replayed)?,
            "conflict" => Appended::Conflict {
                last_seq: detail.parse().map_err(|_| HotError::Corrupt("seq is not a number"))?,
            },
            _ => return Err(HotError::Corrupt("unexpected reply")),
        };
        Ok((appended, watchers))
    }

    pub(super) async fn load(
        &self,
        id: SessionId,
        tail: u32,
    ) -> Result<Option<HotSession>, HotError> {
        let keys = self.keys.session(id);
        let mut call = self.scripts.load.prepare_invoke();
        call.key(keys.meta).key(keys.events).arg(tail);
        let found: Option<(String, String, u64, Vec<String>)> =
            self.connections.script("load", &call).await?;
        let Some((meta, running, flushed_seq, events)) = found else { return Ok(None) };
        let meta: SessionMeta = decode(&meta)?;
        let events = decode_all(&events)?;
        check_gapless(&events, meta.last_seq)?;
        let running = if running.is_empty() { None } else { Some(decode(&running)?) };
        Ok(Some(HotSession { meta, events, running, flushed_seq }))
    }

    pub(super) async fn events(
        &self,
        id: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Option<Vec<Event>>, HotError> {
        let keys = self.keys.session(id);
        let mut call = self.scripts.events.prepare_invoke();
        call.key(keys.meta).key(keys.events).arg(after_seq).arg(limit);
        let found: Option<Vec<String>> = self.connections.script("events", &call).await?;
        found.map(|events| decode_all(&events)).transpose()
    }

    pub(super) async fn idempotency(
        &self,
        id: SessionId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, HotError> {
        let mut commands = pipe();
        commands.hget(self.keys.session(id).records, key);
        let (found,): (Option<String>,) =
            self.connections.pipeline("idempotency", &commands).await?;
        found.map(|record| decode(&record)).transpose()
    }

    pub(super) async fn restore(&self, cold: &SessionCopy) -> Result<(), HotError> {
        let mut call = self.on_session(&self.scripts.restore, cold.meta.id);
        self.with_cold(&mut call, cold)?;
        self.with_index("restore", &cold.meta, &call).await
    }

    /// Reads on past entries whose session is gone, so that a page is short only at the end of the
    /// index.
    pub(super) async fn owned(
        &self,
        owner: PrincipalId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionMeta>, HotError> {
        let index = self.keys.owner(owner);
        let limit = limit as usize;
        let mut below = before.map_or_else(|| "+".to_owned(), |id| format!("({id}"));
        let mut found = Vec::new();
        let pages = async {
            while found.len() < limit {
                let mut commands = pipe();
                commands.zrevrangebylex_limit(&index, &below, "-", 0, limit as isize);
                let (ids,): (Vec<String>,) = self.connections.run_pipeline(&commands).await?;
                let Some(last) = ids.last() else { break };
                below = format!("({last}");
                let metas = self.metas(&ids).await?;
                found.extend(metas.into_iter().filter(|meta| meta.owner == owner));
            }
            Ok(())
        };
        self.connections.bounded("owned", pages).await?;
        found.truncate(limit);
        Ok(found)
    }

    /// The sessions lie in many slots, so each is asked for by itself; all questions go out
    /// together.
    async fn metas(&self, ids: &[String]) -> Result<Vec<SessionMeta>, HotError> {
        let connection = self.connections.connection().await?;
        let metas = ids.iter().map(|id| {
            let mut shared = Handle::clone(&connection);
            async move {
                let key = self.keys.session(parse_id(id)?).meta;
                let meta: Option<String> = shared.hget(key, "meta").await?;
                Ok::<_, HotError>(meta)
            }
        });
        let metas = try_join_all(metas).await?;
        metas.iter().flatten().map(|meta| decode(meta)).collect()
    }

    pub(super) async fn replace(
        &self,
        copy: Option<u64>,
        cold: &SessionCopy,
        running: &RunningChange,
    ) -> Result<bool, HotError> {
        let mut call = self.on_session(&self.scripts.replace, cold.meta.id);
        call.arg(copy.map_or_else(String::new, |seq| seq.to_string()));
        with_running(&mut call, running)?;
        self.with_cold(&mut call, cold)?;
        self.with_index("replace", &cold.meta, &call).await
    }

    pub(super) async fn dirty(&self, shard: u16, limit: u32) -> Result<Vec<SessionId>, HotError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut commands = pipe();
        commands.zrange(self.keys.dirty(shard), 0, limit as isize - 1);
        let (ids,): (Vec<String>,) = self.connections.pipeline("dirty", &commands).await?;
        ids.iter().map(|id| parse_id(id)).collect()
    }

    pub(super) async fn unflushed(&self, id: SessionId) -> Result<Option<SessionCopy>, HotError> {
        let call = self.on_session(&self.scripts.unflushed, id);
        let found: Option<(String, usize, Vec<String>, Vec<String>)> =
            self.connections.script("unflushed", &call).await?;
        let Some((meta, missing, events, records)) = found else { return Ok(None) };
        let meta: SessionMeta = decode(&meta)?;
        if events.len() != missing {
            return Err(HotError::Corrupt("unflushed events are gone; is eviction on?"));
        }
        let events = decode_all(&events)?;
        check_gapless(&events, meta.last_seq)?;
        Ok(Some(SessionCopy { meta, events, idempotency: decode_all(&records)? }))
    }

    pub(super) async fn mark_flushed(
        &self,
        id: SessionId,
        through_seq: u64,
    ) -> Result<(), HotError> {
        let mut call = self.on_session(&self.scripts.mark_flushed, id);
        call.arg(through_seq).arg(TAIL).arg(RECORDS).arg(millis(self.hot_ttl));
        self.connections.script("mark_flushed", &call).await
    }

    pub(super) async fn erase(&self, id: SessionId, owner: PrincipalId) -> Result<(), HotError> {
        let call = self.on_session(&self.scripts.erase, id);
        let mut unindex = pipe();
        unindex.zrem(self.keys.owner(owner), id.to_string()).ignore();
        let steps = async {
            let () = self.connections.run_script(&call).await?;
            self.connections.run_pipeline(&unindex).await
        };
        self.connections.bounded("erase", steps).await
    }

    pub(super) async fn ping(&self) -> Result<(), HotError> {
        let mut commands = pipe();
        commands.cmd("PING").ignore();
        self.connections.observed("ping", self.connections.run_pipeline(&commands)).await
    }

    pub(super) fn is_up(&self) -> bool {
        self.connections.is_up()
    }

    /// A call with the keys of the session, its shard's dirty set before the watchers, and the id
    /// as first argument.
    fn on_session<'a>(&self, script: &'a Script, id: SessionId) -> ScriptInvocation<'a> {
        let keys = self.keys.session(id);
        let mut call = script.prepare_invoke();
        call.key(keys.meta).key(keys.events).key(keys.records).key(keys.order);
        call.key(self.keys.dirty(shard_of(id))).key(keys.watchers).arg(id.to_string());
        call
    }

    /// Meta JSON, seq, time to live in ms, number of records, each record as seq, key and JSON,
    /// then each event as JSON.
    fn with_cold(
        &self,
        call: &mut ScriptInvocation<'_>,
        cold: &SessionCopy,
    ) -> Result<(), HotError> {
        call.arg(encode(&cold.meta)?).arg(cold.meta.last_seq).arg(millis(self.hot_ttl));
        call.arg(cold.records().count());
        for (seq, record) in cold.records() {
            call.arg(seq).arg(&record.key).arg(encode(record)?);
        }
        for event in newest(cold) {
            call.arg(encode(event)?);
        }
        Ok(())
    }

    /// Writes the owner's index, then runs a script that makes the session.
    async fn with_index<T: FromRedisValue>(
        &self,
        operation: &'static str,
        meta: &SessionMeta,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, HotError> {
        let key = self.keys.owner(meta.owner);
        let mut index = pipe();
        index.zadd(&key, meta.id.to_string(), 0).ignore();
        index.zremrangebyrank(&key, 0, -(OWNED as isize) - 1).ignore();
        index.expire(&key, OWNER_TTL.as_secs() as i64).ignore();
        let steps = async {
            let () = self.connections.run_pipeline(&index).await?;
            self.connections.run_script(call).await
        };
        self.connections.bounded(operation, steps).await
    }
}

fn with_running(call: &mut ScriptInvocation<'_>, running: &RunningChange) -> Result<(), HotError> {
    match running {
        RunningChange::Keep => call.arg("keep").arg(""),
        RunningChange::Start(running) => call.arg("start").arg(encode(running)?),
        RunningChange::Clear => call.arg("clear").arg(""),
    };
    Ok(())
}

fn encode<T: Serialize>(value: &T) -> Result<String, HotError> {
    serde_json::to_string(value).map_err(|_| HotError::Corrupt("value has no JSON form"))
}

/// The parser's own message is dropped, for it may quote what a customer wrote.
fn decode<T: DeserializeOwned>(text: &str) -> Result<T, HotError> {
    serde_json::from_str(text).map_err(|_| HotError::Corrupt("stored JSON cannot be read"))
}

fn decode_all<T: DeserializeOwned>(texts: &[String]) -> Result<Vec<T>, HotError> {
    texts.iter().map(|text| decode(text)).collect()
}

fn parse_id(text: &str) -> Result<SessionId, HotError> {
    text.parse().map_err(|_| HotError::Corrupt("session id is not a UUID"))
}

/// At least one millisecond, for Redis refuses a time to live of zero.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
}
