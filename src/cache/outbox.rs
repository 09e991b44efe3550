//! Changes to send to the other replicas. Bounded: entries may be dropped, purges never.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use super::{
    metrics,
    store::{Address, Entry, Scope},
};
use crate::domain::Timestamp;

/// A change that all replicas must receive, in this order.
#[derive(Clone)]
pub(super) enum Change {
    Put(Arc<Entry>),
    Purge {
        scope: Scope,
        at: Timestamp,
        /// Addresses of the entries that it removed here.
        addresses: Vec<Address>,
    },
}

#[derive(Default)]
pub(super) struct Outbox {
    /// Closed until a writer reads from it, so a process without Redis stores nothing.
    open: AtomicBool,
    changes: Mutex<VecDeque<Change>>,
    filled: Notify,
}

impl Outbox {
    const MOST: usize = 2048;

    pub(super) fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    pub(super) fn push(&self, change: Change) {
        if !self.open.load(Ordering::Acquire) {
            return;
        }
        let mut changes = self.changes();
        changes.push_back(change);
        if changes.len() > Self::MOST {
            Self::shrink(&mut changes);
        }
        drop(changes);
        self.filled.notify_one();
    }

    fn shrink(changes: &mut VecDeque<Change>) {
        let oldest_entry = changes.iter().position(|change| matches!(change, Change::Put(_)));
        if let Some(at) = oldest_entry {
            changes.remove(at);
            metrics::dropped();
            return;
        }
        // Only purges are left: one purge of everything covers them all.
        let latest = changes.iter().map(|change| match change {
            Change::Purge { at, .. } => *at,
            Change::Put(entry) => entry.answer.made_at,
        });
        if let Some(at) = latest.max() {
            changes.clear();
            changes.push_back(Change::Purge {
                scope: Scope::Everything,
                at,
                addresses: Vec::new(),
            });
        }
    }

    /// Waits for changes and returns the oldest, at most `limit`, without removing them.
    pub(super) async fn oldest(&self, limit: usize) -> Vec<Change> {
        loop {
            let oldest: Vec<Change> = self.changes().iter().take(limit).cloned().collect();
            if !oldest.is_empty() {
                return oldest;
            }
            self.filled.notified().await;
        }
    }

    /// Whether a purge of `scope`, or of everything, waits to be sent.
    pub(super) fn holds(&self, scope: &Scope) -> bool {
        self.changes().iter().any(|change| match change {
            Change::Purge { scope: waiting, .. } => {
                waiting == scope || *waiting == Scope::Everything
            }
            Change::Put(_) => false,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes().is_empty()
    }

    /// Removes changes that have arrived. Those that were dropped or merged meanwhile are already
    /// gone.
    pub(super) fn sent(&self, sent: &[Change]) {
        let mut changes = self.changes();
        for change in sent {
            if changes.front().is_some_and(|front| front.is(change)) {
                changes.pop_front();
            }
        }
    }

    fn changes(&self) -> MutexGuard<'_, VecDeque<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Put(a), Self::Put(b)) => Arc::ptr_eq(a, b),
            (Self::Purge { scope: a, at: x, .. }, Self::Purge { scope: b, at: y, .. }) => {
                a == b && x == y
            }
            (Self::Put(_), Self::Purge { .. }) | (Self::Purge { .. }, Self::Put(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::tests::{answer, entry_with, question},
        domain::SiteId,
    };

    fn put() -> Change {
        Change::Put(Arc::new(entry_with(question("do you ship"), None, answer("yes"))))
    }

    fn purge(at: i64) -> Change {
        let scope = Scope::Site(SiteId::parse("shop").unwrap());
        Change::Purge { scope, at: Timestamp::from_millis(at), addresses: Vec::new() }
    }

    #[tokio::test]
    async fn a_full_outbox_drops_entries_and_never_a_purge() {
        let outbox = Outbox::default();
        outbox.push(put());
        assert!(outbox.is_empty(), "nobody takes from a closed outbox");
        outbox.open();
        outbox.push(purge(1));
        for _ in 0..2 * Outbox::MOST {
            outbox.push(put());
        }
        let first = outbox.oldest(1).await;
        assert!(first[0].is(&purge(1)));
        assert_eq!(outbox.changes().len(), Outbox::MOST);
        for at in 2..=2 * Outbox::MOST as i64 {
            outbox.push(purge(at));
        }
        let all = outbox.oldest(usize::MAX).await;
        assert!(all.len() <= Outbox::MOST);
        assert!(
            all.iter()
                .any(|change| matches!(change, Change::Purge { scope: Scope::Everything, .. }))
        );
    }

    #[tokio::test]
    async fn what_was_sent_leaves_and_what_came_meanwhile_stays() {
        let outbox = Outbox::default();
        outbox.open();
        outbox.push(purge(1));
        let sent = outbox.oldest(8).await;
        outbox.push(purge(2));
        outbox.sent(&sent);
        assert!(outbox.oldest(8).await[0].is(&purge(2)));
    }
}
