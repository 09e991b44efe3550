//! The passages of one site as an immutable index: postings for BM25, vectors for cosine.
//!
//! A change creates a new [`Index`] that shares all but the newest segments with the old one, so
//! readers can keep theirs. Segments are merged when a newer one has grown to the size of an older
//! one (Bentley and Saxe's logarithmic method). So there are at most about log2(n) segments, and
//! each passage is merged about log2(n) times.

use std::{collections::HashMap, sync::Arc};

use super::{
    chunk::{Chunk, PATH},
    terms::Language,
};
use crate::vector::dot;

/// The weight of a term in a heading, relative to one in the text. Terms shared by the whole
/// document say less about a passage than the passage's own heading.
const HEADING_WEIGHT: f32 = 2.0;
const OUTER_WEIGHT: f32 = 1.0;
const TAG_WEIGHT: f32 = 0.5;

/// The data that all passages of a document share.
#[derive(Debug)]
pub struct DocumentHead {
    pub external_id: String,
    pub title: String,
    pub url: Option<String>,
    pub tags: Vec<String>,
    pub audience: String,
    pub locale: Option<String>,
    pub(super) language: Language,
    pub(super) title_terms: Vec<String>,
}

impl DocumentHead {
    pub fn new(
        external_id: String,
        title: String,
        url: Option<String>,
        tags: Vec<String>,
        audience: String,
        locale: Option<String>,
    ) -> Self {
        let language = Language::of(locale.as_deref());
        let title_terms = language.terms(&title);
        Self { external_id, title, url, tags, audience, locale, language, title_terms }
    }
}

/// One passage, analysed once and shared by every index that contains it.
#[derive(Debug)]
pub struct Entry {
    pub head: Arc<DocumentHead>,
    /// Position in its document, from 0.
    pub ordinal: u32,
    pub chunk: Chunk,
    /// Distinct terms with their weighted frequencies.
    terms: Vec<(Box<str>, f32)>,
    length: f32,
    vectors: Option<Vectors>,
}

/// The two embeddings of a passage, each of length 1: one of its subject and one of its text.
///
/// They are kept separate because a question resembles either the heading ("Can I cancel?") or a
/// sentence of the text. One vector of both would be less similar to it than the better of the two.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    subject: Box<[f32]>,
    text: Box<[f32]>,
}

impl Vectors {
    /// `None` if either vector is zero.
    pub fn new(subject: &[f32], text: &[f32]) -> Option<Self> {
        Some(Self { subject: unit(subject)?, text: unit(text)? })
    }

    /// Reads the output of [`Vectors::joined`].
    pub fn split(joined: &[f32]) -> Option<Self> {
        let (subject, text) = joined.split_at(joined.len() / 2);
        if subject.len() == text.len() { Self::new(subject, text) } else { None }
    }

    /// Both in one row, as stored.
    pub fn joined(&self) -> Vec<f32> {
        [&*self.subject, &*self.text].concat()
    }

    fn cosine(&self, query: &[f32]) -> Option<f32> {
        let fits = self.subject.len() == query.len() && self.text.len() == query.len();
        fits.then(|| dot(&self.subject, query).max(dot(&self.text, query)))
    }
}

impl Entry {
    pub fn new(
        head: Arc<DocumentHead>,
        ordinal: u32,
        chunk: Chunk,
        vectors: Option<Vectors>,
    ) -> Self {
        let mut counts: HashMap<String, f32> = HashMap::new();
        let mut count = |text: &str, weight: f32| {
            for term in head.language.terms(text) {
                *counts.entry(term).or_default() += weight;
            }
        };
        count(&chunk.text, 1.0);
        let (outer, heading) = match chunk.heading.rsplit_once(PATH) {
            Some(path) => path,
            None if chunk.heading.is_empty() => ("", head.title.as_str()),
            None => ("", chunk.heading.as_str()),
        };
        count(heading, HEADING_WEIGHT);
        count(outer, OUTER_WEIGHT);
        if heading != head.title && !outer.starts_with(&head.title) {
            count(&head.title, OUTER_WEIGHT);
        }
        head.tags.iter().for_each(|tag| count(tag, TAG_WEIGHT));
        let length = counts.values().sum();
        let terms = counts.into_iter().map(|(term, tf)| (term.into_boxed_str(), tf)).collect();
        Self { head, ordinal, chunk, terms, length, vectors }
    }

    pub(super) fn length(&self) -> f32 {
        self.length
    }

    /// The greater cosine of its two vectors with a `query` of length 1; `None` if their sizes
    /// differ.
    pub(super) fn cosine(&self, query: &[f32]) -> Option<f32> {
        self.vectors.as_ref()?.cosine(query)
    }
}

/// `vector` scaled to length 1.
pub(super) fn unit(vector: &[f32]) -> Option<Box<[f32]>> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    (length.is_finite() && length > 0.0).then(|| vector.iter().map(|x| x / length).collect())
}

/// BM25's inverse document frequency of a term that occurs in `frequency` of `passages` passages.
pub(super) fn inverse_frequency(passages: usize, frequency: usize) -> f32 {
    let frequency = frequency.min(passages) as f32;
    ((passages as f32 - frequency + 0.5) / (frequency + 0.5)).ln_1p()
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub entry: u32,
    pub frequency: f32,
}

/// Passages that were indexed together, and which of them were removed.
#[derive(Clone)]
pub(super) struct Segment {
    indexed: Arc<Indexed>,
    /// Shared until a passage is removed; empty while none is.
    gone: Arc<[bool]>,
    live: usize,
}

struct Indexed {
    entries: Vec<Arc<Entry>>,
    postings: HashMap<Box<str>, Vec<Posting>>,
    /// The terms of `postings`, for full scans.
    words: Vec<Spelled>,
}

/// A term, and a fingerprint that quickly rules out dissimilar words.
pub(super) struct Spelled {
    pub term: Box<str>,
    pub chars: usize,
    pub letters: Letters,
}

/// The letters of a word, as a set of 64 into which all characters are folded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Letters(u64);

impl Letters {
    pub fn of(word: impl Iterator<Item = char>) -> Self {
        Self(word.fold(0, |set, c| set | 1 << (u32::from(c) % 64)))
    }

    /// A lower bound for the edits between two words: each edit removes a letter, adds one, or
    /// both.
    pub fn edits_apart(self, other: Self) -> usize {
        let only = |a: u64, b: u64| (a & !b).count_ones() as usize;
        only(self.0, other.0).max(only(other.0, self.0))
    }
}

impl Segment {
    fn new(entries: Vec<Arc<Entry>>) -> Self {
        let mut postings: HashMap<Box<str>, Vec<Posting>> = HashMap::new();
        for (index, entry) in (0_u32..).zip(&entries) {
            for (term, frequency) in &entry.terms {
                let posting = Posting { entry: index, frequency: *frequency };
                match postings.get_mut(term) {
                    Some(list) => list.push(posting),
                    None => {
                        postings.insert(term.clone(), vec![posting]);
                    }
                }
            }
        }
        let spelled = |term: &str| Spelled {
            term: term.into(),
            chars: term.chars().count(),
            letters: Letters::of(term.chars()),
        };
        let words = postings.keys().map(|term| spelled(term)).collect();
        let live = entries.len();
        Self { indexed: Arc::new(Indexed { entries, postings, words }), gone: Arc::new([]), live }
    }

    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.indexed.entries
    }

    pub fn postings(&self, term: &str) -> &[Posting] {
        self.indexed.postings.get(term).map_or(&[], Vec::as_slice)
    }

    pub fn is_live(&self, entry: usize) -> bool {
        !self.gone.get(entry).copied().unwrap_or(false)
    }

    fn live_entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries().iter().enumerate().filter(|(at, _)| self.is_live(*at)).map(|(_, e)| e)
    }

    fn without(&self, external_id: &str) -> Self {
        let of_document = |entry: &Arc<Entry>| entry.head.external_id == external_id;
        let leaving = self.live_entries().filter(|entry| of_document(entry)).count();
        if leaving == 0 {
            return self.clone();
        }
        let gone = self
            .entries()
            .iter()
            .enumerate()
            .map(|(at, entry)| !self.is_live(at) || of_document(entry))
            .collect();
        Self { indexed: self.indexed.clone(), gone, live: self.live - leaving }
    }
}

/// All passages of one site. Cheap to derive from another one.
#[derive(Clone, Default)]
pub struct Index {
    /// Oldest and largest first.
    segments: Vec<Segment>,
    live: usize,
    total_length: f64,
    languages: Vec<Language>,
}

impl Index {
    /// An index of only `entries`.
    pub fn of(entries: Vec<Arc<Entry>>) -> Self {
        Self::from_segments(vec![Segment::new(entries)])
    }

    /// This index with the passages of a document replaced by `entries`, which may be empty.
    pub fn with_document(&self, external_id: &str, entries: Vec<Arc<Entry>>) -> Self {
        let mut segments: Vec<_> = self.segments.iter().map(|s| s.without(external_id)).collect();
        if !entries.is_empty() {
            segments.push(Segment::new(entries));
        }
        Self::from_segments(merged(segments))
    }

    fn from_segments(mut segments: Vec<Segment>) -> Self {
        segments.retain(|segment| segment.live > 0);
        let mut index = Self { segments, ..Self::default() };
        for segment in &index.segments {
            index.live += segment.live;
            for entry in segment.live_entries() {
                index.total_length += f64::from(entry.length);
                if !index.languages.contains(&entry.head.language) {
                    index.languages.push(entry.head.language);
                }
            }
        }
        index
    }

    /// The number of passages.
    pub fn len(&self) -> usize {
        self.live
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(super) fn languages(&self) -> &[Language] {
        &self.languages
    }

    pub(super) fn mean_length(&self) -> f32 {
        if self.live == 0 { 1.0 } else { (self.total_length / self.live as f64) as f32 }
    }

    /// Every term of present or removed passages; terms of several segments are repeated.
    pub(super) fn vocabulary(&self) -> impl Iterator<Item = &Spelled> {
        self.segments.iter().flat_map(|segment| &segment.indexed.words)
    }

    /// The number of passages with a term. Removed passages count until their segment is merged.
    pub(super) fn document_frequency(&self, term: &str) -> usize {
        self.segments.iter().map(|segment| segment.postings(term).len()).sum()
    }
}

/// Merges from the newest segment on until each is more than twice as large as the next. Drops
/// removed passages once they are a third of a segment.
fn merged(segments: Vec<Segment>) -> Vec<Segment> {
    let mut kept: Vec<Segment> = Vec::new();
    for segment in segments {
        let sparse = segment.live * 3 < segment.entries().len() * 2;
        let segment =
            if sparse { Segment::new(segment.live_entries().cloned().collect()) } else { segment };
        kept.push(segment);
        while let [.., older, newer] = kept.as_slice() {
            if older.live > 2 * newer.live {
                break;
            }
            let both = older.live_entries().chain(newer.live_entries()).cloned().collect();
            kept.truncate(kept.len() - 2);
            kept.push(Segment::new(both));
        }
    }
    kept
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::knowledge::chunk::Kind;

    pub fn entry(document: &str, ordinal: u32, heading: &str, text: &str) -> Arc<Entry> {
        let head = DocumentHead::new(
            document.into(),
            document.into(),
            None,
            Vec::new(),
            crate::knowledge::document::PUBLIC.into(),
            None,
        );
        let chunk = Chunk { kind: Kind::Prose, heading: heading.into(), text: text.into() };
        Arc::new(Entry::new(Arc::new(head), ordinal, chunk, None))
    }

    fn living(index: &Index) -> Vec<(String, u32)> {
        let mut all: Vec<_> = index
            .segments()
            .iter()
            .flat_map(Segment::live_entries)
            .map(|entry| (entry.head.external_id.clone(), entry.ordinal))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn a_reader_keeps_the_index_it_holds() {
        let before = Index::default().with_document("a", vec![entry("a", 0, "", "tent")]);
        let after = before.with_document("a", Vec::new());
        assert_eq!((before.len(), after.len()), (1, 0));
    }

    #[test]
    fn a_thousand_documents_one_by_one_make_few_segments() {
        let mut index = Index::default();
        for number in 0..1_000 {
            let id = format!("doc{number}");
            index = index.with_document(&id, vec![entry(&id, 0, "", "tent pole peg")]);
        }
        assert_eq!(index.len(), 1_000);
        assert!(index.segments().len() <= 11, "{}", index.segments().len());
    }

    proptest! {
        #[test]
        fn any_order_of_changes_leaves_the_last_state_of_each_document(
            changes in prop::collection::vec((0..8_u8, 0..4_u32), 0..60),
        ) {
            let mut index = Index::default();
            let mut expected = std::collections::BTreeMap::new();
            for (document, passages) in changes {
                let id = document.to_string();
                let entries = (0..passages).map(|n| entry(&id, n, "", "word")).collect();
                index = index.with_document(&id, entries);
                expected.insert(id, passages);
            }
            let expected: Vec<_> = expected
                .into_iter()
                .flat_map(|(id, passages)| (0..passages).map(move |n| (id.clone(), n)))
                .collect();
            prop_assert_eq!(living(&index), expected);
            let total: usize = index.segments().iter().map(|s| s.entries().len()).sum();
            prop_assert!(total <= index.len() * 3 / 2 + 1);
        }
    }
}
