//! A name that was asked for: any words are one then, unless they are those of a sentence.

use std::{ops::Range, sync::LazyLock};

use super::introduced::is_never;
use crate::{
    guard::pii::{
        alike::is_unspaced,
        fold,
        phrases::Phrases,
        tagger::{Gap, Token},
        vocabulary::MEANINGS,
    },
    words::{self, People},
};

struct Asked {
    phrases: Phrases,
    /// Of scripts without spaces.
    unspaced: Vec<String>,
}

static ASKED: LazyLock<Asked> = LazyLock::new(|| {
    let asked = words::all::<People>().names_asked;
    let folded = asked.iter().map(|phrase| fold::word(phrase));
    let unspaced = folded.filter(|phrase| phrase.starts_with(is_unspaced)).collect();
    Asked { phrases: Phrases::new(asked), unspaced }
});

/// Words of a name.
const LONGEST: usize = 4;

/// Whether a question asks for the name of the shopper.
pub(in crate::guard::pii) fn asks(tokens: &[Token<'_>], text: &str) -> bool {
    (0..tokens.len()).any(|at| ASKED.phrases.end(tokens, at).is_some())
        || ASKED.unspaced.iter().any(|phrase| text.contains(phrase.as_str()))
}

/// The name, if the text has nothing else.
pub(in crate::guard::pii) fn told(tokens: &[Token<'_>]) -> Option<Range<usize>> {
    let is_of_name = |token: &Token<'_>| {
        token.is_word()
            && (token.is_name()
                || !token.is_ordinary()
                    && !is_never(token.text)
                    && !MEANINGS.contains_key(token.text))
    };
    let joined =
        tokens.iter().skip(1).all(|token| matches!(token.gap, Gap::Space | Gap::Sign | Gap::Comma));
    let whole = (1..=LONGEST).contains(&tokens.len()) && joined && tokens.iter().all(is_of_name);
    whole.then_some(0..tokens.len())
}
