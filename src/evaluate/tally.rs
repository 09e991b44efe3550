//! How well a way of triage does on labelled messages.

use std::collections::BTreeMap;

use crate::domain::{Coarse, Topic};

/// Bins of the confidence for its calibration error.
const BINS: usize = 10;

/// What a message should have been taken for.
pub struct Truth<'a> {
    pub source: &'a str,
    pub coarse: Coarse,
    /// Whether the shopper wants a person; a complaint may or may not.
    pub wish: Option<bool>,
    pub real_user: bool,
}

/// What it was taken for.
#[derive(Clone, Copy)]
pub struct Taken {
    pub topic: Topic,
    pub confidence: f32,
    pub person: bool,
}

#[derive(Clone, Copy, Default)]
pub struct Share {
    pub part: usize,
    pub of: usize,
}

impl Share {
    fn count(&mut self, is: bool) {
        self.of += 1;
        self.part += usize::from(is);
    }
}

#[derive(Clone, Copy, Default)]
struct Bin {
    right: usize,
    count: usize,
    confidence: f64,
}

#[derive(Default)]
pub struct Tally {
    /// Right coarse topics.
    pub sources: BTreeMap<String, Share>,
    pub real_users: Share,
    /// Heard, of the wishes for a person.
    pub wishes: Share,
    /// Heard, of all other messages.
    pub alarms: Share,
    /// Answered without a question back, of what no answer fits.
    pub out_of_scope: Share,
    pub unknown: Share,
    /// Answered without a question back, of what an answer fits.
    pub covered: Share,
    bins: [Bin; BINS],
}

impl Tally {
    /// Returns whether the topic is right; for `unknown` whether nothing is answered.
    pub fn count(&mut self, truth: &Truth<'_>, taken: Taken, confidence: f32) -> bool {
        let Taken { topic, confidence: sure, person } = taken;
        match truth.wish {
            Some(true) => self.wishes.count(person),
            Some(false) => self.alarms.count(person),
            None => {}
        }
        // Small talk gets a small reply, and the other two no answer from the pages.
        let answered = sure >= confidence
            && !matches!(topic, Topic::Smalltalk | Topic::OutOfScope | Topic::Human);
        if truth.coarse == Coarse::Unknown {
            self.unknown.count(answered);
            return !answered;
        }
        if truth.coarse == Coarse::OutOfScope {
            self.out_of_scope.count(answered);
        } else {
            self.covered.count(sure >= confidence);
        }
        let right = topic.coarse() == truth.coarse;
        self.sources.entry(truth.source.to_owned()).or_default().count(right);
        if truth.real_user {
            self.real_users.count(right);
        }
        let bin = ((sure * BINS as f32) as usize).min(BINS - 1);
        let Bin { right: good, count, confidence } = &mut self.bins[bin];
        *good += usize::from(right);
        *count += 1;
        *confidence += f64::from(sure);
        right
    }

    /// Expected calibration error over bins of equal width, as in Guo et al., "On Calibration of
    /// Modern Neural Networks", 2017.
    pub fn calibration_error(&self) -> f64 {
        let all: usize = self.bins.iter().map(|bin| bin.count).sum();
        let gaps = self.bins.iter().map(|bin| (bin.right as f64 - bin.confidence).abs());
        gaps.sum::<f64>() / all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(coarse: Coarse) -> Truth<'static> {
        Truth { source: "s", coarse, wish: Some(false), real_user: false }
    }

    fn taken(topic: Topic, confidence: f32) -> Taken {
        Taken { topic, confidence, person: topic == Topic::Human }
    }

    #[test]
    fn an_unknown_message_is_no_topic_but_must_not_be_answered() {
        let mut tally = Tally::default();
        assert!(!tally.count(&truth(Coarse::Unknown), taken(Topic::Orders, 0.9), 0.8));
        assert!(tally.count(&truth(Coarse::Unknown), taken(Topic::Orders, 0.7), 0.8));
        assert!(tally.count(&truth(Coarse::Unknown), taken(Topic::Smalltalk, 0.9), 0.8));
        assert_eq!((tally.unknown.part, tally.unknown.of), (1, 3));
        assert!(tally.sources.is_empty());
    }

    #[test]
    fn the_calibration_error_is_the_mean_gap_of_the_bins() {
        let mut tally = Tally::default();
        // Sure by 0.9 and right in one of two; sure by 0.5 and right in one of two.
        for (topic, confidence) in [
            (Topic::Billing, 0.9),
            (Topic::Orders, 0.9),
            (Topic::Billing, 0.5),
            (Topic::Orders, 0.5),
        ] {
            tally.count(&truth(Coarse::Billing), taken(topic, confidence), 0.8);
        }
        assert!((tally.calibration_error() - 0.2).abs() < 1e-6);
        assert_eq!((tally.sources["s"].part, tally.covered.part, tally.alarms.of), (2, 2, 4));
    }
}
