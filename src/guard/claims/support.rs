//! How much of a statement the evidence says, and whether it agrees.

use super::{
    evidence::Unit,
    lexicon::Marks,
    reading::{self, is_negative, parts},
    root::Root,
    said::Said,
};

/// Share of a statement that one source must say.
pub(super) const SUPPORTED: f32 = 0.68;
/// Fewest words of a sentence that stands in a source word for word.
const VERBATIM: usize = 4;
/// Fewest words of one about something of the shopper, which is the rule of the shop then.
const WHOLE: usize = 8;
/// Units that say so much of it are asked whether they agree.
const CLOSE: f32 = 0.92;
/// A unit that says so much of what the best one says is as good.
const AS_GOOD: f32 = 0.85;
/// The same without names.
const PLAIN: f32 = 0.5;
/// Share of the question that one unit must say for a yes or a no.
const ASKED: f32 = 0.6;

#[derive(Default)]
pub(super) struct Support {
    /// 0 to 1.
    pub(super) share: f32,
    pub(super) sources: Vec<usize>,
}

impl Said<'_> {
    /// The sources that may be meant: those that say the names of the question, if any does, unless
    /// the sentence has names of its own.
    pub(super) fn may_mean(&self, unit: &Unit) -> bool {
        let names = &self.evidence.question.names;
        let known: Vec<Root> =
            names.iter().copied().filter(|name| self.evidence.knows(*name)).collect();
        let has_all =
            |source: usize| known.iter().all(|name| self.evidence.source_has(source, *name));
        has_all(unit.source)
            || (0..self.tokens.len()).any(|at| self.is_name(at))
            || !(0..self.evidence.len()).any(has_all)
    }

    pub(super) fn share(&self, unit: &Unit, roots: &[Root]) -> f32 {
        let (mut said, mut all) = (0.0, 0.0);
        for root in roots {
            let weight = self.weight(*root);
            all += weight;
            said += weight * self.evidence.says(unit, *root);
        }
        if all == 0.0 { 0.0 } else { said / all }
    }

    /// As `share`, of what stands near.
    pub(super) fn near(&self, unit: &Unit, roots: &[Root]) -> f32 {
        self.near_by(unit, roots, |root| self.weight(root))
    }

    fn near_by(&self, unit: &Unit, roots: &[Root], weight: impl Fn(Root) -> f32) -> f32 {
        let both = |(one, other): &&(Root, Root)| roots.contains(one) && roots.contains(other);
        let pairs: Vec<(Root, Root)> = self.pairs.iter().filter(both).copied().collect();
        let (mut said, mut all) = (0.0, 0.0);
        for root in roots {
            let weight = weight(*root);
            all += weight;
            said += weight * self.evidence.says_near(unit, *root, &pairs);
        }
        if all == 0.0 { 0.0 } else { said / all }
    }

    /// How much of the statement one unit says, and a second one beside it.
    pub(super) fn support(&self, roots: &[Root]) -> Support {
        let mut shares: Vec<(f32, usize)> = Vec::new();
        for (index, unit) in self.evidence.units.iter().enumerate() {
            if self.may_mean(unit) {
                shares.push((self.share(unit, roots), index));
            }
        }
        let Some(&(most, best)) = shares.iter().max_by(|one, other| one.0.total_cmp(&other.0))
        else {
            return Support::default();
        };
        let best = &self.evidence.units[best];
        // One statement has one source, but names may come from elsewhere.
        let is_list = parts(&self.tokens).len() > 1;
        let rest: Vec<Root> = roots
            .iter()
            .copied()
            .filter(|root| is_list || self.is_named(*root))
            .filter(|root| self.evidence.says(best, *root) < 0.8)
            .collect();
        let mut share = most;
        let mut second = None;
        if most >= 0.4 && !rest.is_empty() {
            let all: f32 = roots.iter().map(|root| self.weight(*root)).sum();
            for (own, index) in &shares {
                let unit = &self.evidence.units[*index];
                let adds: f32 = rest
                    .iter()
                    .map(|root| {
                        let more =
                            self.evidence.says(unit, *root) - self.evidence.says(best, *root);
                        self.weight(*root) * more.max(0.0)
                    })
                    .sum();
                if *own >= 0.4 && most + adds / all > share {
                    share = most + adds / all;
                    second = Some(unit.source);
                }
            }
        }
        let mut sources = vec![best.source];
        let mut others: Vec<(f32, usize)> = shares
            .iter()
            .filter(|(share, _)| *share >= most * AS_GOOD)
            .map(|(share, index)| (*share, self.evidence.units[*index].source))
            .collect();
        others.sort_by(|one, other| other.0.total_cmp(&one.0));
        for source in second.into_iter().chain(others.into_iter().map(|(_, source)| source)) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        Support { share, sources }
    }

    /// Whether the sources say yes where the sentence does, and no where it does.
    pub(super) fn agrees(&self, roots: &[Root], yes: bool, no: bool) -> bool {
        let whole_negative = no || (!yes && is_negative(&self.tokens));
        if yes || no {
            let asked = &self.evidence.question.roots;
            let roots = if asked.len() > 1 { asked } else { roots };
            // A name alone answers nothing.
            let plain: Vec<Root> =
                roots.iter().copied().filter(|root| !self.is_named(*root)).collect();
            let is_about = self.evidence.units.iter().any(|unit| {
                let is_plain = plain.is_empty() || self.near(unit, &plain) >= PLAIN;
                is_plain && self.near(unit, roots) >= ASKED
            });
            return is_about && self.agree(roots, whole_negative);
        }
        reading::scopes(&self.tokens).all(|part| {
            let roots = reading::roots(part);
            roots.len() < 2 || self.agree(&roots, is_negative(part))
        })
    }

    /// Whether one of the units that say most of it denies it, or not, as the sentence does. On a
    /// day that is named only what is said of that day counts.
    pub(super) fn agree(&self, roots: &[Root], negative: bool) -> bool {
        let evidence = self.evidence;
        let days = self.tokens.iter().filter(|token| token.entry.marks.has(Marks::CALENDAR));
        let days: Vec<Root> = days.map(|token| token.root).collect();
        let on_day = |unit: &Unit| {
            let sentence = &evidence.sentences[unit.sentence];
            days.iter().all(|day| sentence.roots.contains(day))
        };
        let is_dated = !days.is_empty() && evidence.units.iter().any(on_day);
        let units = evidence.units.iter().filter(|unit| self.may_mean(unit));
        let units = units.filter(|unit| !is_dated || on_day(unit));
        let may_be_conditional =
            self.tokens.iter().any(|token| token.entry.marks.has(Marks::CONDITION));
        let units = units.filter(|unit| may_be_conditional || !unit.is_conditional);
        let shares: Vec<(f32, &Unit)> = units
            .map(|unit| (self.near_by(unit, roots, |root| evidence.weight(root)), unit))
            .collect();
        let most = shares.iter().map(|(share, _)| *share).fold(0.0, f32::max);
        shares.iter().filter(|(share, _)| *share >= most * CLOSE).any(|(_, unit)| {
            let same = evidence.denies(unit, roots) == negative;
            // "only within Germany" denies all other places.
            let mut named = roots.iter().filter(|root| self.is_named(**root));
            let outside = named.any(|root| evidence.says_near(unit, *root, &[]) < 0.5);
            unit.is_limit && negative || same && !(unit.is_limit && outside)
        })
    }

    /// "all" needs a sentence that says so of the same.
    pub(super) fn is_general(&self, roots: &[Root]) -> bool {
        let words = self.tokens.iter().filter(|token| token.entry.marks.has(Marks::UNIVERSAL));
        let words: Vec<Root> = words.map(|token| token.root).collect();
        let most = |general: bool| {
            let units = self.evidence.units.iter().filter(|unit| {
                !general || words.iter().any(|word| self.evidence.has_word(unit, *word))
            });
            units.map(|unit| self.near(unit, roots)).fold(0.0, f32::max)
        };
        words.is_empty() || most(true) >= most(false) * AS_GOOD
    }

    pub(super) fn stocks(&self, roots: &[Root]) -> bool {
        let evidence = self.evidence;
        evidence.units.iter().any(|unit| {
            evidence.sentences[unit.sentence].stocks
                && self.may_mean(unit)
                && self.share(unit, roots) >= SUPPORTED
                && unit.is_negative == is_negative(&self.tokens)
        })
    }

    /// The source that has the sentence word for word, apart from a "yes" or a "no" that agrees.
    pub(super) fn verbatim(&self, yes: bool, no: bool) -> Option<usize> {
        let skipped = if yes || no { self.tokens.first()?.lower.len() } else { 0 };
        let said = self.plain.get(skipped..)?.trim_start_matches([',', '.', '!', ' ']);
        if said.split(' ').count() < VERBATIM {
            return None;
        }
        if self.tells_of_order() && said.split(' ').count() < WHOLE {
            return None;
        }
        let source = self.evidence.source_with(said)?;
        let negative = is_negative(self.tokens.get(1..)?)
            || self.tokens.iter().any(|token| token.entry.marks.has(Marks::ONLY));
        (if negative { !yes } else { !no }).then_some(source)
    }
}
