//! A whole message that says yes or no to what was just proposed.

use std::sync::LazyLock;

use super::{phrases::Phrases, text::Message};
use crate::words;

/// Longer messages say more than yes or no.
const WORDS: usize = 8;

/// What a phrase says. A later one weighs more: "yes, no, stop" is a no.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    /// Politeness, which may stand around an answer.
    Nothing,
    Yes,
    No,
}

static PHRASES: LazyLock<Phrases<Says>> = LazyLock::new(|| {
    let all: words::SmallTalk = words::all();
    let lists = [
        (all.greetings, Says::Nothing),
        (all.thanks, Says::Nothing),
        (all.farewells, Says::Nothing),
        (all.nods, Says::Nothing),
        (all.assents, Says::Yes),
        (all.dissents, Says::No),
    ];
    lists
        .into_iter()
        .flat_map(|(list, says)| list.into_iter().map(move |line| (line, says)))
        .collect()
});

/// `Some(true)` for a yes, `Some(false)` for a no. A message that says anything else is neither,
/// and so is one that is only polite: "ok" may mean that it was read.
pub fn of(message: &Message) -> Option<bool> {
    // "Yes?" asks, and does not agree.
    if message.len() == 0 || message.len() > WORDS || message.asks() {
        return None;
    }
    // What is said up to each word, by phrases that follow one another from the start.
    let mut said: Vec<Option<Says>> = vec![None; message.len() + 1];
    for hit in PHRASES.find(message) {
        let before = said[hit.words.start];
        if before.is_some() || hit.words.start == 0 {
            let end = &mut said[hit.words.end];
            *end = (*end).max(before).max(Some(hit.tag));
        }
    }
    // "No wait, keep it": it is safe to take what begins with a no for one, unless it names something
    // else.
    if said[message.len()].is_none() {
        let begins =
            PHRASES.find(message).iter().any(|hit| hit.words.start == 0 && hit.tag == Says::No);
        let has_digit = |at: usize| message.word(at).bytes().any(|b| b.is_ascii_digit());
        let says_more = (0..message.len()).any(has_digit);
        return (begins && !says_more).then_some(false);
    }
    match said[message.len()]? {
        Says::Nothing => None,
        Says::Yes => Some(true),
        Says::No => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<bool> {
        of(&Message::new(text))
    }

    #[test]
    fn a_question_is_neither() {
        for text in ["bitte?", "yes?", "ja?", "go ahead?", "klar?", "no?"] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn what_begins_with_a_no_is_one_unless_it_names_something_else() {
        for text in ["no wait, keep it", "nope, changed my mind", "nein, doch nicht mehr nötig"] {
            assert_eq!(said(text), Some(false), "{text}");
        }
        for text in ["no, FJ-10241 instead", "keep it, no?", "not sure what that means"] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn yes_and_no_are_known_in_every_language() {
        for text in [
            "yes",
            "Yes please!",
            "yes, thanks",
            "ok yes",
            "ja",
            "Ja, bitte.",
            "sí, por favor",
            "oui",
            "sì",
            "ja graag",
            "tak",
            "sim",
            "はい",
            "好的",
            "نعم",
        ] {
            assert_eq!(said(text), Some(true), "{text}");
        }
        for text in [
            "no",
            "No thanks!",
            "no, thank you",
            "please don't",
            "nein",
            "Nein, danke",
            "no gracias",
            "non merci",
            "no grazie",
            "nee bedankt",
            "nie, dziękuję",
            "não obrigado",
            "いいえ",
            "不用了",
            "لا شكرا",
            "yes, no, stop",
        ] {
            assert_eq!(said(text), Some(false), "{text}");
        }
    }

    #[test]
    fn anything_else_decides_nothing() {
        for text in [
            "",
            "ok",
            "thanks",
            "hello",
            "yes but not the shoes",
            "no idea, what does it cost?",
            "yes, cancel FJ-20000 instead",
            "does yes mean I pay?",
            "👍",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
