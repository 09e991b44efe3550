//! A message of the history, as a client reads it.

use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Message {
    pub id: String,
    pub seq: u64,
    pub turn_id: String,
    pub role: String,
    pub text: String,
    pub status: String,
}

impl Message {
    /// An answer under way: not durable, and its text grows.
    pub fn is_streaming(&self) -> bool {
        self.status == "streaming"
    }
}
