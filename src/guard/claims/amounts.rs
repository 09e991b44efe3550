//! Numbers and days, each of which must stand near the same words in the evidence.

use super::{
    evidence::Unit,
    lexicon::{Does, Marks},
    number::Number,
    reading::{self, counts, is_negative, parts},
    root::{self, Root},
    said::Said,
    token::{Kind, Token},
};
use crate::guard::policy::Rule;

/// So many words behind a number may hold what it is of.
const OBJECT: usize = 4;
/// Share of what is said of a number that must stand near the number in a source.
const ABOUT: f32 = 0.3;
/// And of what stands near other numbers of its kind.
const NEAREST: f32 = 0.9;

impl Said<'_> {
    /// Each number must be in the source that says most of what it is about.
    pub(super) fn number_fault(&self) -> Option<Rule> {
        let numbers = reading::numbers(&self.tokens);
        if numbers.is_empty() {
            return None;
        }
        let asked = &self.evidence.question.numbers;
        let denies = is_negative(&self.tokens) || self.does(Does::Doubts) || self.is_question;
        let mut repeated = 0;
        let parts = parts(&self.tokens);
        for part in &parts {
            let mut roots = reading::roots(part);
            if roots.is_empty() {
                roots = self.statement_roots(false);
            }
            if roots.len() < 2 && parts.len() == 1 {
                roots = self.statement_roots(true);
            }
            for (at, number) in reading::numbers_at(part) {
                let next = part[at + 1..].iter().take(OBJECT).find(|token| counts(token));
                if number.unit == 0 && (self.is_part_of_name(number) || is_spaced(part, at)) {
                    continue;
                }
                if self.is_bound(number, &roots, next.map(|token| token.root)) {
                    continue;
                }
                let is_asked = asked.iter().any(|other| number.fits(*other) || other.fits(number));
                let is_repeated = denies
                    || number.unit == 0
                    || roots.contains(&root::root_of("order"))
                    || part.iter().any(|token| token.entry.marks.has(Marks::CONDITION));
                if !is_asked || !is_repeated {
                    return Some(Rule::Numbers);
                }
                repeated += 1;
            }
        }
        // A number of the question alone states nothing, unless it is denied.
        let only_repeats = repeated == numbers.len();
        (only_repeats && !denies && self.opens_with(Marks::YES)).then_some(Rule::Permissions)
    }

    /// Days that no sentence names together.
    pub(super) fn day_fault(&self, doubted: bool) -> Option<Rule> {
        if doubted || self.is_question || is_negative(&self.tokens) {
            return None;
        }
        let days = self.tokens.iter().filter(|token| token.entry.marks.has(Marks::CALENDAR));
        let days: Vec<Root> = days.map(|token| token.root).collect();
        (!days.is_empty() && !self.evidence.has_together(&days)).then_some(Rule::Numbers)
    }

    /// A yes or no to a question with a number compares numbers, which only a sentence with the
    /// number of a source can be trusted with.
    pub(super) fn compares(&self, roots: &[Root]) -> bool {
        let said = reading::numbers(&self.tokens);
        let asked = &self.evidence.question.numbers;
        let with_unit = asked.iter().filter(|number| number.unit != 0);
        with_unit
            .into_iter()
            .all(|number| said.contains(number) && self.is_bound(*number, roots, None))
    }

    /// "Vidde 2"
    pub(super) fn is_part_of_name(&self, number: Number) -> bool {
        self.tokens.windows(2).any(|pair| {
            pair[1].kind == Kind::Number(number)
                && pair[0].is_upper
                && pair[1].range.start == pair[0].range.end + 1
                && counts(&pair[0])
        })
    }

    /// Whether the source has the names of the sentence, if any source has all of them.
    fn is_of_named(&self, unit: &Unit) -> bool {
        let names = (0..self.tokens.len()).filter(|at| self.is_name(*at));
        let names: Vec<Root> = names.map(|at| self.tokens[at].root).collect();
        let has = |source: usize| names.iter().all(|name| self.evidence.source_has(source, *name));
        has(unit.source) || !(0..self.evidence.len()).any(has)
    }

    /// `next`: the word behind the number, as in "24 EUR for trousers".
    pub(super) fn is_bound(&self, number: Number, roots: &[Root], next: Option<Root>) -> bool {
        let (mut own, mut other) = (0.0f32, 0.0f32);
        let mut found = false;
        let known: Vec<Root>;
        let mut roots = roots;
        if !self.evidence.speaks(&self.tokens) {
            known = roots.iter().copied().filter(|root| self.evidence.knows(*root)).collect();
            roots = &known;
        }
        let both = |(one, other): &&(Root, Root)| roots.contains(one) && roots.contains(other);
        let pairs: Vec<(Root, Root)> = self.pairs.iter().filter(both).copied().collect();
        let (mut own_pair, mut other_pair) = (false, false);
        for unit in self.evidence.units.iter().filter(|unit| self.may_mean(unit)) {
            let has_pair = self.evidence.has_pair(unit, &pairs);
            let sentence = &self.evidence.sentences[unit.sentence];
            if !self.is_of_named(unit) {
                continue;
            }
            let is_of_other = next
                .is_some_and(|next| sentence.roots.contains(&next) && !unit.roots.contains(&next));
            if is_of_other && sentence.numbers.len() > 1 {
                continue;
            }
            if unit.numbers.iter().any(|has| number.fits(*has)) {
                found = true;
                own_pair |= has_pair;
                own = own.max(self.near(unit, roots));
            } else if unit.numbers.iter().any(|has| has.unit == number.unit) {
                other_pair |= has_pair;
                other = other.max(self.near(unit, roots));
            }
        }
        let is_other = other_pair && !own_pair;
        let mut days = self.tokens.iter().filter(|t| t.entry.marks.has(Marks::CALENDAR));
        let dated = days.all(|day| self.evidence.has_with(number, day.root));
        let rate = self.tokens.windows(2).find(|pair| pair[0].entry.marks.has(Marks::RATE));
        let rated = rate.map(|pair| &pair[1]).filter(|token| token.kind == Kind::Word);
        let rated = rated.is_none_or(|token| self.evidence.has_with(number, token.root));
        let about = roots.is_empty() || own >= ABOUT;
        found && about && !is_other && own >= other * NEAREST && dated && rated
    }
}

/// A part of a number with spaces, such as that of a telephone, which is looked up as a whole.
fn is_spaced(part: &[Token], at: usize) -> bool {
    let touches = |one: &Token, other: &Token| {
        matches!((one.kind, other.kind), (Kind::Number(_), Kind::Number(_)))
            && other.range.start <= one.range.end + 1
    };
    part.get(at + 1).is_some_and(|next| touches(&part[at], next))
        || at.checked_sub(1).is_some_and(|before| touches(&part[before], &part[at]))
}
