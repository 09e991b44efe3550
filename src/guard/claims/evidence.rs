//! What an answer may rest on: the passages that the model was given, the question, and results of
//! tools.

use std::ops::Range;

use super::{
    lexicon::{self, Does, Marks},
    number::Number,
    reading::{
        Languages, counts, is_name, is_negative, numbers, pairs, parts, plain, roots, scopes,
        shingles, sorted,
    },
    root::Root,
    sentence,
    token::{Kind, Token, tokens},
};

/// A text that an answer may rest on.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub title: &'a str,
    /// The headings above it, or the question that it answers.
    pub heading: &'a str,
    pub text: &'a str,
    pub url: Option<&'a str>,
    /// A tool found it for this shopper, so it may say what is with their order.
    pub is_looked_up: bool,
}

/// A part of a sentence of a source, up to a comma or a "but".
pub(super) struct Unit {
    pub(super) source: usize,
    pub(super) sentence: usize,
    pub(super) is_negative: bool,
    /// "only": it also denies everything else.
    pub(super) is_limit: bool,
    /// "if": it says nothing of other cases.
    pub(super) is_conditional: bool,
    pub(super) roots: Vec<Root>,
    pub(super) numbers: Vec<Number>,
}

pub(super) struct Sentence {
    pub(super) source: usize,
    /// Bytes in the text of its source.
    pub(super) range: Range<usize>,
    pub(super) roots: Vec<Root>,
    /// Also of units, and of words that say little.
    words: Vec<Root>,
    /// Words that stand next to each other.
    pairs: Vec<(Root, Root)>,
    pub(super) numbers: Vec<Number>,
    /// Says without a condition whether goods can be had.
    pub(super) stocks: bool,
}

/// One source, as far as its sentences share it.
struct Whole {
    text: String,
    /// In lower case, with single spaces.
    plain: String,
    /// Of its title and headings.
    head: Vec<Root>,
    head_pairs: Vec<(Root, Root)>,
    /// Of everything.
    roots: Vec<Root>,
    /// It answers its heading with a yes or a no.
    denies: Option<bool>,
    is_looked_up: bool,
}

/// The compiled sources of one answer.
pub struct Evidence {
    pub(super) units: Vec<Unit>,
    pub(super) sentences: Vec<Sentence>,
    wholes: Vec<Whole>,
    /// Sorted by root.
    weights: Vec<(Root, f32)>,
    pub(super) question: Asked,
    /// Everything in one, in lower case, for addresses.
    plain: String,
    language: Option<u8>,
    /// Runs of words of the instructions, sorted.
    instructions: Vec<u64>,
}

/// What the question says.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) roots: Vec<Root>,
    /// Places and other names.
    pub(super) names: Vec<Root>,
    pub(super) numbers: Vec<Number>,
    pub(super) codes: Vec<Root>,
}

/// A word that is nowhere in the evidence.
const UNKNOWN: f32 = 1.3;
/// What a word counts that stands in the source, but not near.
const FAR: f32 = 0.2;
/// A name says more than another word.
pub(super) const NAME: f32 = 2.0;

impl Evidence {
    /// `question` and `sources` are what the model was given. `hosts` are the site's own, and
    /// `instructions` is what no answer may repeat.
    pub fn new(
        question: &str,
        sources: &[Source<'_>],
        hosts: &[String],
        instructions: &str,
    ) -> Self {
        let mut evidence = Self {
            units: Vec::new(),
            sentences: Vec::new(),
            wholes: Vec::new(),
            weights: Vec::new(),
            question: Asked::read(question),
            plain: question.to_lowercase(),
            language: None,
            instructions: shingles(instructions).collect(),
        };
        evidence.instructions.sort_unstable();
        let mut languages = Languages::default();
        for (index, source) in sources.iter().enumerate() {
            evidence.add(index, source, &mut languages);
        }
        for host in hosts {
            evidence.plain.push(' ');
            evidence.plain.push_str(&host.to_lowercase());
        }
        evidence.language = languages.most();
        evidence.weigh();
        evidence
    }

    fn add(&mut self, index: usize, source: &Source<'_>, languages: &mut Languages) {
        for text in [source.title, source.heading, source.text, source.url.unwrap_or_default()] {
            self.plain.push('\n');
            self.plain.push_str(&text.to_lowercase());
        }
        let head = tokens(&format!("{}\n{}", source.title, source.heading));
        let head_pairs = pairs(&head);
        let head = sorted(head.iter().filter(|token| counts(token)).map(|token| token.root));
        let mut all = head.clone();
        let opening = tokens(source.text.split_whitespace().next().unwrap_or_default());
        let opening = opening.first().map(|token| token.entry.marks);
        let denies =
            opening.and_then(|marks| match (marks.has(Marks::YES), marks.has(Marks::NO)) {
                (true, _) => Some(false),
                (_, true) => Some(true),
                _ => None,
            });
        for range in sentence::all(source.text) {
            let tokens = tokens(&source.text[range.clone()]);
            languages.count(&tokens);
            let words: Vec<&str> = tokens.iter().map(|token| token.lower.as_str()).collect();
            let stocks = (0..words.len())
                .any(|at| lexicon::phrases(&words, at).any(|(_, does)| does == Does::Stocks));
            let stocks = stocks && !tokens.iter().any(|t| t.entry.marks.has(Marks::CONDITION));
            let number = self.sentences.len();
            let first = self.units.len();
            let limits: Vec<(usize, bool)> =
                scopes(&tokens).map(|scope| (scope[0].range.start, is_negative(scope))).collect();
            for part in parts(&tokens) {
                let from = part.first().map_or(0, |token| token.range.start);
                let scope = limits.iter().rev().find(|(start, _)| *start <= from);
                self.units.push(Unit {
                    source: index,
                    sentence: number,
                    is_negative: scope.is_some_and(|(_, negative)| *negative),
                    is_conditional: tokens
                        .first()
                        .is_some_and(|token| token.entry.marks.has(Marks::CONDITION)),
                    is_limit: part.iter().any(|token| token.entry.marks.has(Marks::ONLY)),
                    roots: roots(part),
                    numbers: numbers(part),
                });
            }
            // Whatever a sentence begins with is said of all of it.
            let begins_negative = self.units[first..].first().is_some_and(|unit| unit.is_negative);
            if begins_negative && tokens.first().is_some_and(|t| t.entry.marks.has(Marks::NO)) {
                for unit in &mut self.units[first..] {
                    unit.is_negative = true;
                }
            }
            let roots = roots(&tokens);
            all.extend(&roots);
            self.sentences.push(Sentence {
                source: index,
                range,
                roots,
                words: sorted(tokens.iter().map(|token| token.root)),
                pairs: pairs(&tokens),
                numbers: numbers(&tokens),
                stocks,
            });
        }
        self.wholes.push(Whole {
            text: source.text.to_owned(),
            plain: plain(source.text),
            head,
            head_pairs,
            roots: sorted(all),
            denies,
            is_looked_up: source.is_looked_up,
        });
    }

    /// A word in fewer sentences weighs more.
    fn weigh(&mut self) {
        let mut all: Vec<Root> =
            self.sentences.iter().flat_map(|s| s.roots.iter().copied()).collect();
        all.extend(self.wholes.iter().flat_map(|whole| whole.head.iter().copied()));
        all.sort_unstable();
        self.weights = all
            .chunk_by(|one, other| one == other)
            .map(|same| (same[0], 1.0 / (1.0 + 0.35 * (same.len() as f32).ln())))
            .collect();
    }

    pub(super) fn weight(&self, root: Root) -> f32 {
        let found = self.weights.binary_search_by_key(&root, |(root, _)| *root);
        found.map_or(UNKNOWN, |at| self.weights[at].1)
    }

    pub(super) fn knows(&self, root: Root) -> bool {
        self.weights.binary_search_by_key(&root, |(root, _)| *root).is_ok()
    }

    /// How well a unit with what stands around it says one word: 0 to 1.
    pub(super) fn says(&self, unit: &Unit, root: Root) -> f32 {
        let whole = &self.wholes[unit.source];
        if unit.roots.contains(&root) {
            1.0
        } else if self.sentences[unit.sentence].roots.contains(&root) {
            0.9
        } else if whole.head.contains(&root) {
            0.8
        } else if whole.roots.binary_search(&root).is_ok() {
            0.5
        } else {
            0.0
        }
    }

    /// As [`Evidence::says`], but what stands further away counts little, and a word that the
    /// evidence has next to another one of the statement counts only with it: "express shipping" is
    /// not "standard shipping".
    pub(super) fn says_near(&self, unit: &Unit, root: Root, pairs: &[(Root, Root)]) -> f32 {
        let (whole, sentence) = (&self.wholes[unit.source], &self.sentences[unit.sentence]);
        let of_root: Vec<(Root, Root)> =
            pairs.iter().copied().filter(|(one, other)| *one == root || *other == root).collect();
        let is_apart = !of_root.is_empty() && !self.has_pair(unit, &of_root);
        if is_apart {
            FAR
        } else if unit.roots.contains(&root) {
            1.0
        } else if whole.head.contains(&root) {
            0.8
        } else if sentence.roots.contains(&root) {
            0.5
        } else if whole.roots.binary_search(&root).is_ok() {
            FAR
        } else {
            0.0
        }
    }

    /// The pairs of a statement that the evidence has somewhere.
    pub(super) fn known_pairs(&self, tokens: &[Token]) -> Vec<(Root, Root)> {
        let mut pairs = pairs(tokens);
        pairs.retain(|pair| {
            self.sentences.iter().any(|sentence| sentence.pairs.contains(pair))
                || self.wholes.iter().any(|whole| whole.head_pairs.contains(pair))
        });
        pairs
    }

    /// Whether the sentence of a unit has the word, also one that says little.
    pub(super) fn has_word(&self, unit: &Unit, word: Root) -> bool {
        self.sentences[unit.sentence].words.binary_search(&word).is_ok()
    }

    /// Whether some sentence with this number has the word, too.
    pub(super) fn has_with(&self, number: Number, word: Root) -> bool {
        self.sentences.iter().any(|sentence| {
            sentence.words.binary_search(&word).is_ok()
                && sentence.numbers.iter().any(|has| number.fits(*has))
        })
    }

    /// Whether one sentence, with its heading, has all of these words.
    pub(super) fn has_together(&self, words: &[Root]) -> bool {
        self.sentences.iter().any(|sentence| {
            let head = &self.wholes[sentence.source].head;
            let said = |word: &Root| sentence.roots.contains(word);
            words.iter().all(|word| said(word) || words.len() == 1 && head.contains(word))
        })
    }

    /// Whether the sentence of a unit, or the heading of its source, has one of the pairs.
    pub(super) fn has_pair(&self, unit: &Unit, pairs: &[(Root, Root)]) -> bool {
        let (whole, sentence) = (&self.wholes[unit.source], &self.sentences[unit.sentence]);
        pairs.iter().any(|pair| sentence.pairs.contains(pair) || whole.head_pairs.contains(pair))
    }

    /// The source that has this text, in lower case, as a part.
    pub(super) fn source_with(&self, plain: &str) -> Option<usize> {
        self.wholes.iter().position(|whole| whole.plain.contains(plain))
    }

    /// Whether a unit denies a statement of these words. If most of them are in the heading only, the
    /// answer to the heading counts.
    pub(super) fn denies(&self, unit: &Unit, roots: &[Root]) -> bool {
        let sentence = &self.sentences[unit.sentence];
        let own = roots.iter().filter(|root| sentence.roots.contains(root)).count();
        match self.wholes[unit.source].denies {
            Some(denies) if own * 2 <= roots.len() => denies,
            _ => unit.is_negative,
        }
    }

    /// Whether a source has this text, in lower case, as a part.
    pub(super) fn text_has(&self, source: usize, plain: &str) -> bool {
        self.wholes[source].plain.contains(plain)
    }

    /// What tools found for this shopper.
    pub(super) fn looked_up(&self) -> impl Iterator<Item = usize> {
        (0..self.wholes.len()).filter(|source| self.wholes[*source].is_looked_up)
    }

    /// Whether a source says the word anywhere.
    pub(super) fn source_has(&self, source: usize, root: Root) -> bool {
        self.wholes[source].roots.binary_search(&root).is_ok()
    }

    pub(super) fn len(&self) -> usize {
        self.wholes.len()
    }

    pub(super) fn text(&self, sentence: &Sentence) -> &str {
        self.wholes[sentence.source].text.get(sentence.range.clone()).unwrap_or_default().trim()
    }

    /// Whether this text, in lower case, is somewhere in what the model was given.
    pub(super) fn contains(&self, plain: &str) -> bool {
        self.plain.contains(plain)
    }

    /// Whether an answer in these words is in the language of the sources, as far as that is known.
    pub(super) fn speaks(&self, tokens: &[Token]) -> bool {
        let mut languages = Languages::default();
        languages.count(tokens);
        match (languages.most(), self.language) {
            (Some(answer), Some(sources)) => answer == sources,
            _ => false,
        }
    }

    /// All digits, without what may stand between them.
    pub(super) fn digits(&self) -> String {
        let between = |c: &char| !matches!(c, ' ' | '-' | '/' | '+' | '\u{a0}');
        self.plain.chars().filter(between).collect()
    }

    pub(super) fn is_leak(&self, text: &str) -> bool {
        shingles(text).any(|run| self.instructions.binary_search(&run).is_ok())
    }
}

impl Asked {
    fn read(question: &str) -> Self {
        let tokens = tokens(question);
        // "FJ" begins a number.
        let is_long = |token: &Token| token.lower.chars().nth(2).is_some();
        let names = tokens.iter().filter(|token| is_name(token) && counts(token) && is_long(token));
        Self {
            roots: roots(&tokens),
            names: names.map(|token| token.root).collect(),
            numbers: numbers(&tokens),
            codes: tokens.iter().filter(|t| t.kind == Kind::Code).map(|t| t.root).collect(),
        }
    }
}
