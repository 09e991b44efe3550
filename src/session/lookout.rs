//! Looks for what other replicas did to the sessions that are open here.
//!
//! A letter tells it at once. But letters may be lost, and without Redis there are none; then the
//! archive is the only one that knows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

use super::feed::Feed;
use crate::{
    domain::SessionId,
    journal::{Journal, JournalError},
    relay::{Rumour, RumourPort},
};

/// Sessions of one query.
const PAGE: usize = 500;
/// A round that takes longer is given up.
const ROUND: Duration = Duration::from_secs(10);

/// The sessions that are open in this process.
#[derive(Default)]
pub struct Lookout {
    open: Mutex<HashMap<SessionId, Open>>,
}

struct Open {
    feed: Arc<Feed>,
    actor: RumourPort,
}

impl Lookout {
    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session is open here, and shown by `feed`.
    pub fn enter(&self, feed: &Arc<Feed>, actor: RumourPort) {
        self.open().insert(feed.session_id(), Open { feed: Arc::clone(feed), actor });
    }

    /// The actor shows its session by another feed from now on.
    pub fn replace(&self, feed: &Arc<Feed>) {
        if let Some(open) = self.open().get_mut(&feed.session_id()) {
            open.feed = Arc::clone(feed);
        }
    }

    /// The session is not open here any more, unless another actor has opened it.
    pub fn leave(&self, feed: &Arc<Feed>) {
        let mut open = self.open();
        if open.get(&feed.session_id()).is_some_and(|known| Arc::ptr_eq(&known.feed, feed)) {
            open.remove(&feed.session_id());
        }
    }

    /// These sessions were erased.
    pub fn erased(&self, sessions: &[SessionId]) {
        sessions.iter().for_each(|id| self.tell(*id, Rumour::Erased));
    }

    /// Asks the archive once about all sessions that are read here. To be called once a second.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn round(&self, journal: &Journal) -> Result<(), JournalError> {
        timeout(ROUND, self.look(journal)).await.unwrap_or(Ok(()))
    }

    async fn look(&self, journal: &Journal) -> Result<(), JournalError> {
        let read: Vec<(SessionId, u64)> = self
            .open()
            .iter()
            .filter(|(_, open)| open.feed.readers() > 0)
            .map(|(id, open)| (*id, open.feed.last_seq()))
            .collect();
        for page in read.chunks(PAGE) {
            let ids: Vec<SessionId> = page.iter().map(|(id, _)| *id).collect();
            let found = journal.last_seqs(&ids).await?;
            for (id, known) in page {
                if found.get(id).is_none_or(|seq| seq > known) {
                    self.tell(*id, Rumour::Changed);
                }
            }
        }
        Ok(())
    }

    fn tell(&self, id: SessionId, rumour: Rumour) {
        let actor = self.open().get(&id).map(|open| open.actor.clone());
        if let Some(actor) = actor {
            // An actor whose mailbox is full is asked again in the next round.
            let _ = actor.try_send(rumour);
        }
    }
}
