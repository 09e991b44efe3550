//! The passages that an answer is based on.

use super::results::Found;
use crate::{domain::Citation, knowledge::Passage};

/// Longest quote shown with a citation, in characters.
const QUOTE_CHARS: usize = 280;

/// The passages that `text` cites as `[1]`, `[2]`, ... (the numbers from the prompt), and those
/// that support it otherwise. `sources` are their indexes, `None` if that was not checked: then an
/// answer without citations gets the best passage, if its confidence is at least `confidence`. What
/// tools `found` is numbered after the passages.
pub fn cited(
    text: &str,
    passages: &[Passage],
    found: &[Found],
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
    let results = (passages.len() + 1..).zip(found).filter(|(number, _)| named(*number));
    cited.extend(results.map(|(number, found)| result(number, found)));
    if cited.is_empty() && sources.is_none() {
        cited.extend(
            passages.first().filter(|p| p.confidence >= confidence).map(|p| citation(1, p)),
        );
    }
    cited
}

fn citation(number: usize, passage: &Passage) -> Citation {
    Citation {
        id: number.to_string(),
        document_id: passage.document_id.clone(),
        title: passage.title.clone(),
        url: passage.url.clone(),
        quote: quote(&passage.text),
    }
}

/// What a tool found stays between the shopper and the shop: only its name is shown. A page of the
/// web is everybody's.
fn result(number: usize, found: &Found) -> Citation {
    let page = found.page.as_ref();
    Citation {
        id: number.to_string(),
        document_id: format!("tool:{}", found.tool),
        title: page.map_or_else(|| found.title(), |page| page.title.clone()),
        url: page.map(|page| page.url.clone()),
        quote: page.map(|_| quote(&found.text)).unwrap_or_default(),
    }
}

fn quote(text: &str) -> String {
    let mut quote: String = text.chars().take(QUOTE_CHARS).collect();
    if quote.len() < text.len() {
        quote.push('…');
    }
    quote
}
