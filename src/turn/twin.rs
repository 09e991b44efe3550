//! Reading along with another turn's answer: how a coalesced question is answered.

use std::sync::Arc;

use crate::{
    domain::Event,
    log::{Cursor, TurnLog},
};

/// What the leader did next.
pub enum Step {
    Text(String),
    /// The leader withdrew its text and shows this instead.
    Replaced(String),
    Ended(Arc<Event>),
}

/// A follower of one leader. While it lives the leader has a reader and is not given up.
pub struct Twin {
    cursor: Cursor,
    shown: usize,
    revision: u32,
}

impl Twin {
    pub fn of(leader: &Arc<TurnLog>) -> Self {
        Self { cursor: leader.read(None), shown: 0, revision: 0 }
    }

    pub async fn next(&mut self) -> Step {
        loop {
            let (revision, text) = self.cursor.log().text_behind(self.revision, self.shown);
            if revision != self.revision {
                self.revision = revision;
                self.shown = text.len();
                return Step::Replaced(text);
            }
            if !text.is_empty() {
                self.shown += text.len();
                return Step::Text(text);
            }
            if !self.cursor.skip().await {
                return Step::Ended(self.cursor.log().ended().await);
            }
        }
    }
}
