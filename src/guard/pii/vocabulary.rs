//! What the words of the lists mean to the scanners.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::{alike::is_unspaced, fold::word};
use crate::words::{self, Personal, Secrets, Spoken};

/// What a number or a word near it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Has a number of the shop: order, tracking, invoice, article, ticket.
    Shop,
    /// Of the shop, and has a number only where that is said: "delivery number".
    Around,
    Phone,
    Card,
    Ssn,
    /// A bank account.
    Account,
    Iban,
    Passport,
    Licence,
    Password,
    Pin,
    Cvv,
    Token,
    /// Any code: one that was sent, or one of the shop.
    Code,
    /// Said in between, and passed over: "as far as I know".
    Aside,
    /// Has four numbers with dots that are no address.
    Version,
    /// Sizes are often listed.
    Size,
    /// Another number that is none of ours, such as an amount.
    Other,
}

/// What a word does in a sentence; a word may do several things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// "number", "no", "nr".
    Number,
    /// May stand between a word and its number: "is", "the", "with".
    Filler,
    /// May stand there, too, but a number of the shop is not named by it: "to", "for".
    Preposition,
    /// "is", "equals".
    Link,
    /// "last", "ending": the end of a number follows.
    Last,
    /// "digits".
    Digits,
    /// Is no part of an e-mail address.
    NotName,
    /// "mail".
    Mail,
    /// Follows "my password is" and is no password.
    State,
    /// "changed": "my password to …" follows.
    Setting,
    /// "to", after it.
    To,
    /// "at".
    At,
    /// "dot".
    Dot,
    /// "dash", "underscore" in an address.
    Sign,
    /// "plus".
    Plus,
    /// "and" between tens and ones.
    Joint,
    /// "now", "probably": stands between "my password is" and the password.
    Hedge,
    /// "from": the old password follows "I changed my password".
    From,
    /// "login", "username": a name and its password may follow.
    Login,
    /// "google": is no name behind "login".
    Provider,
    /// "enter", "what": somebody is asked for something.
    Ask,
    /// "should", before `Be`.
    Modal,
    /// "be"
    Be,
    /// "use": "the password that I use".
    Use,
    /// "here comes": a secret follows in the next sentence.
    Announce,
    /// "forgot": no secret follows.
    Refuse,
    /// "written", "stands"
    Shows,
    /// "half", "then": parts a number in pieces.
    Part,
}

#[derive(Default)]
pub(super) struct Meaning {
    pub(super) class: Option<Class>,
    /// The words that follow in a phrase, longest first.
    phrases: Vec<(Vec<String>, Class)>,
    roles: u32,
    /// Digits of a spoken number.
    pub(super) digits: Option<&'static str>,
    /// "double", "triple".
    pub(super) repeats: Option<usize>,
    /// The sign of an address that a word stands for.
    pub(super) sign: Option<&'static str>,
}

impl Meaning {
    pub(super) fn is(&self, role: Role) -> bool {
        self.roles & bit(role) != 0
    }

    /// Class and number of words of the phrase that begins here; `next` gives the following words.
    pub(super) fn phrase<'t>(
        &self,
        next: impl Fn(usize) -> Option<&'t str>,
    ) -> Option<(Class, usize)> {
        let phrase = self
            .phrases
            .iter()
            .find(|(rest, _)| rest.iter().enumerate().all(|(i, w)| next(i) == Some(w.as_str())));
        match phrase {
            Some((rest, class)) => Some((*class, rest.len() + 1)),
            None => self.class.map(|class| (class, 1)),
        }
    }
}

const fn bit(role: Role) -> u32 {
    1 << role as u16
}

/// By their first word, folded.
pub(super) static MEANINGS: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let (personal, secrets, spoken): (Personal, Secrets, Spoken) =
        (words::all(), words::all(), words::all());
    let mut made: HashMap<String, Meaning> = HashMap::new();
    for (list, class) in [
        (&personal.other, Class::Other),
        (&personal.sizes, Class::Size),
        (&personal.versions, Class::Version),
        (&personal.around, Class::Around),
        (&personal.shop, Class::Shop),
        (&personal.phone, Class::Phone),
        (&personal.card, Class::Card),
        (&personal.account, Class::Account),
        (&personal.iban, Class::Iban),
        (&personal.ssn, Class::Ssn),
        (&personal.passport, Class::Passport),
        (&personal.licence, Class::Licence),
        (&secrets.asides, Class::Aside),
        (&secrets.codes, Class::Code),
        (&secrets.token, Class::Token),
        (&secrets.cvv, Class::Cvv),
        (&secrets.pin, Class::Pin),
        (&secrets.password, Class::Password),
    ] {
        list.iter().for_each(|phrase| tells(&mut made, phrase, class));
    }
    for (list, role) in [
        (&personal.numbers, Role::Number),
        (&personal.fillers, Role::Filler),
        (&personal.prepositions, Role::Preposition),
        (&personal.links, Role::Link),
        (&personal.last, Role::Last),
        (&personal.digits, Role::Digits),
        (&personal.not_names, Role::NotName),
        (&personal.mail, Role::Mail),
        (&secrets.states, Role::State),
        (&secrets.setting, Role::Setting),
        (&secrets.to, Role::To),
        (&secrets.hedges, Role::Hedge),
        (&secrets.from, Role::From),
        (&secrets.logins, Role::Login),
        (&secrets.providers, Role::Provider),
        (&secrets.asking, Role::Ask),
        (&secrets.modals, Role::Modal),
        (&secrets.be, Role::Be),
        (&secrets.uses, Role::Use),
        (&secrets.announcing, Role::Announce),
        (&secrets.refusing, Role::Refuse),
        (&secrets.shows, Role::Shows),
        (&personal.parts, Role::Part),
        (&spoken.at, Role::At),
        (&spoken.dot, Role::Dot),
        (&spoken.plus, Role::Plus),
        (&spoken.joints, Role::Joint),
    ] {
        for entry in list {
            made.entry(word(entry)).or_default().roles |= bit(role);
        }
    }
    for (said, digits) in &spoken.numbers {
        made.entry(word(said)).or_default().digits = Some(digits);
    }
    for (said, times) in &spoken.repeats {
        made.entry(word(said)).or_default().repeats = times.parse().ok();
    }
    for (said, sign) in &spoken.signs {
        let meaning = made.entry(word(said)).or_default();
        meaning.roles |= bit(Role::Sign);
        meaning.sign = Some(sign);
    }
    for meaning in made.values_mut() {
        meaning.phrases.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len()));
    }
    made
});

fn tells(made: &mut HashMap<String, Meaning>, phrase: &str, class: Class) {
    let folded = word(phrase);
    let mut words = folded.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return };
    let rest: Vec<String> = words.map(str::to_owned).collect();
    // Words without spaces are cut where a list has one.
    for word in rest.iter().filter(|word| word.starts_with(is_unspaced)) {
        made.entry(word.clone()).or_default();
    }
    let meaning = made.entry(first.to_owned()).or_default();
    if rest.is_empty() {
        meaning.class = Some(class);
    } else {
        meaning.phrases.push((rest, class));
    }
}

/// Endings of domains that are spelled out.
pub(super) static ENDINGS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| words::all::<Spoken>().endings);

/// Single words that name a number of the shop and are long enough to be known with a slip.
pub(super) static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| known_with_a_slip(Class::Shop, 5));

/// The same for passwords, by their first byte. A shorter one is too near to other words.
pub(super) static PASSWORDS: LazyLock<HashMap<u8, Vec<&str>>> = LazyLock::new(|| {
    let mut made: HashMap<u8, Vec<&str>> = HashMap::new();
    for name in known_with_a_slip(Class::Password, 8) {
        made.entry(name.as_bytes()[0]).or_default().push(name);
    }
    made
});

fn known_with_a_slip(class: Class, shortest: usize) -> Vec<&'static str> {
    let names = MEANINGS
        .iter()
        .filter(|(name, meaning)| meaning.class == Some(class) && name.len() >= shortest);
    names.map(|(name, _)| name.as_str()).collect()
}
