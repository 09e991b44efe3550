//! A message that wants a change taken back which was just made.

use std::sync::LazyLock;

use super::{phrases::Phrases, text::Message};
use crate::words;

/// Longer messages say more.
const WORDS: usize = 20;

static PHRASES: LazyLock<Phrases<()>> = LazyLock::new(|| {
    let all: words::Actions = words::all();
    all.undoes.lines().map(|line| (line, ())).collect()
});

pub fn of(message: &Message) -> bool {
    (1..=WORDS).contains(&message.len()) && !PHRASES.find(message).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_back_is_understood_in_every_language() {
        for text in [
            "undo that",
            "Undo: FJ-10240",
            "please undo the cancellation",
            "sorry, I didn't mean to cancel it",
            "Can you reinstate my order?",
            "mach das rückgängig",
            "Bitte wieder rückgängig machen!",
            "Nehmen Sie das zurück",
            "revenez en arrière svp",
            "Annuler cette modification: FJ-10240",
            "deshaz eso por favor",
            "torna indietro",
            "maak dat ongedaan",
            "proszę to cofnąć",
            "desfaça isso, por favor",
            "元に戻してください",
            "请撤销",
            "تراجع عن ذلك",
        ] {
            assert!(of(&Message::new(text)), "{text}");
        }
        for text in ["", "thank you", "where is my order?", "cancel FJ-10241", "danke, alles klar"]
        {
            assert!(!of(&Message::new(text)), "{text}");
        }
    }

    #[test]
    fn the_button_of_every_language_says_so() {
        for language in crate::domain::Language::ALL {
            let said: words::Actions = words::of(language.code());
            let text = format!("{}: FJ-10240", said.undo.unwrap());
            assert!(of(&Message::new(&text)), "{text}");
        }
    }
}
