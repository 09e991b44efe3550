//! The language of a message, which its answer follows.

use crate::{domain::Language, triage};

/// Earlier messages that are read.
const EARLIER: usize = 8;

/// The language of a message. `locale` is that of the session, and `en` also if its client named
/// none; `earlier` are the messages before, oldest first.
pub fn of<'a>(
    text: &str,
    earlier: impl DoubleEndedIterator<Item = &'a str>,
    locale: &str,
) -> Language {
    let of_locale = Language::parse(locale);
    let named = of_locale.filter(|language| *language != Language::En);
    let recent: Vec<&str> = earlier.rev().take(EARLIER).collect();
    let heard = |prior, text: &&str| triage::identify(text, prior);
    let prior = recent.iter().rev().fold(named, heard);
    triage::identify(text, prior).or(of_locale).unwrap_or(Language::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(text: &str, earlier: &[&str], locale: &str) -> Language {
        of(text, earlier.iter().copied(), locale)
    }

    #[test]
    fn the_last_message_decides_and_short_ones_keep_the_language() {
        assert_eq!(spoken("Wo ist meine Bestellung?", &[], "en"), Language::De);
        assert_eq!(spoken("10482", &["Wo ist meine Bestellung?"], "en"), Language::De);
        assert_eq!(spoken("where is my order?", &["Wo ist es?"], "de"), Language::En);
        assert_eq!(spoken("M?", &[], "de-AT"), Language::De);
        assert_eq!(spoken("10482", &[], "xx"), Language::En);
        assert_eq!(spoken("merci", &[], "en"), Language::Fr);
    }
}
