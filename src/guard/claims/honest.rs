//! What the service says in the place of what cannot be shown, in the shopper's language.

use std::{collections::HashMap, sync::LazyLock};

use crate::words::{self, Claims};

/// The sentences of one language.
#[derive(Clone, Copy, Debug)]
pub struct Honest {
    /// Nothing was found about it.
    pub unknown: &'static str,
    /// The assistant was about to promise what it cannot do.
    pub unable: &'static str,
}

const FALLBACK: &str = "en";

static SENTENCES: LazyLock<HashMap<&'static str, Honest>> = LazyLock::new(|| {
    words::languages::<Claims>()
        .filter_map(|language| {
            let mut lines = words::of::<Claims>(language).honest.lines();
            let honest = Honest { unknown: lines.next()?, unable: lines.next()? };
            Some((language, honest))
        })
        .collect()
});

/// `language` is a code such as `de` or `pt-BR`. English, if there are no sentences in it.
pub fn honest(language: &str) -> Honest {
    let code = language.split(['-', '_']).next().unwrap_or(language).to_ascii_lowercase();
    let found = SENTENCES.get(code.as_str()).or_else(|| SENTENCES.get(FALLBACK));
    found.copied().unwrap_or(Honest { unknown: "", unable: "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eleven_languages_have_both_sentences_and_all_others_get_english() {
        for code in ["ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"] {
            let Honest { unknown, unable } = honest(code);
            assert!(!unknown.is_empty() && !unable.is_empty() && unknown != unable, "{code}");
            assert!(code == "en" || unknown != honest("en").unknown, "{code}");
        }
        assert_eq!(honest("fi").unknown, honest("en").unknown);
        assert_eq!(honest("pt-BR").unknown, honest("pt").unknown);
    }
}
