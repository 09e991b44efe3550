//! What the assistant says that it does, and what it says of the shopper's order.

use super::{
    evidence::Unit,
    lexicon::{self, Does, Marks},
    reading::{counts, is_negative},
    root::Root,
    said::Said,
    token::{Kind, Token},
};

/// So many words after "your parcel" may hold what is with it.
const STATE: usize = 4;
/// A number with so many digits is of an order or a parcel.
const LONG: usize = 4;
/// So many words after "I will" may hold what is done.
const REACH: usize = 12;

impl Said<'_> {
    /// "I will refund", "your order has been cancelled". What "we" do may be what a source says.
    pub(super) fn is_pledge(&self) -> bool {
        if self.is_question {
            return false;
        }
        let near = |at: usize| {
            let behind = self.tokens.iter().skip(at).take(REACH);
            behind.take_while(|token| !token.after_break || token.range.start == 0)
        };
        for (at, length, does) in &self.phrases {
            let joint = match does {
                // What was done already, a tool may have found.
                Does::Done if self.looked_up(&self.statement_roots(false)).is_some() => continue,
                // An offer of a person is none.
                Does::Offers if self.does(Does::Talks) => continue,
                Does::Pledges | Does::Offers => false,
                Does::Joins | Does::Done => true,
                _ => continue,
            };
            let deed = near(at + length).find(|token| lexicon::is_deed(&token.lower));
            let is_conditional = self.tokens.iter().any(|t| t.entry.marks.has(Marks::CONDITION));
            let denied = near(at + length)
                .take_while(|token| !lexicon::is_deed(&token.lower))
                .any(|token| token.entry.marks.has(Marks::NEGATION));
            if denied {
                continue;
            }
            let Some(deed) = deed.filter(|_| *does != Does::Done || !is_conditional) else {
                continue;
            };
            let words = self.tokens[*at..].iter().take_while(|t| t.range.start <= deed.range.start);
            let words: Vec<&str> = words.map(|token| token.lower.as_str()).collect();
            if !joint || self.evidence.source_with(&words.join(" ")).is_none() {
                return true;
            }
        }
        false
    }

    /// "your parcel is": what is with it, nobody but a tool knows.
    pub(super) fn tells_of_order(&self) -> bool {
        if self.is_question || self.tokens.iter().any(|t| t.entry.marks.has(Marks::CONDITION)) {
            return false;
        }
        self.phrases.iter().filter(|(_, _, does)| *does == Does::Owns).any(|(at, length, _)| {
            let behind = self.tokens.iter().skip(at + length).take(STATE);
            let state = |token: &Token| token.entry.marks.has(Marks::STATE);
            let modal = |token: &Token| token.entry.marks.has(Marks::MODAL);
            let before = at.checked_sub(1).is_some_and(|before| state(&self.tokens[before]));
            (behind.clone().any(state) || before) && !behind.clone().any(modal)
        })
    }

    /// What a tool found that says all of what this sentence says of the order, and neither more nor
    /// less of a "not".
    pub(super) fn looked_up(&self, roots: &[Root]) -> Option<usize> {
        let negative = is_negative(&self.tokens);
        let own = self.tokens.iter().enumerate().filter(|(at, token)| {
            counts(token) && token.kind != Kind::Code && !self.is_name(*at) && !token.is_first
        });
        let own: Vec<Root> = own.map(|(_, token)| token.root).collect();
        self.evidence.looked_up().find(|source| {
            let of_source = || self.evidence.units.iter().filter(|unit| unit.source == *source);
            let agrees = |unit: &Unit, root: &Root| {
                unit.is_negative == negative && unit.roots.contains(root)
            };
            roots.iter().all(|root| self.evidence.source_has(*source, *root))
                && self.long_numbers().all(|number| self.evidence.text_has(*source, number))
                && own.iter().all(|root| of_source().any(|unit| agrees(unit, root)))
        })
    }

    /// Numbers of orders and parcels.
    fn long_numbers(&self) -> impl Iterator<Item = &str> {
        let runs = self.plain.split(|c: char| !c.is_ascii_digit());
        runs.filter(|run| run.len() >= LONG)
    }
}
