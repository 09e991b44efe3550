//! Decides whether the answer to one question may serve another one. Similarity alone is never
//! enough: everything that could change the answer has to agree, a word outside the lexicon must be
//! the same in both, and the answered question says nothing that the other one does not say.

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
    #[error("the answered one says more")]
    Surplus,
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
            Self::Surplus => "surplus",
        }
    }
}

/// `Ok` if the answer to `answered` also answers `asked`, as far as the words can show.
pub fn serves(answered: &Question, asked: &Question) -> Result<(), Disagreement> {
    if answered.key() == asked.key() {
        return Ok(());
    }
    let (a, b) = (answered.facts(), asked.facts());
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
    if let Some((_, why)) = checks.into_iter().find(|(holds, _)| !holds) {
        return Err(why);
    }
    let covered = asked.wording().covers(answered.wording());
    if covered { Ok(()) } else { Err(Disagreement::Surplus) }
}

/// "your address" is not "my address", but "a refund" may be "my refund". "Do I pay the tax?" is not
/// "Do you pay the tax?".
fn same_owner(a: &Facts, b: &Facts) -> bool {
    if matches!((a.by_me, b.by_me), (Some(a), Some(b)) if a != b) {
        return false;
    }
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
