//! The passages that an answer is based on.

use crate::{domain::Citation, knowledge::Passage};

/// Longest quote shown with a citation, in characters.
const QUOTE_CHARS: usize = 280;

/// The passages that `text` cites as `[1]`, `[2]`, ... (the numbers from the prompt), and those
/// that support it otherwise. `sources` are their indexes, `None` if that was not checked: then an
/// answer without citations gets the best passage, if its confidence is at least `confidence`.
pub fn cited(
    text: &str,
    passages: &[Passage],
    sources: Option<&[usize]>,
    confidence: f32,
) -> Vec<Citation> {
    let supports = |index: usize| sources.is_some_and(|sources| sources.contains(&index));
    let named = |number: usize| text.contains(&format!("[{number}]")) || supports(number - 1);
    let mut cited: Vec<Citation> = passages
        .iter()
        .enumerate()
        .filter(|(index, _)| named(index + 1))
        .map(|(index, passage)| citation(index + 1, passage))
        .collect();
    if cited.is_empty() && sources.is_none() {
        cited.extend(
            passages.first().filter(|p| p.confidence >= confidence).map(|p| citation(1, p)),
        );
    }
    cited
}

fn citation(number: usize, passage: &Passage) -> Citation {
    let mut quote: String = passage.text.chars().take(QUOTE_CHARS).collect();
    if quote.len() < passage.text.len() {
        quote.push('…');
    }
    Citation {
        id: number.to_string(),
        document_id: passage.document_id.clone(),
        title: passage.title.clone(),
        url: passage.url.clone(),
        quote,
    }
}
