//! Towns and countries that the tagger takes for people: "shipping to Bergen or Tromsø".

use std::{collections::HashSet, sync::LazyLock};

use super::{
    fold,
    phrases::Phrases,
    tagger::{Case, Gap, Label, Token},
};
use crate::words::{self, People, Places};

struct Lists {
    places: HashSet<String>,
    countries: HashSet<String>,
    toward: Phrases,
    either: Phrases,
    reaching: Phrases,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let (people, places): (People, Places) = (words::all(), words::all());
    let countries = places.countries.iter().map(|(name, _)| fold::word(name)).collect();
    let named = [places.countries, places.cities, places.aliases].into_iter().flatten();
    Lists {
        countries,
        places: named.map(|(name, _)| fold::word(name)).collect(),
        toward: Phrases::new(people.toward),
        either: Phrases::new(people.either),
        reaching: Phrases::new(people.reaching),
    }
});

/// Takes the label from names that are places.
pub(super) fn clear(tokens: &[Token<'_>], labels: &mut [Label]) {
    if !labels.contains(&Label::Name) {
        return;
    }
    let about = tokens.iter().any(|token| LISTS.reaching.has(token.text));
    // "Braga ou Faro" was taken for one name.
    for at in 1..tokens.len().saturating_sub(1) {
        let known = |of: usize| LISTS.places.contains(tokens[of].text);
        if LISTS.either.has(tokens[at].text) && known(at - 1) && known(at + 1) {
            labels[at] = Label::Nothing;
        }
    }
    let mut place: Vec<bool> = Vec::with_capacity(tokens.len());
    place.extend((0..tokens.len()).map(|at| is_place(tokens, labels, at, about)));
    // "Stavanger, Norway"
    for at in 0..tokens.len() {
        let country = LISTS.countries.contains(tokens[at].text)
            && !tokens[at].is_name()
            && could_be(tokens, labels, at);
        place[at] |= country;
        if country && at > 0 && tokens[at].gap == Gap::Comma {
            place[at - 1] |= could_be(tokens, labels, at - 1)
                && (!tokens[at - 1].is_name() || tokens[at - 1].is_town());
        }
    }
    // "from Hamburg to Kiel"
    for at in 2..tokens.len() {
        let from = LISTS.places.contains(tokens[at - 2].text) && labels[at - 2] == Label::Nothing;
        place[at] |= from
            && LISTS.toward.has(tokens[at - 1].text)
            && LISTS.places.contains(tokens[at].text)
            && could_be(tokens, labels, at);
    }
    // Each side of "or" speaks for the other one.
    for at in 1..tokens.len().saturating_sub(1) {
        if LISTS.either.has(tokens[at].text) {
            let toward = |of: usize| {
                let before = of.checked_sub(1).map(|before| tokens[before].text);
                tokens[of].case == Case::Capital && before.is_some_and(|b| LISTS.toward.has(b))
            };
            let other = |of: usize| {
                let known = LISTS.places.contains(tokens[of].text) || toward(of) && about;
                place[of] || known && !has_first_word(tokens, of)
            };
            let (left, right) = (other(at - 1), other(at + 1));
            place[at - 1] |= right && could_be(tokens, labels, at - 1);
            place[at + 1] |= left && could_be(tokens, labels, at + 1);
        }
    }
    for (label, place) in labels.iter_mut().zip(place) {
        if place {
            *label = Label::Nothing;
        }
    }
}

/// "to Bergen", "to Tromsø". Where the text is not `about` places, what somebody may have for a name
/// is one.
fn is_place(tokens: &[Token<'_>], labels: &[Label], at: usize, about: bool) -> bool {
    if labels[at] != Label::Name {
        return false;
    }
    let toward = at.checked_sub(1).is_some_and(|before| LISTS.toward.has(tokens[before].text));
    let known = LISTS.places.contains(tokens[at].text) || tokens[at].is_town();
    // "to Mr. Smith"
    let title = labels.get(at + 1) == Some(&Label::Name) && tokens[at + 1].gap == Gap::Stop;
    let strange = tokens[at].case == Case::Capital && !tokens[at].is_name() && !title;
    toward && (known && (about || !tokens[at].is_name()) || strange) && could_be(tokens, labels, at)
}

/// A name of one word.
fn could_be(tokens: &[Token<'_>], labels: &[Label], at: usize) -> bool {
    let label = |index: usize| labels.get(index).copied().unwrap_or(Label::Nothing);
    let alone = |index: usize, gap: Gap| label(index) == Label::Nothing || gap != Gap::Space;
    let before = at.checked_sub(1).is_none_or(|before| alone(before, tokens[at].gap));
    let after = tokens.get(at + 1).is_none_or(|next| alone(at + 1, next.gap));
    label(at) == Label::Name && before && after
}

/// More of the same name stands before it: "Anna Bergen".
fn has_first_word(tokens: &[Token<'_>], at: usize) -> bool {
    at > 0
        && tokens[at].gap == Gap::Space
        && tokens[at - 1].is_name()
        && !tokens[at - 1].is_ordinary()
}
