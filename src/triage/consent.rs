//! A whole message that says yes or no to what was just proposed.

use std::sync::LazyLock;

use super::{
    phrases::{Hit, Phrases},
    text::Message,
};
use crate::words;

/// Longer messages say more than yes or no.
const WORDS: usize = 8;
/// And longer ones more than a yes that repeats what was proposed.
const REPEATED: usize = 20;

/// What a phrase says. A later one weighs more: "yes, no, stop" is a no.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    /// Politeness, which may stand around an answer.
    Nothing,
    Yes,
    No,
}

/// What a yes may repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Cancel,
    Change,
    Return,
    TakeBack,
    /// What it is done to.
    Object,
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

static REPEATS: LazyLock<Phrases<Repeats>> = LazyLock::new(|| {
    let all: words::Actions = words::all();
    let lists = [
        (all.cancels, Repeats::Cancel),
        (all.changes, Repeats::Change),
        (all.returns, Repeats::Return),
        (all.undoes, Repeats::TakeBack),
        (all.objects, Repeats::Object),
    ];
    lists
        .into_iter()
        .flat_map(|(list, what)| list.lines().map(move |line| (line, what)).collect::<Vec<_>>())
        .collect()
});

/// `Some(true)` for a yes, `Some(false)` for a no. A message that says anything else is neither,
/// and so is one that is only polite: "ok" may mean that it was read. A yes may repeat what was
/// `proposed`, as a tool and the number of an order.
pub fn of(message: &Message, proposed: Option<(&str, Option<&str>)>) -> Option<bool> {
    // "Yes?" asks, and does not agree.
    if message.len() == 0 || message.len() > REPEATED || message.asks() {
        return None;
    }
    let hits = PHRASES.find(message);
    // "Yes, cancel that" repeats the offer to cancel, and "cancel that" declines another one.
    if proposed.is_some_and(|(tool, order)| repeats(message, &hits, tool, order)) {
        return Some(true);
    }
    if message.len() > WORDS {
        return None;
    }
    // What is said up to each word, by phrases that follow one another from the start.
    let mut said: Vec<Option<Says>> = vec![None; message.len() + 1];
    for hit in &hits {
        let before = said[hit.words.start];
        if before.is_some() || hit.words.start == 0 {
            let end = &mut said[hit.words.end];
            *end = (*end).max(before).max(Some(hit.tag));
        }
    }
    match said[message.len()] {
        Some(Says::Nothing) => return None,
        Some(Says::Yes) => return Some(true),
        Some(Says::No) => return Some(false),
        None => {}
    }
    // "No wait, keep it": it is safe to take what begins with a no for one, unless it names something
    // else.
    let begins = hits.iter().any(|hit| hit.words.start == 0 && hit.tag == Says::No);
    let has_digit = |at: usize| message.word(at).bytes().any(|b| b.is_ascii_digit());
    let says_more = (0..message.len()).any(has_digit);
    (begins && !says_more).then_some(false)
}

/// Whether the message begins with a yes, and every word behind it repeats what was proposed. A
/// number has to be that of the order.
fn repeats(message: &Message, hits: &[Hit<Says>], tool: &str, order: Option<&str>) -> bool {
    let own = match tool {
        "cancel_order" => Repeats::Cancel,
        "change_address" => Repeats::Change,
        "start_return" => Repeats::Return,
        "reinstate_order" => Repeats::TakeBack,
        _ => return false,
    };
    let fits = |what: &Repeats| [own, Repeats::Object].contains(what);
    let repeated: Vec<_> = REPEATS.find(message).into_iter().filter(|hit| fits(&hit.tag)).collect();
    let number = order.map(Message::new);
    // Whether a yes, and then what repeats, reaches up to each word.
    let mut agreed = vec![false; message.len() + 1];
    let mut polite = vec![false; message.len() + 1];
    polite[0] = true;
    for at in 0..message.len() {
        for hit in hits.iter().filter(|hit| hit.words.start == at) {
            match hit.tag {
                Says::Nothing => {
                    polite[hit.words.end] |= polite[at];
                    agreed[hit.words.end] |= agreed[at];
                }
                Says::Yes => agreed[hit.words.end] |= polite[at] || agreed[at],
                Says::No => {}
            }
        }
        if !agreed[at] {
            continue;
        }
        for hit in repeated.iter().filter(|hit| hit.words.start == at) {
            agreed[hit.words.end] = true;
        }
        if let Some(number) = &number {
            let same = at + number.len() <= message.len()
                && (0..number.len()).all(|word| message.word(at + word) == number.word(word));
            let end = (at + number.len()).min(message.len());
            agreed[end] |= same && number.len() > 0;
        }
    }
    agreed[message.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<bool> {
        of(&Message::new(text), None)
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

    #[test]
    fn a_yes_may_repeat_what_was_proposed_and_nothing_else() {
        let said = |text: &str, tool| of(&Message::new(text), Some((tool, Some("FJ-10240"))));
        for (text, tool) in [
            ("yes, cancel it", "cancel_order"),
            ("yes please cancel the order", "cancel_order"),
            ("Yes, cancel order FJ-10240", "cancel_order"),
            ("ja, bitte stornieren", "cancel_order"),
            ("Ja, stornieren Sie die Bestellung", "cancel_order"),
            ("sí, cancélalo", "cancel_order"),
            ("oui, annulez la commande", "cancel_order"),
            ("sì, annullalo pure", "cancel_order"),
            ("sim, pode cancelar", "cancel_order"),
            ("ja, annuleer maar", "cancel_order"),
            ("tak, proszę anulować", "cancel_order"),
            ("是的,取消吧", "cancel_order"),
            ("はい、キャンセルしてください", "cancel_order"),
            ("نعم، ألغه", "cancel_order"),
            ("yes, change it", "change_address"),
            ("ja, ändern", "change_address"),
            ("yes, register the return", "start_return"),
            ("ja, zurückschicken", "start_return"),
            ("yes, reinstate it", "reinstate_order"),
            ("ja, mach das rückgängig", "reinstate_order"),
        ] {
            assert_eq!(said(text, tool), Some(true), "{text}");
        }
        for (text, tool) in [
            ("yes, cancel it", "change_address"),
            ("yes, cancel it", "start_return"),
            ("yes, cancel it", "weather"),
            ("yes, but cancel it tomorrow", "cancel_order"),
            ("yes, cancel FJ-10241", "cancel_order"),
            ("yes, cancel FJ-10240 and FJ-10241", "cancel_order"),
            ("yes, cancel the other order", "cancel_order"),
            ("ja, aber nicht stornieren", "cancel_order"),
            ("ja, bitte nicht stornieren", "cancel_order"),
            ("yes, return it", "cancel_order"),
            ("cancel it", "cancel_order"),
            ("ok, cancel it", "cancel_order"),
            ("yes, cancel it?", "cancel_order"),
            ("yes, cancel only the lamp", "cancel_order"),
            ("yes, do not cancel it", "cancel_order"),
        ] {
            assert_ne!(said(text, tool), Some(true), "{text}");
        }
    }
}
