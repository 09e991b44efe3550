//! Reading a log as text: what a follower in another session and the OpenAI format need.

use std::sync::Arc;

use super::{cursor::Cursor, turn::TurnLog};
use crate::domain::Event;

/// What the writer did next.
pub enum TextStep {
    Added(String),
    /// The text so far was withdrawn; this is shown instead.
    Replaced(String),
    /// The end of the turn; `None` if the log of another process broke off before it.
    Ended(Option<Arc<Event>>),
}

/// A reader of one log. While it lives the turn has a reader and is not given up.
pub struct TextReader {
    cursor: Cursor,
    shown: usize,
    revision: u32,
}

impl TextReader {
    pub fn of(log: &Arc<TurnLog>) -> Self {
        Self { cursor: log.read(None), shown: 0, revision: 0 }
    }

    pub async fn next(&mut self) -> TextStep {
        loop {
            let (revision, text) = self.cursor.log().text_behind(self.revision, self.shown);
            if revision != self.revision {
                self.revision = revision;
                self.shown = text.len();
                return TextStep::Replaced(text);
            }
            if !text.is_empty() {
                self.shown += text.len();
                return TextStep::Added(text);
            }
            if !self.cursor.skip().await {
                return TextStep::Ended(self.cursor.log().ended().await);
            }
        }
    }
}
