//! The requests that wait, each in a cell that stays its own until it leaves.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    domain::Lane,
    inference::messages::{Acquire, QueuePosition, Refused},
};

/// The cell of an entry.
pub type Key = usize;

/// Between two positions that one request is told, so that a long queue costs its shoppers no flood
/// of events.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// A request that waits.
#[derive(Debug)]
pub struct Entry {
    pub acquire: Acquire,
    pub arrived: Instant,
    /// Where it waits now; not where it began if it was promoted.
    pub(super) lane: Lane,
    told: Option<(Instant, QueuePosition)>,
    /// The wait that it was told first.
    promised: Option<Duration>,
}

impl Entry {
    pub(super) fn new(acquire: Acquire, now: Instant) -> Self {
        let lane = acquire.request.lane;
        Self { acquire, arrived: now, lane, told: None, promised: None }
    }

    /// Its deadline passed or nobody waits for it any more.
    pub(super) fn is_void(&self, now: Instant) -> bool {
        self.acquire.request.deadline <= now || self.acquire.reply.is_closed()
    }

    /// The last moment at which a slot is of use: its deadline, or the longest wait that it
    /// accepts.
    pub(super) fn useful_until(&self) -> Instant {
        let request = &self.acquire.request;
        let patience = request.max_wait.map(|most| self.arrived + most);
        patience.map_or(request.deadline, |until| until.min(request.deadline))
    }

    pub(super) fn wants_to_be_told(&self, now: Instant) -> bool {
        self.told.is_none_or(|(at, _)| now.saturating_duration_since(at) >= TELL_AGAIN)
    }

    pub(super) fn tell(&mut self, position: QueuePosition, now: Instant) {
        self.promised.get_or_insert(position.eta);
        let moved = self.told.is_none_or(|(_, told)| told.position != position.position);
        self.told = Some((now, position));
        if let (true, Some(queued)) = (moved, &self.acquire.queued) {
            queued.send_replace(Some(position));
        }
    }

    /// The wait that it was told first, if it was told any.
    pub fn promised(&self) -> Option<Duration> {
        self.promised
    }
}

/// A request that must be told no.
#[derive(Debug)]
pub struct Dismissed {
    pub acquire: Acquire,
    pub refused: Refused,
}

impl Dismissed {
    pub(super) fn new(entry: Entry, refused: Refused) -> Self {
        Self { acquire: entry.acquire, refused }
    }

    /// Whether somebody in front of a screen is sent away because there is too much to wait for.
    pub fn is_for_the_wait(&self) -> bool {
        let too_long = matches!(self.refused, Refused::QueueFull { .. } | Refused::TooLate { .. });
        too_long && self.acquire.request.lane != Lane::Background
    }
}

#[derive(Debug, Default)]
pub struct Entries {
    cells: Vec<Option<Entry>>,
    free: Vec<Key>,
}

impl Entries {
    pub fn len(&self) -> usize {
        self.cells.len() - self.free.len()
    }

    pub fn insert(&mut self, entry: Entry) -> Key {
        if let Some(key) = self.free.pop() {
            self.cells[key] = Some(entry);
            return key;
        }
        self.cells.push(Some(entry));
        self.cells.len() - 1
    }

    pub fn remove(&mut self, key: Key) -> Option<Entry> {
        let entry = self.cells.get_mut(key)?.take()?;
        self.free.push(key);
        Some(entry)
    }

    pub fn get(&self, key: Key) -> Option<&Entry> {
        self.cells.get(key)?.as_ref()
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut Entry> {
        self.cells.get_mut(key)?.as_mut()
    }

    pub fn drain(&mut self) -> impl Iterator<Item = Entry> {
        self.free.clear();
        std::mem::take(&mut self.cells).into_iter().flatten()
    }

    /// The cells from `cursor` on, at most `most` of them, and where to go on; each cell once.
    pub fn walk(&self, cursor: Key, most: usize) -> (Vec<Key>, Key) {
        let cells = self.cells.len();
        if cells == 0 {
            return (Vec::new(), 0);
        }
        let walked = (0..cells.min(most)).map(|step| (cursor + step) % cells);
        let keys = walked.filter(|&key| self.cells[key].is_some()).collect();
        (keys, (cursor + cells.min(most)) % cells)
    }
}
