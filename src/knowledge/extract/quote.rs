//! The neighbouring sentences of a passage that answer a question best.

use std::{ops::Range, rc::Rc};

use jiff::civil::Date;

use super::{
    amounts::Amounts,
    weights::{Stems, Weights},
    window,
};
use crate::knowledge::{
    asking::{
        kind::Kind,
        lists::{Lists, lists},
        places::{Named, Place, Relation},
        said::Said,
    },
    chunk::{Kind as Form, PATH, is_list_line},
    search::Passage,
    sentence::sentences,
    terms::Language,
};

/// Most sentences in a quote, and most characters if there are several.
const MAX_SENTENCES: usize = 4;
const MAX_CHARS: usize = 420;
/// An FAQ answer up to this length is given whole, as its author wrote it.
const WHOLE_ANSWER_CHARS: usize = 700;
/// Most list items that are quoted with the sentence that introduces them.
const MAX_ITEMS: usize = 12;

// Gains of a run of sentences, in shares of the question.
/// The first sentence of a passage states its main point.
const FIRST_GAIN: f32 = 0.08;
const KIND_GAIN: f32 = 0.5;
const AMOUNT_GAIN: f32 = 0.6;
const EXACT_GAIN: f32 = 0.5;
const WITHIN_GAIN: f32 = 0.4;
const FOREIGN_COST: f32 = 0.6;
/// What a sentence more gains: it explains the others.
const LENGTH_GAIN: f32 = 0.02;
const ROW_COST: f32 = 0.15;
/// How well a heading fits that announces an answer of another kind; 1 is the same kind.
const OTHER_KIND: f32 = -0.5;
/// What a word counts in the heading and in a title, if it counts 1 in the text.
const HEADING: f32 = 0.9;
const TITLE: f32 = 0.6;
/// A sentence that begins with such a word is read with the one before it.
const POINTING: [&str; 5] = ["it", "this", "they", "that", "these"];

/// A question as all passages of one language are compared with it.
pub struct Question<'a> {
    pub kind: Kind,
    /// It has a "not" of its own.
    denies: bool,
    language: Language,
    pub places: Vec<Place>,
    pub amounts: Amounts,
    pub weights: Rc<Weights>,
    /// Of the passages.
    pub lists: &'a Lists,
    pub locale: &'a str,
    pub today: Date,
}

impl<'a> Question<'a> {
    /// The question, and its passages as they are read for it. `language` is that of the question,
    /// `locale` that of the passages.
    pub fn new<'p>(
        text: &str,
        language: &str,
        locale: &'a str,
        passages: &[&'p Passage],
        today: Date,
    ) -> (Self, Vec<Vec<Line<'p>>>) {
        let (said, asked, lists) = (Said::new(text), lists(language), lists(locale));
        let places = Named::read(&said, language).places;
        let terms = Language::of(Some(locale));
        let mut question = Self {
            kind: Kind::of(&said, asked),
            denies: said.words().iter().any(|word| asked.denials.contains(word.as_str())),
            language: terms,
            places: places.iter().map(|mention| mention.place).collect(),
            amounts: Amounts::of(text, asked),
            weights: Rc::default(),
            lists,
            locale,
            today,
        };
        let read = |passage: &&'p Passage| {
            sentences(&passage.text).map(|text| read(&question, text)).collect::<Vec<_>>()
        };
        let mut lines: Vec<Vec<Line<'p>>> = passages.iter().map(read).collect();
        let stems: Vec<&Stems> = lines.iter().flatten().map(|line| &line.stems).collect();
        // Places are compared as places.
        let is_place = |at: usize| places.iter().any(|m| (m.from..m.to).contains(&at));
        let words = said.words().iter().enumerate().filter(|(at, _)| !is_place(*at));
        let subject = Said::of(words.map(|(_, word)| word.clone()).collect());
        question.weights = Rc::new(Weights::new(&subject.without(&[&asked.kinds]), terms, &stems));
        for line in lines.iter_mut().flatten() {
            line.amount = question.amounts.fit(line.text, |word| question.weights.asks(word));
        }
        (question, lines)
    }

    /// If the question is a word: whether the document is about it.
    pub fn is_word(&self, passage: &Passage) -> Option<bool> {
        let alone = self.kind == Kind::Other && self.weights.len() < 2 && self.places.is_empty();
        let title = || Weights::stems(self.language, &Said::new(&passage.title));
        alone.then(|| self.weights.coverage([(&title(), 1.0)].into_iter()) > 0.5)
    }

    pub fn named(&self, text: &str) -> Named {
        Named::read(&Said::new(text), self.locale)
    }
}

/// A part of a passage, and how it fits the question.
#[derive(Debug)]
pub struct Run {
    /// Of the passage's text.
    pub range: Range<usize>,
    /// The share of the question's words in the run and in the headings.
    pub coverage: f32,
    pub in_heading: f32,
    /// Whether it has what a question of this kind asks for.
    pub shows: Option<bool>,
    /// The worst relation to a place of the question; `None` if it names none.
    pub relation: Option<Relation>,
    /// How well it fits a measure of the question; `None` if there is none.
    pub amount: Option<f32>,
    /// It holds today, and not always.
    pub current: bool,
    /// The heading announces an answer of the kind that is wanted, or of another kind.
    pub announced: f32,
    /// The heading denies something, and the question does not.
    pub denies: bool,
}

/// A sentence of a passage.
pub struct Line<'a> {
    text: &'a str,
    stems: Stems,
    named: Named,
    shows: Option<bool>,
    amount: f32,
    current: bool,
}

/// The best run of `passage`.
pub fn best(question: &Question<'_>, passage: &Passage, lines: &[Line<'_>]) -> Run {
    let heading = passage.heading.rsplit(PATH).next().unwrap_or("");
    let heading_said = Said::new(heading);
    let above = Said::new(&format!("{} {}", passage.title, passage.heading));
    let headings = [
        (Weights::stems(question.language, &heading_said), HEADING),
        (Weights::stems(question.language, &above), TITLE),
    ];
    let heading_kind = Kind::of(&heading_said, question.lists);
    let heading_named = question.named(heading);
    let measured = |range: Range<usize>| measure(question, lines, range, &headings, &heading_named);
    let whole = lines.len() <= 1
        || passage.kind == Form::Faq && passage.text.chars().count() <= WHOLE_ANSWER_CHARS;
    let mut best = (measured(0..lines.len()), 0..lines.len());
    if !whole {
        let mut most = f32::NEG_INFINITY;
        for from in 0..lines.len() {
            for to in from + 1..=(from + MAX_SENTENCES).min(lines.len()) {
                let chars: usize =
                    lines[from..to].iter().map(|line| line.text.chars().count()).sum();
                if to - from > 1 && chars > MAX_CHARS {
                    break;
                }
                let run = measured(from..to);
                let score = score(
                    &run,
                    from,
                    to - from,
                    question,
                    (&lines[from..to], lines),
                    &heading_named,
                );
                if score > most {
                    most = score;
                    best = (run, from..to);
                }
            }
        }
    }
    let (mut run, mut range) = best;
    if !whole {
        range = with_rule_of_today(with_introduction(with_items(range, lines), lines), lines);
    }
    run.announced = match heading_kind {
        Kind::Other => 0.0,
        kind if kind == question.kind => 1.0,
        _ => OTHER_KIND,
    };
    let denies =
        |said: &Said| said.words().iter().any(|w| question.lists.denials.contains(w.as_str()));
    run.denies = denies(&heading_said) && !question.denies && question.kind != Kind::Whether;
    run.current = lines[range.clone()].iter().any(|line| line.current);
    let start = lines[..range.start].iter().fold(0, |at, line| after(&passage.text, at, line.text));
    let end = lines[range].iter().fold(start, |at, line| after(&passage.text, at, line.text));
    let gap = passage.text[start..end].len() - passage.text[start..end].trim_start().len();
    run.range = start + gap..end;
    run
}

fn read<'a>(question: &Question<'_>, text: &'a str) -> Line<'a> {
    let said = Said::new(text);
    Line {
        text,
        stems: Weights::stems(question.language, &said),
        named: Named::read(&said, question.locale),
        shows: question.kind.shows(text, &said, question.lists),
        amount: 0.0,
        current: window::holds(&said, question.today, question.lists),
    }
}

fn measure(
    question: &Question<'_>,
    lines: &[Line<'_>],
    range: Range<usize>,
    headings: &[(Stems, f32); 2],
    heading_named: &Named,
) -> Run {
    let run = &lines[range];
    let above = || headings.iter().map(|(stems, counts)| (stems, *counts));
    let of_place = |place: &Place| {
        let each = || run.iter().map(|line| relation(line, *place, lines));
        let said = each().max().unwrap_or(Relation::Silent);
        // A sentence without a place does not make up for one about another place.
        let said = if said == Relation::Silent { each().min().unwrap_or(said) } else { said };
        match (said, heading_named.about(*place)) {
            (_, Relation::Exact) => Relation::Exact,
            (Relation::Silent, heading) => heading,
            (said, _) => said,
        }
    };
    Run {
        range: 0..0,
        coverage: question
            .weights
            .coverage(run.iter().map(|line| (&line.stems, 1.0)).chain(above())),
        in_heading: question.weights.coverage(above()),
        shows: run.iter().filter_map(|line| line.shows).max(),
        relation: question.places.iter().map(of_place).min(),
        amount: (!question.amounts.is_empty())
            .then(|| run.iter().map(|line| line.amount).fold(0.0, f32::max)),
        current: false,
        announced: 0.0,
        denies: false,
    }
}

/// "All other countries of the Union" is not said of one that another sentence names.
fn relation(line: &Line<'_>, place: Place, lines: &[Line<'_>]) -> Relation {
    match line.named.about(place) {
        Relation::Within | Relation::Abroad
            if lines.iter().any(|other| other.named.about(place) == Relation::Exact) =>
        {
            Relation::Foreign
        }
        said => said,
    }
}

fn score(
    run: &Run,
    first: usize,
    count: usize,
    question: &Question<'_>,
    (lines, all): (&[Line<'_>], &[Line<'_>]),
    heading: &Named,
) -> f32 {
    let mut score = run.coverage + FIRST_GAIN / (1 + first) as f32;
    score += if run.shows == Some(true) { KIND_GAIN } else { 0.0 };
    score += run.amount.unwrap_or(0.0) * AMOUNT_GAIN;
    let foreign = |line: &&Line<'_>| {
        question.places.iter().all(|place| {
            heading.about(*place) != Relation::Exact
                && relation(line, *place, all) == Relation::Foreign
        })
    };
    score += match run.relation {
        Some(Relation::Exact) => EXACT_GAIN,
        Some(Relation::Within | Relation::Abroad) => WITHIN_GAIN,
        Some(Relation::Silent | Relation::Foreign) | None => 0.0,
    };
    if !question.places.is_empty() {
        score -= FOREIGN_COST * lines.iter().filter(foreign).count() as f32;
    }
    // A row that fits a measure says it alone.
    let in_table = lines.iter().any(|line| is_list_line(line.text));
    let each = match question.kind {
        _ if !question.amounts.is_empty() && in_table => ROW_COST,
        _ => -LENGTH_GAIN,
    };
    // Rows of a table and items of a list stand alone.
    let rows = lines.iter().filter(|line| is_list_line(line.text)).count().saturating_sub(1);
    score - each * count as f32 - ROW_COST * rows as f32
}

/// Extends a run that contains the introduction of a list by the rest of the list.
fn with_items(range: Range<usize>, lines: &[Line<'_>]) -> Range<usize> {
    let run = &lines[range.clone()];
    let in_list = run.iter().rev().take_while(|line| is_list_line(line.text)).count();
    let leads = run[..run.len() - in_list].last().is_some_and(|line| line.text.ends_with(':'));
    let items =
        lines[range.end..].iter().take_while(|line| leads && is_list_line(line.text)).count();
    range.start..range.end + items.min(MAX_ITEMS)
}

/// "It" is explained by the sentence before.
fn with_introduction(range: Range<usize>, lines: &[Line<'_>]) -> Range<usize> {
    let first = lines[range.start].text.split_whitespace().next().unwrap_or("").to_lowercase();
    let points = POINTING.contains(&first.as_str());
    if points && range.start > 0 && range.len() < MAX_SENTENCES {
        range.start - 1..range.end
    } else {
        range
    }
}

/// With the sentence next to the run that holds on these days.
fn with_rule_of_today(range: Range<usize>, lines: &[Line<'_>]) -> Range<usize> {
    let near = range.start.saturating_sub(2)..(range.end + 2).min(lines.len());
    let current = near.filter(|at| lines[*at].current);
    current.fold(range, |range, at| range.start.min(at)..range.end.max(at + 1))
}

/// The offset after `sentence`, which follows in `text` at or after `at`.
fn after(text: &str, at: usize, sentence: &str) -> usize {
    text[at..].find(sentence).map_or(at, |offset| at + offset + sentence.len())
}

/// The best run of a passage for the question without its places, for one about a place that the
/// passage does not name.
pub fn widest(question: &Question<'_>, passage: &Passage, lines: &[Line<'_>]) -> Run {
    best(&question.but(Vec::new()), passage, lines)
}

/// The best run for the question of any kind: that something is not sent to a place answers how
/// much it costs to send it there.
pub fn any_kind(question: &Question<'_>, passage: &Passage, lines: &[Line<'_>]) -> Run {
    let run = best(&question.but(question.places.clone()), passage, lines);
    Run { shows: None, ..run }
}

impl<'a> Question<'a> {
    fn but(&self, places: Vec<Place>) -> Self {
        Self {
            kind: Kind::Other,
            places,
            amounts: Amounts::default(),
            weights: self.weights.clone(),
            ..*self
        }
    }
}
