//! Who reads a log, and whether anybody is left to answer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::turn::{Readers, TurnLog};

impl TurnLog {
    /// How many read it now.
    pub fn readers(&self) -> usize {
        self.readers.borrow().now
    }

    async fn until(&self, so: impl Fn(&Readers) -> bool) {
        // Fails only without a sender, and `self` owns it.
        let _ = self.readers.subscribe().wait_for(so).await;
    }

    /// Waits until somebody reads.
    pub async fn is_read(&self) {
        self.until(|readers| readers.now > 0).await;
    }

    /// Reads for a moment, so that a log that fills only while it is read has something to show.
    pub async fn awaken(self: &Arc<Self>, limit: Duration) {
        let _reader = self.read(None);
        let mut length = self.length.subscribe();
        let _ = tokio::time::timeout(limit, length.wait_for(|length| *length > 0)).await;
    }

    /// Promises the answer to somebody who does not stay attached: the turn is not given up for
    /// lack of readers.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Resolves when there were readers and none has been attached for `grace`; never for a kept
    /// turn.
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
