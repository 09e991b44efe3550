//! One-time codes. The demo shop has no mail: it prints each code, and shows those that it has "sent"
//! under `/outbox`.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use rand::RngExt as _;
use serde::Serialize;
use uuid::Uuid;

/// How long a code can be typed.
pub const VALID: Duration = Duration::from_secs(600);
/// Wrong ones, until a code is none any more.
const TRIES: u32 = 5;
/// Codes that are remembered.
const MOST: usize = 1_000;

/// A code on its way to a customer.
#[derive(Clone, Debug, Serialize)]
pub struct Letter {
    pub challenge: String,
    /// The address on file.
    pub to: &'static str,
    pub code: String,
}

struct Sent {
    letter: Letter,
    at: Instant,
    tries: u32,
}

/// The newest ones last.
#[derive(Default)]
pub struct Codes(VecDeque<Sent>);

impl Codes {
    pub fn send(&mut self, to: &'static str) -> Letter {
        let code = format!("{:06}", rand::rng().random_range(0..1_000_000));
        let letter = Letter { challenge: Uuid::new_v4().to_string(), to, code };
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(Sent { letter: letter.clone(), at: Instant::now(), tries: 0 });
        letter
    }

    /// Whether a code is right. It is so once, and wrong ones are counted.
    pub fn check(&mut self, challenge: &str, code: &str) -> bool {
        let Some(at) = self.0.iter().position(|sent| sent.letter.challenge == challenge) else {
            return false;
        };
        let sent = &mut self.0[at];
        sent.tries += 1;
        let is_open = sent.tries <= TRIES && sent.at.elapsed() < VALID;
        let is_right = is_open && sent.letter.code == code;
        if is_right {
            self.0.remove(at);
        }
        is_right
    }

    /// The newest first.
    pub fn letters(&self) -> Vec<Letter> {
        self.0.iter().rev().map(|sent| sent.letter.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_right_once_and_for_a_few_tries() {
        let mut codes = Codes::default();
        let letter = codes.send("anna@example.com");
        assert!(!codes.check("another", &letter.code));
        assert!(!codes.check(&letter.challenge, "x"));
        assert!(codes.check(&letter.challenge, &letter.code));
        assert!(!codes.check(&letter.challenge, &letter.code));
        let letter = codes.send("anna@example.com");
        for _ in 0..TRIES {
            assert!(!codes.check(&letter.challenge, "x"));
        }
        assert!(!codes.check(&letter.challenge, &letter.code));
    }
}
