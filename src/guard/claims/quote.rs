//! The sentence of the shop that stands in the place of a bad one.

use super::{
    evidence::{Evidence, Sentence},
    number::Number,
    reading,
    root::Root,
    token::tokens,
};

/// Share of the question that a sentence must say to stand for an answer.
const ANSWERS: f32 = 0.6;
/// And the share that it must say itself.
const ITSELF: f32 = 0.4;
/// A word of the question that no source has counts little, since shoppers say more than they ask.
const STRANGE: f32 = 0.4;

/// The sentence of the sources that answers the question best, if one does. A question for a place
/// or a name that no source has gets none.
pub(super) fn best_sentence<'e>(
    evidence: &'e Evidence,
    instead_of: &str,
    is_used: impl Fn(usize) -> bool,
) -> Option<(usize, &'e Sentence)> {
    let asked = &evidence.question;
    if asked.names.iter().chain(&asked.codes).any(|name| !evidence.knows(*name)) {
        return None;
    }
    let said = reading::roots(&tokens(instead_of));
    let weight = |root: &Root| match evidence.knows(*root) {
        true => evidence.weight(*root),
        false => STRANGE,
    };
    let total: f32 = asked.roots.iter().map(weight).sum();
    let mut best: Option<(f32, usize)> = None;
    for (index, sentence) in evidence.sentences.iter().enumerate() {
        if is_used(index) || sentence.roots.len() < 3 {
            continue;
        }
        let named = |name: &Root| evidence.source_has(sentence.source, *name);
        if !asked.names.iter().all(named) {
            continue;
        }
        let share = |root: &Root| {
            let says = match (sentence.roots.contains(root), named(root)) {
                (true, _) => 1.0,
                (_, true) => 0.6,
                _ => 0.0,
            };
            weight(root) * says
        };
        let answers: f32 = asked.roots.iter().map(share).sum();
        let own: f32 = sentence.roots.iter().filter(|root| said.contains(root)).count() as f32;
        let said_here = asked.roots.iter().filter(|root| sentence.roots.contains(root));
        let itself: f32 = said_here.map(|root| evidence.weight(*root)).sum();
        if total == 0.0 || answers / total < ANSWERS || itself / total < ITSELF {
            continue;
        }
        let number = |asked: &Number| sentence.numbers.iter().any(|has| asked.fits(*has));
        let compares = asked.numbers.iter().any(number);
        let bonus = if compares { 0.3 } else { 0.0 };
        let score = answers / total + bonus + 0.05 * own - 0.01 * sentence.source as f32;
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, index));
        }
    }
    best.map(|(_, index)| (index, &evidence.sentences[index]))
}
