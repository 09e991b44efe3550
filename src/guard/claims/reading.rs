//! What the words of a text are for the rules: content, names, numbers, parts, languages.

use super::{
    lexicon::{self, Marks, SHARED},
    number::Number,
    root::{Root, hash},
    token::{Kind, Token, marker},
};

/// So many words in a row are not the same by accident.
const SHINGLE: usize = 7;

/// The language that most frequent words are of.
pub(super) fn language(tokens: &[Token]) -> Option<&'static str> {
    let mut languages = Languages::default();
    languages.count(tokens);
    languages.most().and_then(lexicon::language)
}

/// The same, if more than one word and no other language says so.
pub(super) fn sure_language(tokens: &[Token]) -> Option<&'static str> {
    let mut languages = Languages::default();
    languages.count(tokens);
    let most = languages.0.iter().copied().max().filter(|most| *most > 1)?;
    let is_alone = languages.0.iter().filter(|count| **count == most).count() == 1;
    languages.most().filter(|_| is_alone).and_then(lexicon::language)
}

/// A known place, or a word with a capital letter.
pub(super) fn is_name(token: &Token) -> bool {
    token.kind == Kind::Word
        && (token.entry.marks.has(Marks::PLACE)
            || token.is_capital && !token.entry.marks.has(Marks::CALENDAR))
}

pub(super) fn counts(token: &Token) -> bool {
    token.is_content() || token.kind == Kind::Code
}

pub(super) fn roots(tokens: &[Token]) -> Vec<Root> {
    sorted(tokens.iter().filter(|token| counts(token)).map(|token| token.root))
}

pub(super) fn numbers(tokens: &[Token]) -> Vec<Number> {
    numbers_at(tokens).map(|(_, number)| number).collect()
}

/// With their places.
pub(super) fn numbers_at(tokens: &[Token]) -> impl Iterator<Item = (usize, Number)> {
    tokens.iter().enumerate().filter_map(|(at, token)| match token.kind {
        Kind::Number(number) => Some((at, number)),
        Kind::Word | Kind::Code | Kind::Marker(_) => None,
    })
}

pub(super) fn is_negative(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| token.entry.marks.has(Marks::NEGATION))
        || tokens.first().is_some_and(|token| token.entry.marks.has(Marks::NO))
}

/// The parts of a sentence that may say different things. A part without a word of its own belongs
/// to the one before.
pub(super) fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let mut starts = vec![0];
    for (at, token) in tokens.iter().enumerate().skip(1) {
        let last = starts.last().copied().unwrap_or(0);
        let counted = |tokens: &[Token]| tokens.iter().any(|t| matches!(t.kind, Kind::Number(_)));
        let breaks = token.after_break
            || token.entry.marks.has(Marks::BREAK)
            || token.entry.marks.has(Marks::JOIN)
                && counted(&tokens[last..at])
                && counted(&tokens[at..]);
        if breaks && tokens[last..at].iter().filter(|token| counts(token)).count() > 1 {
            starts.push(at);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
    starts.iter().zip(ends).map(|(start, end)| &tokens[*start..end]).collect()
}

/// A "but" ends what a negation is about.
pub(super) fn scopes(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let breaks = |token: &Token| token.entry.marks.has(Marks::BREAK);
    tokens.chunk_by(move |_, next| !breaks(next))
}

pub(super) fn pairs(tokens: &[Token]) -> Vec<(Root, Root)> {
    let both = tokens.windows(2).filter(|pair| counts(&pair[0]) && counts(&pair[1]));
    both.filter(|pair| !pair[1].after_break).map(|pair| (pair[0].root, pair[1].root)).collect()
}

/// Words in lower case with single spaces, without the numbers of sources.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c| matches!(c, '*' | '_'));
        if marker(word).is_some() || word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word.to_lowercase());
    }
    out
}

pub(super) fn sorted(roots: impl IntoIterator<Item = Root>) -> Vec<Root> {
    let mut roots: Vec<Root> = roots.into_iter().collect();
    roots.sort_unstable();
    roots.dedup();
    roots
}

pub(super) fn shingles(text: &str) -> impl Iterator<Item = u64> {
    let words: Vec<u64> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| u64::from(hash(&word.to_lowercase())))
        .collect();
    let run = |words: &[u64]| words.iter().fold(0u64, |all, word| all.rotate_left(9) ^ word);
    words.windows(SHINGLE).map(run).collect::<Vec<_>>().into_iter()
}

/// How often the frequent words of each language are said.
#[derive(Default)]
pub(super) struct Languages([u16; 16]);

impl Languages {
    pub(super) fn count(&mut self, tokens: &[Token]) {
        for token in tokens {
            if let Some(language) = token.entry.language.filter(|language| *language != SHARED)
                && let Some(count) = self.0.get_mut(usize::from(language))
            {
                *count = count.saturating_add(1);
            }
        }
    }

    pub(super) fn most(&self) -> Option<u8> {
        let (language, count) = (0u8..).zip(self.0).max_by_key(|(_, count)| *count)?;
        (count > 0).then_some(language)
    }
}
