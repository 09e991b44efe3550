//! A sentence of an answer, what its phrases do, and which of its words are names.

use super::{
    evidence::{Evidence, NAME},
    lexicon::{self, Does, Marks},
    reading::{self, counts, is_name},
    root::Root,
    token::{Token, tokens},
};

/// A sentence and what its phrases do.
pub(super) struct Said<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) tokens: Vec<Token>,
    pub(super) phrases: Vec<(usize, usize, Does)>,
    pub(super) is_question: bool,
    pub(super) is_german: bool,
    /// Has an address or a long number, which is the shop's.
    pub(super) is_addressed: bool,
    /// As the sources have it in lower case, without its final marks.
    pub(super) plain: String,
    /// Words next to each other that the evidence has so, too.
    pub(super) pairs: Vec<(Root, Root)>,
}

impl<'a> Said<'a> {
    pub(super) fn read(evidence: &'a Evidence, text: &str) -> Self {
        let tokens = tokens(text);
        let words: Vec<&str> = tokens.iter().map(|token| token.lower.as_str()).collect();
        let phrases = found(&words);
        let end = text.trim_end_matches(|c: char| c.is_whitespace() || "\"')”»*_".contains(c));
        let is_german = reading::language(&tokens) == Some("de");
        Self {
            evidence,
            phrases,
            is_question: end.ends_with(['?', '？', '؟']),
            is_german,
            is_addressed: text.contains('@') || text.bytes().filter(u8::is_ascii_digit).count() > 6,
            plain: reading::plain(text).trim_end_matches(['.', '!', '?', ' ']).to_owned(),
            pairs: evidence.known_pairs(&tokens),
            tokens,
        }
    }
}

impl Said<'_> {
    pub(super) fn does(&self, does: Does) -> bool {
        self.phrases.iter().any(|(_, _, other)| *other == does)
    }

    pub(super) fn names_any(&self, competitors: &[String]) -> bool {
        let words: Vec<&str> = self.tokens.iter().map(|token| token.lower.as_str()).collect();
        competitors.iter().any(|name| {
            let name: Vec<&str> = name.split(' ').collect();
            words.windows(name.len()).any(|window| window == name)
        })
    }

    /// What is said after "I do not know, but", or after "I am sorry, but".
    pub(super) fn behind(&self, does: Does) -> Option<Self> {
        let (start, _, _) = self.phrases.iter().find(|(_, _, other)| *other == does)?;
        let mut from = self.tokens.iter().enumerate().skip(*start);
        let (at, _) = from.find(|(_, token)| token.entry.marks.has(Marks::BREAK))?;
        let rest = self.tokens.get(at + 1..)?;
        if rest.iter().filter(|token| counts(token)).count() < 2 {
            return None;
        }
        let words: Vec<&str> = rest.iter().map(|token| token.lower.as_str()).collect();
        let phrases = found(&words);
        let (plain, pairs) = (String::new(), self.pairs.clone());
        Some(Self { tokens: rest.to_vec(), phrases, plain, pairs, ..*self })
    }

    pub(super) fn is_name(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        if !counts(token) || !is_name(token) {
            return false;
        }
        // Every noun has a capital letter in German.
        !self.is_german
            || token.entry.marks.has(Marks::PLACE)
            || at.checked_sub(1).is_some_and(|before| {
                self.tokens[before].entry.marks.has(Marks::TOWARDS)
                    && token.entry.same.is_none()
                    && token.entry.unit.is_none()
            })
    }

    /// The words of the statement. A "yes" says what was asked, and so does a sentence that says
    /// little itself.
    pub(super) fn statement_roots(&self, with_question: bool) -> Vec<Root> {
        let mut roots = reading::roots(&self.tokens);
        if with_question {
            roots.extend(&self.evidence.question.roots);
            roots.sort_unstable();
            roots.dedup();
        }
        roots
    }

    pub(super) fn opens_with(&self, marks: Marks) -> bool {
        self.tokens.first().is_some_and(|token| token.entry.marks.has(marks))
    }

    /// The question names something that no source has.
    pub(super) fn asks_for_unknown(&self) -> bool {
        let asked = &self.evidence.question;
        asked.names.iter().chain(&asked.codes).any(|name| !self.evidence.knows(*name))
    }

    pub(super) fn is_named(&self, root: Root) -> bool {
        self.evidence.question.names.contains(&root)
            || self.tokens.iter().enumerate().any(|(at, t)| t.root == root && self.is_name(at))
    }

    pub(super) fn weight(&self, root: Root) -> f32 {
        let weight = self.evidence.weight(root);
        if self.is_named(root) { weight * NAME } else { weight }
    }
}

fn found(words: &[&str]) -> Vec<(usize, usize, Does)> {
    let at = |at: usize| lexicon::phrases(words, at).map(move |(length, does)| (at, length, does));
    (0..words.len()).flat_map(at).collect()
}
