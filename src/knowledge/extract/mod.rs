//! Answers without a model: sentences from the shop's own documents, word for word, if they answer
//! the question.
//!
//! The search finds what is near a question. Here each passage is asked whether it answers it: by
//! the kind of the question, its places and measures, and its words. What is not an answer is not
//! given.

mod amounts;
mod head;
mod quote;
mod stores;
mod weights;
mod window;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::civil::Date;

use self::{
    quote::{Line, Question, Run},
    stores::Asked,
};
use super::{
    asking::{
        kind::Kind,
        places::{Named, Relation},
        said::Said,
    },
    glossary,
    search::Passage,
};
use crate::{
    domain::Citation,
    words::{Answers, languages, of},
};

/// Two answers whose logarithms of the odds differ less than this are both given.
const CLOSE: f32 = 1.5;

/// An answer in the shopper's own language is given if one in English leads by less.
const OWN: f32 = 0.5;

/// How many passages are asked whether they are the answer.
const CANDIDATES: usize = 7;

/// How many passages of one language are read.
const MOST: usize = 12;

/// A question that stands alone, and the passages near it, best first.
#[derive(Clone, Debug)]
pub struct Found {
    pub question: String,
    pub passages: Vec<Passage>,
}

/// What is known besides the questions.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The day of the shop.
    pub today: Date,
    /// The language of the message, as `de` or `de-AT`.
    pub language: &'a str,
    /// The least confidence of an answer.
    pub least: f32,
    /// Whether the vectors find a page in another language than the question.
    pub crosses: bool,
}

/// The language of a page without a locale.
const ENGLISH: &str = "en";

impl Setting<'_> {
    /// The languages of pages that may be quoted, the shopper's own first. Pages in a third one are
    /// read only if there are none in these.
    fn languages(&self, passages: &[Passage]) -> Vec<String> {
        let own = code(Some(self.language));
        let mut found: Vec<String> = passages.iter().map(|p| code(p.locale.as_deref())).collect();
        found.retain(|code| self.crosses || *code == own);
        found.sort_by_key(|code| (*code != own, *code != ENGLISH));
        found.dedup();
        let known = found.iter().filter(|code| **code == own || *code == ENGLISH).count();
        found.truncate(known.max(1));
        found
    }
}

fn code(locale: Option<&str>) -> String {
    locale.unwrap_or(ENGLISH).split(['-', '_']).next().unwrap_or("").to_ascii_lowercase()
}

/// An answer that consists of quotes, and of words of ours around them.
#[derive(Clone, Debug, PartialEq)]
pub struct Extract {
    pub text: String,
    pub citations: Vec<Citation>,
    /// The probability that this is the answer, of the least certain part.
    pub confidence: f32,
}

/// The answer to the questions of a message, each in one or several readings. `None` if none of
/// them has an answer.
pub fn extract(questions: &[Vec<Found>], setting: &Setting<'_>) -> Option<Extract> {
    let answers: Vec<Option<Part<'_>>> = questions
        .iter()
        .map(|readings| {
            let parts = readings.iter().filter_map(|found| answer(found, setting));
            parts
                .reduce(|best, other| if other.confidence > best.confidence { other } else { best })
        })
        .collect();
    let all = answers.iter().all(Option::is_some);
    let mut extract = Extract { text: String::new(), citations: Vec::new(), confidence: 1.0 };
    for part in answers.into_iter().flatten() {
        extract.add(part);
    }
    if extract.text.is_empty() {
        return None;
    }
    if !all && let Some(rest) = sentences(setting.language).rest {
        extract.paragraph(rest);
    }
    Some(extract)
}

impl Extract {
    fn add(&mut self, part: Part<'_>) {
        let known = |text: &str, extract: &Self| extract.text.contains(text);
        let new: Vec<&(&Passage, String)> =
            part.quotes.iter().filter(|(_, quote)| !known(quote, self)).collect();
        if let Some(lead) = &part.lead
            && !known(lead, self)
        {
            self.paragraph(lead);
        }
        for (passage, quote) in new {
            if part.shown {
                self.paragraph(quote);
            }
            self.citations.push(Citation {
                id: (self.citations.len() + 1).to_string(),
                document_id: passage.document_id.clone(),
                title: passage.title.clone(),
                url: passage.url.clone(),
                quote: quote.clone(),
            });
        }
        self.confidence = self.confidence.min(part.confidence);
    }

    fn paragraph(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(text);
    }
}

/// The answer to one question.
struct Part<'a> {
    /// Said before the quotes, or in their place.
    lead: Option<String>,
    quotes: Vec<(&'a Passage, String)>,
    /// Whether the quotes stand in the text.
    shown: bool,
    confidence: f32,
}

struct Candidate<'a> {
    passage: &'a Passage,
    run: Run,
    features: [f32; head::FEATURES],
    confidence: f32,
}

impl<'a> Candidate<'a> {
    fn quote(&self) -> (&'a Passage, String) {
        (self.passage, self.passage.text[self.run.range.clone()].trim().to_owned())
    }
}

fn answer<'a>(found: &'a Found, setting: &Setting<'_>) -> Option<Part<'a>> {
    let languages = setting.languages(&found.passages);
    let parts = languages.iter().filter_map(|language| answer_in(language, found, setting));
    // The shopper's own language comes first.
    parts.reduce(
        |own, other| {
            if odds(other.confidence) - odds(own.confidence) > OWN { other } else { own }
        },
    )
}

/// The answer from the pages in one language.
fn answer_in<'a>(language: &str, found: &'a Found, setting: &Setting<'_>) -> Option<Part<'a>> {
    let own = found.passages.iter().filter(|p| code(p.locale.as_deref()) == language);
    let passages: Vec<&Passage> = own.take(MOST).collect();
    let locale = passages.first()?.locale.as_deref().unwrap_or(ENGLISH);
    let foreign = language == ENGLISH && code(Some(setting.language)) != ENGLISH;
    let english = foreign.then(|| glossary::english(&found.question, setting.language)).flatten();
    let (text, asked) = match &english {
        Some(english) => (english.as_str(), ENGLISH),
        None => (found.question.as_str(), setting.language),
    };
    // What is not sent to a place may stand further behind.
    let names_place = !Named::read(&Said::new(text), asked).places.is_empty();
    let most = if names_place { passages.len() } else { CANDIDATES };
    let near = &passages[..passages.len().min(most)];
    let (question, lines) = Question::new(text, asked, locale, near, setting.today);
    let spoken = (found.question.as_str(), setting.language);
    if let Some(part) = about_stores((text, asked), spoken, &passages, &question) {
        return Some(part);
    }
    let candidates = candidates(near, &question, &lines);
    let best = candidates.first().filter(|best| best.confidence >= setting.least);
    let Some(best) = best else {
        return not_named(spoken, near, &question, &lines, setting.least);
    };
    let mut quotes = vec![best.quote()];
    // Two that are nearly as probable are both shown, but not a second place or price.
    let close = |c: &&Candidate<'_>| odds(best.confidence) - odds(c.confidence) < CLOSE;
    let also = candidates.get(1).filter(|c| c.confidence >= setting.least && close(c));
    let settled = best.run.relation >= Some(Relation::Within) || best.run.amount > Some(0.0);
    quotes.extend(also.filter(|_| !settled).map(Candidate::quote));
    Some(Part { lead: None, quotes, shown: true, confidence: best.confidence })
}

fn odds(probability: f32) -> f32 {
    (probability / (1.0 - probability).max(f32::EPSILON)).ln()
}

/// Most probable first.
fn candidates<'a>(
    passages: &[&'a Passage],
    question: &Question<'_>,
    lines: &[Vec<Line<'_>>],
) -> Vec<Candidate<'a>> {
    let most = passages.iter().map(|passage| passage.score).fold(f32::MIN_POSITIVE, f32::max);
    let candidate = |(passage, lines): (&&'a Passage, &Vec<Line<'_>>)| {
        let run = quote::best(question, passage, lines);
        let behind = 1.0 - passage.score / most;
        let features = head::features(&run, passage, behind, question);
        let confidence = match question.is_word(passage) {
            Some(false) => 0.0,
            _ => head::probability(&features, &run),
        };
        Candidate { passage, run, features, confidence }
    };
    let mut candidates: Vec<Candidate<'a>> = passages.iter().zip(lines).map(candidate).collect();
    // A rule that holds today goes before one that always holds.
    let rank = |c: &Candidate<'_>| c.confidence + if c.run.current { 0.2 } else { 0.0 };
    candidates.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    candidates
}

/// The question as the shopper wrote it, and its language.
type Spoken<'a> = (&'a str, &'a str);

/// Where the stores are, if that is asked or if there is none at the place of the question.
fn about_stores<'a>(
    (text, language): (&str, &str),
    spoken: Spoken<'_>,
    passages: &[&'a Passage],
    question: &Question<'_>,
) -> Option<Part<'a>> {
    let asked = stores::asked(text, question, language)?;
    let stores = stores::listed(question, passages)?;
    let words = sentences(spoken.1);
    let places = stores.cities.join(", ");
    let lead = match asked {
        Asked::At(place) => {
            let there = |passage: &Passage| {
                question.named(&format!("{} {}", passage.heading, passage.text)).about(place)
                    == Relation::Exact
            };
            if stores.passages.iter().any(|passage| there(passage)) {
                return None;
            }
            let name = stores::name(spoken.0, place, spoken.1);
            words.no_store?.replace("{places}", &places).replace("{place}", &name)
        }
        Asked::All => words.stores?.replace("{places}", &places),
    };
    let quotes = stores.passages.iter().map(|passage| (*passage, first_line(passage))).collect();
    Some(Part { lead: Some(lead), quotes, shown: false, confidence: 0.9 })
}

fn first_line(passage: &Passage) -> String {
    super::sentence::sentences(&passage.text).next().unwrap_or("").to_owned()
}

/// What the pages say about other places, if it would answer the question but for its place.
fn not_named<'a>(
    spoken: Spoken<'_>,
    passages: &[&'a Passage],
    question: &Question<'_>,
    lines: &[Vec<Line<'_>>],
    least: f32,
) -> Option<Part<'a>> {
    let place = *question.places.first()?;
    let sure = |passage: &Passage, run: &Run| {
        let features = head::features(run, passage, 0.0, question);
        head::probability(&features, run)
    };
    let of_any_kind = passages.iter().copied().zip(lines).map(|(passage, lines)| {
        let run = quote::any_kind(question, passage, lines);
        (sure(passage, &run), passage, run)
    });
    let about = of_any_kind.filter(|(_, _, run)| run.relation >= Some(Relation::Within));
    if let Some((confidence, passage, run)) = about.max_by(|a, b| a.0.total_cmp(&b.0))
        && confidence >= least
    {
        let quote = passage.text[run.range].trim().to_owned();
        return Some(Part { lead: None, quotes: vec![(passage, quote)], shown: true, confidence });
    }
    // Amounts for other places would be taken for this one's.
    if matches!(question.kind, Kind::HowMuch | Kind::Price | Kind::HowLong) {
        return None;
    }
    let named = |passage: &Passage| question.named(&passage.text);
    let mut elsewhere: Vec<(&'a Passage, Run)> = passages
        .iter()
        .copied()
        .zip(lines)
        .filter(|(passage, _)| named(passage).about(place) == Relation::Foreign)
        .map(|(passage, lines)| (passage, quote::widest(question, passage, lines)))
        .collect();
    let score = |(passage, run): &(&Passage, Run)| sure(passage, run);
    elsewhere.retain(|candidate| score(candidate) >= least);
    // The text that names most places tells most about where something holds.
    let tells = |(passage, _): &(&Passage, Run)| named(passage).len();
    elsewhere.sort_by_key(|candidate| usize::MAX - tells(candidate));
    let best = elsewhere.into_iter().next()?;
    let confidence = score(&best);
    let name = stores::name(spoken.0, place, spoken.1);
    let lead = sentences(spoken.1).not_named?.replace("{place}", &name);
    let quote = best.0.text[best.1.range.clone()].trim().to_owned();
    Some(Part { lead: Some(lead), quotes: vec![(best.0, quote)], shown: true, confidence })
}

static SENTENCES: LazyLock<Vec<(&'static str, Answers)>> =
    LazyLock::new(|| languages::<Answers>().map(|code| (code, of(code))).collect());

/// Our own sentences in a language; English ones if it has none.
fn sentences(language: &str) -> &'static Answers {
    static NONE: LazyLock<Answers> = LazyLock::new(Answers::default);
    let code = language.split(['-', '_']).next().unwrap_or("en");
    let of =
        |code: &str| SENTENCES.iter().find(|(known, _)| *known == code).map(|(_, words)| words);
    of(code).or_else(|| of("en")).unwrap_or_else(|| &NONE)
}

/// A part of a passage as the head sees it.
pub struct Example {
    pub text: String,
    pub features: Vec<f32>,
}

/// What the head is asked about the passages of some questions, for its training.
pub fn examples(questions: &[Vec<Found>], setting: &Setting<'_>) -> Vec<Example> {
    let of = |found: &Found| {
        let passages: Vec<&Passage> = found.passages.iter().collect();
        let near = &passages[..passages.len().min(CANDIDATES)];
        let (question, lines) =
            Question::new(&found.question, setting.language, "en", near, setting.today);
        let candidates = candidates(near, &question, &lines);
        let example =
            |c: &Candidate<'_>| Example { text: c.quote().1, features: c.features.to_vec() };
        candidates.iter().map(example).collect::<Vec<_>>()
    };
    questions.iter().flatten().flat_map(of).collect()
}
