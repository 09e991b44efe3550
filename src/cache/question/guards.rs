//! Decides whether two questions may share an answer. Similarity alone is never enough: everything
//! that could change the answer has to agree, and a word outside the lexicon must be the same in
//! both.

use super::{asked::Question, facts::Facts};

/// Why two similar questions do not share an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    #[error("they name different numbers")]
    Numbers,
    #[error("they name different currencies")]
    Currencies,
    #[error("they name different things, places, units or dates")]
    Names,
    #[error("one says the opposite of the other")]
    Polarity,
    #[error("they ask for different actions")]
    Actions,
    #[error("they are about different things")]
    Objects,
    #[error("they differ in a condition, a quantity or a direction")]
    Signs,
    #[error("they relate the same things in another order")]
    Order,
    #[error("one is about the shop's and the other about the shopper's own")]
    Owner,
}

impl Disagreement {
    pub(in crate::cache) const fn as_str(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Currencies => "currencies",
            Self::Names => "names",
            Self::Polarity => "polarity",
            Self::Actions => "actions",
            Self::Objects => "objects",
            Self::Signs => "signs",
            Self::Order => "order",
            Self::Owner => "owner",
        }
    }
}

/// `Ok` if the answer to one question also answers the other, as far as the words can show.
pub fn agree(a: &Question, b: &Question) -> Result<(), Disagreement> {
    if a.key() == b.key() {
        return Ok(());
    }
    let (a, b) = (a.facts(), b.facts());
    let checks = [
        (a.negations == b.negations, Disagreement::Polarity),
        (a.numbers == b.numbers, Disagreement::Numbers),
        (a.currencies == b.currencies, Disagreement::Currencies),
        (a.names == b.names, Disagreement::Names),
        (a.actions == b.actions, Disagreement::Actions),
        (a.objects == b.objects, Disagreement::Objects),
        (a.signs == b.signs, Disagreement::Signs),
        (same_owner(a, b), Disagreement::Owner),
        (!directed(a) || a.sequence == b.sequence, Disagreement::Order),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(why))
}

/// "your address" is not "my address", but "a refund" may be "my refund".
fn same_owner(a: &Facts, b: &Facts) -> bool {
    let only = |facts: &Facts| match (facts.mine, facts.yours) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    };
    !matches!((only(a), only(b)), (Some(a), Some(b)) if a != b)
}

/// Whether word order matters: the question has two or more names, or a word that points from one
/// thing to another.
fn directed(facts: &Facts) -> bool {
    facts.names.len() + facts.numbers.len() >= 2 || facts.points()
}

#[cfg(test)]
mod tests;
