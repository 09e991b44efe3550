//! Looks for what other replicas did to the sessions that are open here.
//!
//! A letter tells it at once. But letters may be lost, and without Redis there are none; then the
//! archive is the only one that knows.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::feed::Feed;
use crate::{
    domain::{PrincipalId, SessionId},
    journal::{Journal, JournalError},
    relay::{Rumour, RumourPort},
};

/// Sessions of one query.
const PAGE: usize = 500;
/// A round that takes longer is given up.
const ROUND: Duration = Duration::from_secs(10);
/// An actor may wait for the archive before it hears anything.
const TELLING: Duration = Duration::from_secs(3);

/// An actor that began to read a session before it was erased has opened it within this time.
const OPENING: Duration = Duration::from_secs(60);
/// Erasures that are remembered for so long.
const REMEMBERED: usize = 4_096;

/// The sessions that are open in this process.
#[derive(Default)]
pub struct Lookout {
    open: Mutex<HashMap<SessionId, Open>>,
    /// Sessions and people that were erased lately.
    gone: Mutex<VecDeque<(Instant, Uuid)>>,
}

struct Open {
    owner: PrincipalId,
    feed: Arc<Feed>,
    actor: RumourPort,
}

impl Lookout {
    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session of `owner` is open here, and shown by `feed`.
    pub fn enter(&self, owner: PrincipalId, feed: &Arc<Feed>, actor: RumourPort) {
        let id = feed.session_id();
        self.open().insert(id, Open { owner, feed: Arc::clone(feed), actor });
        if self.gone().iter().any(|(_, gone)| [id.0, owner.0].contains(gone)) {
            self.tell(id, Rumour::Erased);
        }
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
        sessions.iter().for_each(|id| self.remember(id.0));
        sessions.iter().for_each(|id| self.tell(*id, Rumour::Erased));
    }

    /// The sessions of this person were erased: ends what is open of them here. False if an actor
    /// did not hear of it in time.
    pub async fn forget(&self, owner: PrincipalId) -> bool {
        self.remember(owner.0);
        let of_owner = |open: &&Open| open.owner == owner;
        let actors: Vec<RumourPort> =
            self.open().values().filter(of_owner).map(|open| open.actor.clone()).collect();
        // One that has stopped holds nothing.
        let told = join_all(actors.iter().map(|actor| actor.send(Rumour::Erased)));
        timeout(TELLING, told).await.is_ok()
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

    fn gone(&self) -> MutexGuard<'_, VecDeque<(Instant, Uuid)>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is opened late is ended at once.
    fn remember(&self, erased: Uuid) {
        let mut gone = self.gone();
        gone.retain(|(at, id)| at.elapsed() < OPENING && *id != erased);
        if gone.len() == REMEMBERED {
            gone.pop_front();
        }
        gone.push_back((Instant::now(), erased));
    }

    fn tell(&self, id: SessionId, rumour: Rumour) {
        let actor = self.open().get(&id).map(|open| open.actor.clone());
        if let Some(actor) = actor {
            // An actor whose mailbox is full is asked again in the next round.
            let _ = actor.try_send(rumour);
        }
    }
}

#[cfg(test)]
mod tests;
