//! What a replica remembers so that its sessions go on while redis is unreachable and are right
//! when it is back.
//!
//! A session whose appends went to the archive is *detached*: the hot copy is behind, so nothing of
//! it is read or written there until the two agree again. What only the hot store had is kept in
//! `Unsaved` and brought along.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{metrics, unsaved::Unsaved};
use crate::domain::{Append, SessionCopy, SessionId, SessionMeta};

/// Bytes kept a second time.
const MAX_UNSAVED: usize = 64 << 20;
/// Detached sessions remembered here; the archive remembers all of them.
const MAX_DETACHED: usize = 200_000;

pub struct Fallback {
    state: Mutex<State>,
    /// How long after an outage hot copies are compared with the archive when they are opened.
    suspicion: Duration,
}

struct State {
    unsaved: Unsaved,
    detached: HashSet<SessionId>,
    /// When the hot store was last known to be away.
    outage: Option<Instant>,
}

impl Fallback {
    /// `suspicion`: as long as the hot store keeps a session that nobody uses.
    pub fn new(suspicion: Duration) -> Self {
        let unsaved = Unsaved::new(MAX_UNSAVED);
        let state = State { unsaved, detached: HashSet::new(), outage: None };
        Self { state: Mutex::new(state), suspicion }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn created(&self, meta: &SessionMeta) {
        self.state().unsaved.created(meta, Instant::now());
    }

    pub fn appended(&self, append: &Append) {
        self.state().unsaved.appended(append, Instant::now());
    }

    pub fn unsaved(&self, id: SessionId) -> Option<SessionCopy> {
        self.state().unsaved.get(id).cloned()
    }

    pub fn saved(&self, id: SessionId, through_seq: u64) {
        self.state().unsaved.saved(id, through_seq);
    }

    pub fn forget(&self, id: SessionId) {
        self.state().unsaved.forget(id);
    }

    /// At most `limit` sessions that may be unsaved for `age` or longer, each once in that time.
    pub fn aged(&self, age: Duration, limit: usize) -> Vec<SessionId> {
        self.state().unsaved.aged(age, limit, Instant::now())
    }

    pub fn detach(&self, id: SessionId) {
        let mut state = self.state();
        if state.detached.len() < MAX_DETACHED && state.detached.insert(id) {
            metrics::detached();
        }
    }

    pub fn attach(&self, id: SessionId) {
        self.state().detached.remove(&id);
    }

    pub fn is_detached(&self, id: SessionId) -> bool {
        self.state().detached.contains(&id)
    }

    pub fn detached(&self, limit: usize) -> Vec<SessionId> {
        self.state().detached.iter().take(limit).copied().collect()
    }

    /// Redis is unreachable now.
    pub fn outage(&self) {
        self.state().outage = Some(Instant::now());
    }

    /// How long ago the hot store was away, if it was.
    pub fn since_outage(&self) -> Option<Duration> {
        self.state().outage.map(|at| at.elapsed())
    }

    /// Whether a hot copy may be older than the archive: a store that came back may have lost its
    /// last moments, and another replica may have gone on without it.
    pub fn is_suspicious(&self) -> bool {
        self.since_outage().is_some_and(|since| since < self.suspicion)
    }

    /// For the gauges.
    pub fn measure(&self) {
        let state = self.state();
        metrics::fallback(state.unsaved.sessions(), state.detached.len());
    }
}
