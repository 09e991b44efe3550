//! How probable it is that a part of a passage answers a question: a logistic regression over what
//! was measured. The weights in `head.json` were set by hand: those that `scripts/train/answers.py`
//! fits answered fewer questions at the same share of wrong answers.

use std::sync::LazyLock;

use serde::Deserialize;

use super::quote::{Question, Run};
use crate::knowledge::{asking::places::Relation, chunk::Kind as Form, search::Passage};

pub const FEATURES: usize = 16;

#[derive(Deserialize)]
struct Head {
    /// The first one is that of the constant.
    weights: [f32; FEATURES],
}

static HEAD: LazyLock<Head> = LazyLock::new(|| {
    // A test reads it. Without weights nothing is answered.
    let none = Head { weights: [f32::NEG_INFINITY; FEATURES] };
    serde_json::from_str(include_str!("head.json")).unwrap_or(none)
});

/// `behind` is how far the passage is behind the best one of the search, 0 to 1.
pub fn features(
    run: &Run,
    passage: &Passage,
    behind: f32,
    asked: &Question<'_>,
) -> [f32; FEATURES] {
    let is = |condition: bool| if condition { 1.0 } else { 0.0 };
    let meaning = passage.cosine.map(|cosine| ((cosine - 0.3) / 0.4).clamp(0.0, 1.25));
    [
        1.0,
        match run.relation {
            // Its names of places are compared as places.
            Some(Relation::Exact | Relation::Within) | None if !asked.places.is_empty() => {
                run.coverage.max(passage.coverage)
            }
            _ => passage.coverage,
        },
        meaning.unwrap_or(0.0),
        is(meaning.is_none()),
        run.coverage,
        run.in_heading,
        is(run.shows == Some(true)),
        is(run.shows == Some(false)),
        match run.relation {
            Some(Relation::Exact) => 1.0,
            Some(Relation::Within) => 0.7,
            Some(Relation::Abroad) => 0.1,
            _ => 0.0,
        },
        is(run.relation == Some(Relation::Silent)),
        behind,
        run.amount.map_or(0.0, |fit| if fit > 0.0 { 1.0 } else { -1.0 }),
        is(passage.kind == Form::Faq),
        1.0 / (asked.weights.len().max(1) as f32),
        run.announced,
        is(run.denies),
    ]
}

/// 0 to 1. A text about another place answers nothing.
pub fn probability(features: &[f32; FEATURES], run: &Run) -> f32 {
    if run.relation == Some(Relation::Foreign) {
        return 0.0;
    }
    let sum: f32 = HEAD.weights.iter().zip(features).map(|(weight, value)| weight * value).sum();
    1.0 / (1.0 + (-sum).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_numbers() {
        assert!(HEAD.weights.iter().all(|weight| weight.is_finite()));
    }
}
