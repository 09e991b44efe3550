//! Live sessions in this process: the hot store of the embedded mode, with the semantics of the
//! Redis one.
//!
//! Sessions that are wholly flushed go after their idle time, or earlier when there are too many;
//! both happen when their shard is next used, never in a sweep. What is not flushed stays. Locks
//! are held for a few map operations and never over an `await`; an owner's lock is only ever taken
//! inside a shard's lock or alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    error::HotError,
    keys::shard_of,
    session::{HotSession, OWNED, RECORDS, SHARDS, TAIL, newest},
};
use crate::domain::{
    Append, Appended, Event, IdempotencyRecord, PrincipalId, Running, RunningChange, SessionCopy,
    SessionId, SessionMeta,
};

/// The hot store of the embedded mode.
pub struct MemoryHot {
    shards: Vec<Mutex<Shard>>,
    owners: Vec<Mutex<HashMap<PrincipalId, BTreeSet<SessionId>>>>,
    /// Until when each process counts as alive.
    beats: Mutex<HashMap<String, Instant>>,
    hot_ttl: Duration,
    max_per_shard: usize,
}

#[derive(Default)]
struct Shard {
    sessions: HashMap<SessionId, Session>,
    /// Dirty sessions by the time of their mark, as a count.
    dirty: BTreeMap<u64, SessionId>,
    marks: u64,
    /// Wholly flushed sessions by the end of their idle time.
    expiring: BTreeSet<(Instant, SessionId)>,
}

struct Session {
    meta: SessionMeta,
    /// The last one has the number `meta.last_seq`.
    events: VecDeque<Event>,
    records: HashMap<String, IdempotencyRecord>,
    /// Keys of `records` with the `seq` of their append, oldest first.
    order: VecDeque<(u64, String)>,
    running: Option<Running>,
    flushed: u64,
    mark: Option<u64>,
    expires: Option<Instant>,
}

impl Default for MemoryHot {
    fn default() -> Self {
        Self::new(Duration::from_hours(1), 100_000)
    }
}

impl MemoryHot {
    /// `hot_ttl`: idle time of a flushed session. `max_sessions`: above it flushed sessions go
    /// earlier.
    pub fn new(hot_ttl: Duration, max_sessions: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            owners: (0..SHARDS).map(|_| Mutex::default()).collect(),
            beats: Mutex::default(),
            hot_ttl,
            max_per_shard: max_sessions.div_ceil(usize::from(SHARDS)),
        }
    }

    pub(super) async fn create(&self, meta: &SessionMeta) -> Result<(), HotError> {
        let mut shard = self.shard_of(meta.id);
        if let Entry::Vacant(place) = shard.sessions.entry(meta.id) {
            self.index(meta);
            place.insert(Session::new(meta.clone(), &[], 0));
            shard.mark(meta.id);
        }
        Ok(())
    }

    pub(super) async fn append(
        &self,
        append: &Append,
    ) -> Result<(Appended, Vec<String>), HotError> {
        Ok((self.append_step(append), Vec::new()))
    }

    fn append_step(&self, append: &Append) -> Appended {
        let id = append.meta.id;
        let mut shard = self.shard_of(id);
        let Some(session) = shard.sessions.get_mut(&id) else { return Appended::Missing };
        let key = append.idempotency.as_ref().map(|record| &record.key);
        if let Some(record) = key.and_then(|key| session.records.get(key)) {
            return Appended::Replayed(record.clone());
        }
        if session.meta.last_seq != append.expected_seq {
            return Appended::Conflict { last_seq: session.meta.last_seq };
        }
        session.change(&append.running);
        if !append.events.is_empty() {
            session.add(append);
            shard.mark(id);
        }
        Appended::Done
    }

    pub(super) async fn load(
        &self,
        id: SessionId,
        tail: u32,
    ) -> Result<Option<HotSession>, HotError> {
        let shard = self.shard_of(id);
        Ok(shard.sessions.get(&id).map(|session| HotSession {
            meta: session.meta.clone(),
            events: session.newest(tail as usize),
            running: session.running.clone(),
            flushed_seq: session.flushed,
        }))
    }

    pub(super) async fn events(
        &self,
        id: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Option<Vec<Event>>, HotError> {
        let shard = self.shard_of(id);
        Ok(shard.sessions.get(&id).and_then(|session| session.after(after_seq, limit as usize)))
    }

    pub(super) async fn idempotency(
        &self,
        id: SessionId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, HotError> {
        let shard = self.shard_of(id);
        Ok(shard.sessions.get(&id).and_then(|session| session.records.get(key).cloned()))
    }

    pub(super) async fn restore(&self, cold: &SessionCopy) -> Result<(), HotError> {
        let meta = &cold.meta;
        let mut shard = self.shard_of(meta.id);
        if let Entry::Vacant(place) = shard.sessions.entry(meta.id) {
            self.index(meta);
            place.insert(Session::restored(cold));
            shard.expire_at(meta.id, Instant::now() + self.hot_ttl);
        }
        Ok(())
    }

    pub(super) async fn replace(
        &self,
        copy: Option<u64>,
        cold: &SessionCopy,
        running: &RunningChange,
    ) -> Result<bool, HotError> {
        let meta = &cold.meta;
        let mut shard = self.shard_of(meta.id);
        let before = shard.sessions.remove(&meta.id);
        if before.as_ref().map(|session| session.meta.last_seq) != copy {
            if let Some(before) = before {
                shard.sessions.insert(meta.id, before);
            }
            return Ok(false);
        }
        let mut session = Session::restored(cold);
        if let Some(before) = before {
            if let Some(mark) = before.mark {
                shard.dirty.remove(&mark);
            }
            if let Some(expires) = before.expires {
                shard.expiring.remove(&(expires, meta.id));
            }
            for (seq, key) in before.order {
                if let Some(record) = before.records.get(&key) {
                    session.record(seq, record);
                }
            }
            session.running = before.running;
        }
        session.change(running);
        self.index(meta);
        shard.sessions.insert(meta.id, session);
        shard.expire_at(meta.id, Instant::now() + self.hot_ttl);
        Ok(true)
    }

    pub(super) async fn owned(
        &self,
        owner: PrincipalId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionMeta>, HotError> {
        let ids: Vec<SessionId> = match (self.owner(owner).get(&owner), before) {
            (None, _) => Vec::new(),
            (Some(ids), None) => ids.iter().rev().copied().collect(),
            (Some(ids), Some(before)) => ids.range(..before).rev().copied().collect(),
        };
        let metas = ids.into_iter().filter_map(|id| {
            self.shard_of(id).sessions.get(&id).map(|session| session.meta.clone())
        });
        Ok(metas.filter(|meta| meta.owner == owner).take(limit as usize).collect())
    }

    pub(super) async fn dirty(&self, shard: u16, limit: u32) -> Result<Vec<SessionId>, HotError> {
        let Some(shard) = self.shards.get(usize::from(shard)) else { return Ok(Vec::new()) };
        Ok(lock(shard).dirty.values().take(limit as usize).copied().collect())
    }

    pub(super) async fn unflushed(&self, id: SessionId) -> Result<Option<SessionCopy>, HotError> {
        let shard = self.shard_of(id);
        Ok(shard.sessions.get(&id).map(Session::unflushed))
    }

    pub(super) async fn mark_flushed(
        &self,
        id: SessionId,
        through_seq: u64,
    ) -> Result<(), HotError> {
        let mut shard = self.shard_of(id);
        let Some(session) = shard.sessions.get_mut(&id) else { return Ok(()) };
        session.flush(through_seq);
        let whole = session.flushed >= session.meta.last_seq;
        if let Some(mark) = session.mark.take() {
            shard.dirty.remove(&mark);
        }
        if whole {
            shard.expire_at(id, Instant::now() + self.hot_ttl);
        } else {
            // A new mark is the end of the line: one busy session must not keep the others from the
            // archive.
            shard.mark(id);
        }
        Ok(())
    }

    pub(super) async fn erase(&self, id: SessionId, owner: PrincipalId) -> Result<(), HotError> {
        let mut shard = self.shard_of(id);
        self.forget(&mut shard, id);
        self.unindex(owner, id);
        Ok(())
    }

    pub(super) async fn beat(&self, replica: &str, ttl: Duration) -> Result<(), HotError> {
        lock(&self.beats).insert(replica.to_owned(), Instant::now() + ttl);
        Ok(())
    }

    pub(super) async fn is_beating(&self, replica: &str) -> Result<bool, HotError> {
        Ok(lock(&self.beats).get(replica).is_some_and(|until| *until > Instant::now()))
    }

    pub(super) async fn bury(&self, replica: &str) -> Result<(), HotError> {
        lock(&self.beats).remove(replica);
        Ok(())
    }

    pub(super) async fn ping(&self) -> Result<(), HotError> {
        Ok(())
    }

    /// The shard of a session, rid of what has expired or is too much.
    fn shard_of(&self, id: SessionId) -> MutexGuard<'_, Shard> {
        let mut shard = lock(&self.shards[usize::from(shard_of(id))]);
        let now = Instant::now();
        while let Some(&(expires, oldest)) = shard.expiring.first()
            && (expires <= now || shard.sessions.len() > self.max_per_shard)
        {
            self.forget(&mut shard, oldest);
        }
        shard
    }

    fn forget(&self, shard: &mut Shard, id: SessionId) {
        let Some(session) = shard.sessions.remove(&id) else { return };
        if let Some(mark) = session.mark {
            shard.dirty.remove(&mark);
        }
        if let Some(expires) = session.expires {
            shard.expiring.remove(&(expires, id));
        }
        self.unindex(session.meta.owner, id);
    }

    fn index(&self, meta: &SessionMeta) {
        let mut owners = self.owner(meta.owner);
        let ids = owners.entry(meta.owner).or_default();
        ids.insert(meta.id);
        if ids.len() > OWNED {
            ids.pop_first();
        }
    }

    fn unindex(&self, owner: PrincipalId, id: SessionId) {
        let mut owners = self.owner(owner);
        if let Some(ids) = owners.get_mut(&owner) {
            ids.remove(&id);
            if ids.is_empty() {
                owners.remove(&owner);
            }
        }
    }

    fn owner(
        &self,
        owner: PrincipalId,
    ) -> MutexGuard<'_, HashMap<PrincipalId, BTreeSet<SessionId>>> {
        lock(&self.owners[(owner.0.as_u128() % u128::from(SHARDS)) as usize])
    }
}

impl Shard {
    /// Puts a session into the archivist's line, unless it stands there.
    fn mark(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Some(expires) = session.expires.take() {
            self.expiring.remove(&(expires, id));
        }
        if session.mark.is_none() {
            self.marks += 1;
            session.mark = Some(self.marks);
            self.dirty.insert(self.marks, id);
        }
    }

    fn expire_at(&mut self, id: SessionId, at: Instant) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Some(before) = session.expires.replace(at) {
            self.expiring.remove(&(before, id));
        }
        self.expiring.insert((at, id));
    }
}

impl Session {
    fn new(meta: SessionMeta, events: &[Event], flushed: u64) -> Self {
        Self {
            meta,
            events: events.iter().cloned().collect(),
            records: HashMap::new(),
            order: VecDeque::new(),
            running: None,
            flushed,
            mark: None,
            expires: None,
        }
    }

    fn restored(cold: &SessionCopy) -> Self {
        let mut session = Self::new(cold.meta.clone(), newest(cold), cold.meta.last_seq);
        for (seq, record) in cold.records() {
            session.record(seq, record);
        }
        session
    }

    /// The first record of a key counts.
    fn record(&mut self, seq: u64, record: &IdempotencyRecord) {
        if let Entry::Vacant(place) = self.records.entry(record.key.clone()) {
            place.insert(record.clone());
            let at = self.order.partition_point(|(other, _)| *other <= seq);
            self.order.insert(at, (seq, record.key.clone()));
        }
    }

    fn change(&mut self, running: &RunningChange) {
        match running {
            RunningChange::Keep => {}
            RunningChange::Start(running) => self.running = Some(running.clone()),
            RunningChange::Clear => self.running = None,
        }
    }

    fn add(&mut self, append: &Append) {
        self.events.extend(append.events.iter().cloned());
        self.meta.clone_from(&append.meta);
        if let Some(record) = &append.idempotency {
            self.record(append.meta.last_seq, record);
        }
    }

    fn newest(&self, count: usize) -> Vec<Event> {
        self.events.range(self.events.len().saturating_sub(count)..).cloned().collect()
    }

    fn after(&self, seq: u64, limit: usize) -> Option<Vec<Event>> {
        if seq >= self.meta.last_seq {
            return Some(Vec::new());
        }
        let before_first = self.meta.last_seq - self.events.len() as u64;
        let from = usize::try_from(seq.checked_sub(before_first)?).ok()?;
        Some(self.events.range(from..).take(limit).cloned().collect())
    }

    fn unflushed(&self) -> SessionCopy {
        let missing = (self.meta.last_seq - self.flushed) as usize;
        let newer = self.order.iter().rev().take_while(|(seq, _)| *seq > self.flushed);
        let mut records: Vec<_> =
            newer.filter_map(|(_, key)| self.records.get(key).cloned()).collect();
        records.reverse();
        SessionCopy { meta: self.meta.clone(), events: self.newest(missing), idempotency: records }
    }

    fn flush(&mut self, through_seq: u64) {
        self.flushed = self.flushed.max(through_seq.min(self.meta.last_seq));
        let unflushed = (self.meta.last_seq - self.flushed) as usize;
        let surplus = self.events.len().saturating_sub(TAIL.max(unflushed));
        self.events.drain(..surplus);
        while self.order.len() > RECORDS && self.order[0].0 <= self.flushed {
            if let Some((_, key)) = self.order.pop_front() {
                self.records.remove(&key);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
