//! The part of a conversation that a turn may see: everything but personal data.

use std::sync::Arc;

use super::ports::Exchange;
use crate::{domain::NumberFormats, guard::Vault};

/// A conversation without personal data. One vault covers all of it, so a placeholder means the
/// same value in the message, the history and the answer.
#[derive(Clone)]
pub struct Screened {
    pub text: String,
    /// Earlier exchanges, oldest first.
    pub history: Vec<Exchange>,
    pub vault: Vault,
}

impl Screened {
    /// A masked text without a conversation. A placeholder in it is plain text.
    pub fn alone(text: &str) -> Self {
        Self { text: text.to_owned(), history: Vec::new(), vault: Vault::new() }
    }
}

/// Masks each text once, oldest first. `formats` are the formats of the shop's own numbers.
pub fn screen(text: &str, history: &[Exchange], formats: &Arc<NumberFormats>) -> Screened {
    let mut vault = Vault::of_shop(Arc::clone(formats));
    // A placeholder that was typed is plain text, wherever it appears.
    let answers = history.iter().filter_map(|exchange| exchange.answer.as_deref());
    for typed in history.iter().map(|exchange| exchange.user.as_str()).chain(answers).chain([text])
    {
        vault.reserve(typed);
    }
    let history = history
        .iter()
        .map(|exchange| Exchange {
            user: vault.mask(&exchange.user),
            answer: exchange.answer.as_deref().map(|answer| vault.mask(answer)),
        })
        .collect();
    let text = vault.mask(text);
    Screened { text, history, vault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(user: &str, answer: &str) -> Exchange {
        Exchange { user: user.into(), answer: Some(answer.into()) }
    }

    fn screened(text: &str, history: &[Exchange]) -> Screened {
        screen(text, history, &Arc::default())
    }

    #[test]
    fn a_placeholder_is_one_person_for_the_whole_conversation() {
        let history = [
            said("I am ann@example.com", "Hello ann@example.com"),
            said("and my husband is bob@example.com", "Noted"),
        ];
        let screened = screened("what was my first address?", &history);
        assert_eq!(screened.history[0].user, "I am [EMAIL_1]");
        assert_eq!(screened.history[0].answer.as_deref(), Some("Hello [EMAIL_1]"));
        assert_eq!(screened.history[1].user, "and my husband is [EMAIL_2]");
        assert_eq!(screened.text, "what was my first address?");
        assert_eq!(screened.vault.shown("[EMAIL_1]"), Some("ann@example.com"));
        assert_eq!(screened.vault.shown("[EMAIL_2]"), Some("bob@example.com"));
    }

    #[test]
    fn a_placeholder_that_was_typed_later_is_not_given_to_an_earlier_value() {
        let screened = screened("what is [EMAIL_1]?", &[said("I am ann@example.com", "Hi")]);
        assert_eq!(screened.history[0].user, "I am [EMAIL_2]");
        assert_eq!(screened.vault.shown("[EMAIL_1]"), None);
    }

    #[test]
    fn a_number_in_a_format_of_the_shop_stays_in_the_whole_conversation() {
        let formats = Arc::new(NumberFormats::new(["31########"]).unwrap());
        let history = [said("3155552671 is late", "3155552671 left us")];
        let screened = screen("and 3155552672?", &history, &formats);
        assert_eq!(screened.text, "and 3155552672?");
        assert_eq!(screened.history[0].answer.as_deref(), Some("3155552671 left us"));
    }
}
