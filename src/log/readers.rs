//! The readers of a log, and whether any are left.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::turn::{Readers, TurnLog};

impl TurnLog {
    /// The current number of readers.
    pub fn readers(&self) -> usize {
        self.readers.borrow().now
    }

    async fn until(&self, so: impl Fn(&Readers) -> bool) {
        // Fails only without a sender, and `self` owns it.
        let _ = self.readers.subscribe().wait_for(so).await;
    }

    /// Waits until there is a reader.
    pub async fn is_read(&self) {
        self.until(|readers| readers.now > 0).await;
    }

    /// Counts as a reader for a moment, so that a log that fills only while it is read gets
    /// content.
    pub async fn awaken(self: &Arc<Self>, limit: Duration) {
        let _reader = self.read(None);
        let mut length = self.length.subscribe();
        let _ = tokio::time::timeout(limit, length.wait_for(|length| *length > 0)).await;
    }

    /// Marks the answer as promised to a reader that does not stay attached: the turn is not
    /// cancelled for lack of readers.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Resolves once there were readers and none has been attached for `grace`. Never resolves for
    /// a kept turn.
    pub async fn abandoned(&self, grace: Duration) {
        loop {
            self.until(|readers| readers.ever && readers.now == 0).await;
            if tokio::time::timeout(grace, self.is_read()).await.is_err() {
                break;
            }
        }
        if self.kept.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}
