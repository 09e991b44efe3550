//! How far an agent has seen each of their conversations: the position of a stream, so that any
//! replica goes on where another one broke off.

use std::{collections::BTreeMap, fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::domain::SessionId;

/// Conversations of one agent in a stream.
pub const MOST: usize = 100;
/// Before the conversations, so that a position is never empty.
const MARK: char = 'd';
/// Bytes of an id, and of the `seq` behind it.
const ID: usize = 16;
const ENTRY: usize = ID + 8;

/// The `seq` of the newest event of each conversation that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(BTreeMap<SessionId, u64>);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a position of this stream")]
pub struct NoPosition;

impl Seen {
    pub fn of(&self, session: SessionId) -> Option<u64> {
        self.0.get(&session).copied()
    }

    pub fn set(&mut self, session: SessionId, seq: u64) {
        self.0.insert(session, seq);
    }

    /// Forgets all other conversations.
    pub fn keep(&mut self, sessions: &[SessionId]) {
        self.0.retain(|session, _| sessions.contains(session));
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(self.0.len() * ENTRY);
        for (session, seq) in &self.0 {
            bytes.extend_from_slice(session.0.as_bytes());
            bytes.extend_from_slice(&seq.to_be_bytes());
        }
        write!(f, "{MARK}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Seen {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let text = text.strip_prefix(MARK).ok_or(NoPosition)?;
        if text.len() > MOST * ENTRY * 4 / 3 + 4 {
            return Err(NoPosition);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoPosition)?;
        let entries = bytes.chunks_exact(ENTRY);
        if !entries.remainder().is_empty() {
            return Err(NoPosition);
        }
        let entry = |entry: &[u8]| {
            let (id, seq) = entry.split_at_checked(ID)?;
            let seq = u64::from_be_bytes(seq.try_into().ok()?);
            Some((SessionId(Uuid::from_slice(id).ok()?), seq))
        };
        entries.map(entry).collect::<Option<_>>().map(Self).ok_or(NoPosition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_as_it_was() {
        let mut seen = Seen::default();
        for count in 0..=MOST as u64 {
            assert_eq!(seen.to_string().parse(), Ok(seen.clone()));
            if count < MOST as u64 {
                seen.set(SessionId::new(), count << 40);
            }
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        let mut too_many = Seen::default();
        (0..=MOST).for_each(|seq| too_many.set(SessionId::new(), seq as u64));
        for text in ["", "7", "7.2", "dAA", "d!!", "x", &too_many.to_string(), &"d".repeat(9_000)] {
            assert_eq!(text.parse::<Seen>(), Err(NoPosition), "{text}");
        }
    }
}
