//! How much of a session stays hot.

use crate::domain::{Event, Running, SessionCopy, SessionMeta};

/// Parts that the dirty marks are spread over; each is one hash tag, so one slot of a Redis
/// Cluster.
pub(super) const SHARDS: u16 = 64;
/// Flushed events of a session that stay hot, for readers that reconnect.
pub(super) const TAIL: usize = 128;
/// Flushed idempotency records of a session that stay hot; older ones are in the archive only.
pub(super) const RECORDS: usize = 256;
/// Sessions of one owner in the index, newest first; older ones are in the archive only.
pub(super) const OWNED: usize = 1000;

/// A session as it is now.
#[derive(Clone, Debug)]
pub struct HotSession {
    pub meta: SessionMeta,
    /// Ascending tail that is still hot, gapless up to `meta.last_seq`.
    pub events: Vec<Event>,
    pub running: Option<Running>,
    /// The archive has everything up to here.
    pub flushed_seq: u64,
}

/// The newest events of a copy: what a hot store keeps of a flushed session.
pub(super) fn newest(copy: &SessionCopy) -> &[Event] {
    &copy.events[copy.events.len().saturating_sub(TAIL)..]
}
