//! Reads a log as text, for followers in other sessions and for the OpenAI format.

use std::sync::Arc;

use super::{cursor::Cursor, turn::TurnLog};
use crate::domain::Event;

/// The next change to the text.
pub enum TextStep {
    Added(String),
    /// The text so far was withdrawn; this text replaces it.
    Replaced(String),
    /// The end of the turn; `None` if the log of another process broke off before its end.
    Ended(Option<Arc<Event>>),
}

/// A reader of one log. While it exists, the turn has a reader and is not cancelled.
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
