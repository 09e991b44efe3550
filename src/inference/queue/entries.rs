//! The waiting requests. Each keeps its cell until it leaves.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    domain::Lane,
    inference::messages::{Acquire, QueuePosition, Refused},
};

/// The cell index of an entry.
pub type Key = usize;

/// Minimum time between two position updates of one request, so that a long queue does not flood
/// its shoppers with events.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// A waiting request.
#[derive(Debug)]
pub struct Entry {
    pub acquire: Acquire,
    pub arrived: Instant,
    /// The lane in which it waits now; after a promotion this differs from the lane it started in.
    pub(super) lane: Lane,
    told: Option<(Instant, QueuePosition)>,
    /// The first wait that was promised to it.
    promised: Option<Duration>,
}

impl Entry {
    pub(super) fn new(acquire: Acquire, now: Instant) -> Self {
        let lane = acquire.request.lane;
        Self { acquire, arrived: now, lane, told: None, promised: None }
    }

    /// Its deadline has passed, or its requester has left.
    pub(super) fn is_void(&self, now: Instant) -> bool {
        self.acquire.request.deadline <= now || self.acquire.reply.is_closed()
    }

    /// The last moment at which a slot is useful: its deadline, or the longest wait that it
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

    /// The first wait that was promised to it, if there was one.
    pub fn promised(&self) -> Option<Duration> {
        self.promised
    }
}

/// A request that must be refused.
#[derive(Debug)]
pub struct Dismissed {
    pub acquire: Acquire,
    pub refused: Refused,
}

impl Dismissed {
    pub(super) fn new(entry: Entry, refused: Refused) -> Self {
        Self { acquire: entry.acquire, refused }
    }

    /// Whether an interactive request is refused because the queue is too long.
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

    /// Up to `most` cells from `cursor` on, and the cell to continue with. Each cell appears once.
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
