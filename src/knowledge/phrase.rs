//! Whether the pages of a site say something in just these words.

use super::index::{Entry, Index};
use crate::guard::plain_words;

/// Passages that are read for one phrase. A word that more of them have is found in the first ones.
const MOST: usize = 16;

/// `phrase` is spelled as [`plain_words`] does.
pub(super) fn says(index: &Index, phrase: &str) -> bool {
    index.languages().iter().any(|language| {
        let terms = language.terms(phrase);
        let rarest = terms.iter().min_by_key(|term| index.document_frequency(term));
        let Some(term) = rarest else { return false };
        let postings = index.segments().iter().flat_map(|segment| {
            let live = |at: &usize| segment.is_live(*at);
            let found = segment.postings(term).iter().map(|posting| posting.entry as usize);
            found.filter(live).map(|at| &segment.entries()[at])
        });
        postings.take(MOST).any(|entry| has(entry, phrase))
    })
}

fn has(entry: &Entry, phrase: &str) -> bool {
    let texts = [entry.head.title.as_str(), &entry.chunk.heading, &entry.chunk.text];
    texts.into_iter().any(|text| {
        let words = plain_words(text);
        let whole = |at: usize| {
            let (before, after) = (&words[..at], &words[at + phrase.len()..]);
            (before.is_empty() || before.ends_with(' '))
                && (after.is_empty() || after.starts_with(' '))
        };
        words.match_indices(phrase).any(|(at, _)| whole(at))
    })
}
