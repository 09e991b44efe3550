//! How messages get from one replica to another.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    letter::{Letter, Outgoing},
    metrics::dropped,
    node::Relay,
};

const AT_ONCE: usize = 256;
const RETRY: Duration = Duration::from_millis(300);

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
                    Outgoing::Watchers(session, letter) => {
                        // Without Redis they look for themselves.
                        let watchers = self.hot.watchers(session).await.unwrap_or_default();
                        let Ok(json) = serde_json::to_string(&letter) else { continue };
                        for to in watchers.into_iter().filter(|to| *to != *self.replica()) {
                            letters.entry(to.into()).or_default().push(json.clone());
                        }
                    }
                    Outgoing::Watch(session) => {
                        let _ = self.hot.watch(session, self.replica()).await;
                    }
                    Outgoing::Unwatch(session) => {
                        // Its successor may have moved in already.
                        if !self.state().actors.contains_key(&session) {
                            let _ = self.hot.unwatch(session, self.replica()).await;
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
        let mut inbox = self.hot.inbox(self.replica());
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
