//! What replicas write to each other, and how it gets there.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::counter;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::Relay;
use crate::{
    domain::{SessionId, TurnId},
    telemetry::declare,
};

/// Letters that wait to be sent; more are dropped.
pub const OUTBOX: usize = 10_000;
const AT_ONCE: usize = 256;
const RETRY: Duration = Duration::from_millis(300);

declare! {
    DROPPED: counter "rushdesk_relay_dropped_total" [] "Messages to other replicas that were dropped";
}

fn dropped() {
    counter!(DROPPED).increment(1);
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    Changed {
        session: SessionId,
    },
    Erased {
        session: SessionId,
    },
    Cancel {
        turn: TurnId,
    },
    /// Somebody at `from` reads along. `next`: the first frame that is wanted, or none to go on as before.
    Follow {
        turn: TurnId,
        from: String,
        next: Option<usize>,
    },
    /// Frames of a running turn, numbered from `first`, each as JSON.
    Frames {
        turn: TurnId,
        first: usize,
        frames: Vec<String>,
    },
    /// The turn does not run here.
    Absent {
        turn: TurnId,
    },
}

/// What waits to be done at the hot store, in this order.
pub enum Outgoing {
    Letter(Arc<str>, Letter),
    Watch(SessionId),
    Unwatch(SessionId),
}

impl Relay {
    pub(super) fn put(&self, outgoing: Outgoing) {
        if self.outbox.try_send(outgoing).is_err() {
            dropped();
        }
    }

    pub(super) fn letter(&self, to: &str, letter: Letter) {
        self.put(Outgoing::Letter(to.into(), letter));
    }

    pub(super) async fn send(self: Arc<Self>, mut waiting: mpsc::Receiver<Outgoing>) {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
            let mut letters: HashMap<Arc<str>, Vec<String>> = HashMap::new();
            for outgoing in batch.drain(..) {
                match outgoing {
                    Outgoing::Letter(to, letter) => {
                        if let Ok(json) = serde_json::to_string(&letter) {
                            letters.entry(to).or_default().push(json);
                        }
                    }
                    Outgoing::Watch(session) => {
                        let _ = self.hot.watch(session, &self.replica).await;
                    }
                    Outgoing::Unwatch(session) => {
                        // Its successor may have moved in already.
                        if !self.state().actors.contains_key(&session) {
                            let _ = self.hot.unwatch(session, &self.replica).await;
                        }
                    }
                }
            }
            for (to, letters) in letters {
                if self.hot.post(&to, &letters).await.is_err() {
                    dropped();
                }
            }
        }
    }

    pub(super) async fn receive(self: Arc<Self>) {
        let Some(mut inbox) = self.hot.inbox(&self.replica) else { return };
        loop {
            match inbox.receive().await {
                Ok(letters) => {
                    for letter in letters {
                        if let Ok(letter) = serde_json::from_str(&letter) {
                            self.read(letter);
                        }
                    }
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}
