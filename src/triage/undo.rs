//! A message that wants a change taken back which was just made.

use std::sync::LazyLock;

use super::{phrases::Phrases, text::Message};
use crate::words;

/// Longer messages say more.
const WORDS: usize = 20;

/// How a message says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakesBack {
    /// The shopper pressed the button, or wrote the same.
    Button,
    /// "undo that"
    Said,
    /// "I changed my mind": unless it says what is wanted instead.
    Regret,
}

static PHRASES: LazyLock<Phrases<TakesBack>> = LazyLock::new(|| {
    let all: words::Actions = words::all();
    let said = all.undoes.lines().map(|line| (line, TakesBack::Said));
    said.chain(all.regrets.lines().map(|line| (line, TakesBack::Regret))).collect()
});

/// What stands on the button, in every language.
static BUTTONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let of = |language| words::of::<words::Actions>(language).undo;
    words::languages::<words::Actions>().filter_map(of).collect()
});

pub fn of(text: &str) -> Option<TakesBack> {
    let pressed = |label: &&str| text.strip_prefix(*label).is_some_and(|r| r.starts_with(": "));
    if BUTTONS.iter().any(pressed) {
        return Some(TakesBack::Button);
    }
    let message = Message::new(text);
    let hits = PHRASES.find(&message);
    let said = |how| hits.iter().any(|hit| hit.tag == how).then_some(how);
    let how = said(TakesBack::Said).or_else(|| said(TakesBack::Regret));
    how.filter(|_| (1..=WORDS).contains(&message.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_back_is_understood_in_every_language() {
        for text in [
            "undo that",
            "please undo the cancellation",
            "sorry, I didn't mean to cancel it",
            "Can you reinstate my order?",
            "mach das rückgängig",
            "Bitte wieder rückgängig machen!",
            "Nehmen Sie das zurück",
            "Stornierung aufheben",
            "revenez en arrière svp",
            "annule ça",
            "annule l'annulation",
            "deshaz eso por favor",
            "anula la cancelación",
            "torna indietro",
            "maak dat ongedaan",
            "proszę to cofnąć",
            "to był błąd",
            "desfaça isso, por favor",
            "元に戻してください",
            "请撤销",
            "تراجع عن ذلك",
        ] {
            assert_eq!(of(text), Some(TakesBack::Said), "{text}");
        }
        for text in ["", "thank you", "where is my order?", "cancel FJ-10241", "danke, alles klar"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_change_of_mind_is_one() {
        for text in [
            "I changed my mind, I want the order after all",
            "wait, I want it back",
            "ich habe es mir anders überlegt",
            "Ich will die Bestellung doch behalten",
            "Je veux garder ma commande finalement",
            "he cambiado de opinión",
            "ho cambiato idea",
            "rozmyśliłem się",
        ] {
            assert_eq!(of(text), Some(TakesBack::Regret), "{text}");
        }
    }

    #[test]
    fn the_button_of_every_language_says_so() {
        for language in crate::domain::Language::ALL {
            let said: words::Actions = words::of(language.code());
            let text = format!("{}: FJ-10240", said.undo.unwrap());
            assert_eq!(of(&text), Some(TakesBack::Button), "{text}");
        }
    }
}
