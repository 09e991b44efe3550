use serde::Deserialize;

use super::*;
use crate::guard::pii::fold;

#[derive(Deserialize)]
struct Example {
    text: String,
    /// Bytes of each token, and the number of its label.
    tokens: Vec<(usize, usize, usize)>,
}

fn tagged(text: &str) -> Vec<(usize, usize, usize)> {
    let plain = fold::fold(text);
    let tokens = tokens(&plain, text, &[]);
    let labels = tag(&tokens);
    let part = |(token, label): (&Token<'_>, &Label)| {
        (token.typed.start, token.typed.end, *label as usize)
    };
    tokens.iter().zip(&labels).map(part).collect()
}

/// `tagger.py` wrote the examples when it fitted the weights.
#[test]
fn the_tagger_finds_what_it_found_when_it_was_fitted() {
    let examples: Vec<Example> = serde_json::from_str(include_str!("examples.json")).unwrap();
    assert!(examples.len() > 40);
    assert!(examples.iter().flat_map(|e| &e.tokens).any(|token| token.2 == 2));
    for Example { text, tokens } in examples {
        assert_eq!(tagged(&text), tokens, "{text}");
    }
}

#[test]
fn a_text_without_words_has_no_labels() {
    assert!(tagged("").is_empty() && tagged(" … !").is_empty());
}
