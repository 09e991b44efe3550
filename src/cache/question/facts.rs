//! The content of a question, in a form in which two questions can be compared.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use super::lexicon::{self, CAPABLE, DONE, Meaning};
use crate::words::{self, Words};

/// The word lists. Pairs map a spelling to its meaning.
struct Lists {
    pointers: Words,
    done: Words,
    mine: Words,
    yours: Words,
    contractions: HashMap<&'static str, &'static str>,
    numbers: HashMap<&'static str, &'static str>,
    currencies: HashMap<&'static str, &'static str>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let facts: words::Facts = words::of("en");
    Lists {
        pointers: facts.pointers,
        done: facts.done,
        mine: facts.mine,
        yours: facts.yours,
        contractions: facts.contractions.into_iter().collect(),
        numbers: facts.numbers.into_iter().collect(),
        currencies: facts.currencies.into_iter().collect(),
    }
});

/// The comparable content of one question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Numbers, in order, each in its canonical spelling.
    pub(super) numbers: Vec<String>,
    /// Currencies, in order, as codes.
    pub(super) currencies: Vec<String>,
    /// Words outside the lexicon (names, places, units, dates, sizes, things), in order, as stems.
    pub(super) names: Vec<String>,
    /// The number of negations.
    pub(super) negations: usize,
    pub(super) actions: BTreeSet<u16>,
    pub(super) objects: BTreeSet<u16>,
    pub(super) signs: BTreeSet<u16>,
    /// All words with a meaning, in order.
    pub(super) sequence: Vec<Unit>,
    pub(super) mine: bool,
    pub(super) yours: bool,
    /// Whether the shopper is who does it, "do I pay", or the shop, "do you pay". `None` where
    /// neither is said, and behind "how", which asks for the way.
    pub(super) by_me: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Meaning(u16),
    /// A name or a number.
    Text(String),
}

impl Facts {
    /// The facts of a normalised text.
    pub(super) fn of(normal: &str) -> Self {
        let words = words(normal);
        let mut facts = Self { by_me: by_me(&words), ..Self::default() };
        let mut at = 0;
        while at < words.len() {
            if let Some((length, meaning)) = lexicon::phrase(&words[at..]) {
                if !meaning.is_empty() {
                    facts.add(meaning, "", "");
                }
                at += length;
                continue;
            }
            let before = at.checked_sub(1).map_or("", |index| &words[index]);
            let after = words.get(at + 1).map_or("", String::as_str);
            facts.add(&words[at], before, after);
            at += 1;
        }
        facts
    }

    fn add(&mut self, word: &str, before: &str, after: &str) {
        self.mine |= LISTS.mine.contains(word);
        self.yours |= LISTS.yours.contains(word);
        if let Some(number) = number(word, after) {
            self.sequence.push(Unit::Text(number.clone()));
            self.numbers.push(number);
            return;
        }
        if let Some(code) = currency(word) {
            self.currencies.push(code.to_owned());
            return;
        }
        match in_place(word, before, after) {
            Meaning::Light => {}
            Meaning::Negation => self.negations += 1,
            Meaning::Action(id) => {
                self.actions.insert(id);
                self.sequence.push(Unit::Meaning(id));
                self.form(word);
            }
            Meaning::Object(id) => {
                self.objects.insert(id);
                self.sequence.push(Unit::Meaning(id));
            }
            Meaning::Sign(id) => {
                self.signs.insert(id);
                self.sequence.push(Unit::Meaning(id));
            }
            Meaning::Itself => {
                let name = lexicon::stem(word).into_owned();
                self.sequence.push(Unit::Text(name.clone()));
                self.names.push(name);
            }
        }
    }

    /// Whether a word such as "from" or "before" relates one thing to another.
    pub(super) fn points(&self) -> bool {
        LISTS.pointers.iter().any(|word| match lexicon::meaning(word) {
            Meaning::Sign(id) => self.signs.contains(&id),
            Meaning::Light
            | Meaning::Negation
            | Meaning::Action(_)
            | Meaning::Object(_)
            | Meaning::Itself => false,
        })
    }

    fn form(&mut self, word: &str) {
        if word.ends_with("ed") || LISTS.done.contains(word) {
            self.signs.insert(DONE);
        }
        if word.ends_with("able") || word.ends_with("ible") {
            self.signs.insert(CAPABLE);
        }
    }
}

fn by_me(words: &[String]) -> Option<bool> {
    const AUXILIARIES: [&str; 16] = [
        "am", "are", "can", "could", "did", "do", "have", "may", "might", "must", "need", "shall",
        "should", "was", "will", "would",
    ];
    let asked = words.windows(2).enumerate().find_map(|(at, pair)| {
        let person = match pair[1].as_str() {
            "i" | "we" => true,
            "you" => false,
            _ => return None,
        };
        AUXILIARIES.contains(&pair[0].as_str()).then_some((at, person))
    });
    let (at, person) = asked?;
    let way = at.checked_sub(1).is_some_and(|before| words[before] == "how");
    (!way).then_some(person)
}

/// Light words that have another meaning in some positions.
pub(super) fn in_place(word: &str, before: &str, after: &str) -> Meaning {
    match word {
        // The month.
        "may"
            if !matches!(
                before,
                "" | "i" | "we" | "you" | "it" | "how" | "when" | "what" | "and"
            ) =>
        {
            Meaning::Itself
        }
        "may" => Meaning::Light,
        // "how long does delivery take" is not about taking anything.
        "take" | "takes" if matches!(after, "" | "to" | "for") => Meaning::Light,
        // The country.
        "us" if matches!(before, "let" | "tell" | "give" | "help" | "show" | "inform") => {
            Meaning::Light
        }
        "us" => Meaning::Itself,
        _ => lexicon::meaning(word),
    }
}

/// Lower-case words. Contractions are split, and `€50` and `5kg` become two words each.
pub(super) fn words(normal: &str) -> Vec<String> {
    let mut words = Vec::new();
    for token in normal.split(|c: char| c.is_whitespace() || "\"()[]{}<>;!?…*=|".contains(c)) {
        let token = token.trim_matches(|c: char| ".,:'-/_&#~".contains(c) && c != '#');
        let token = token.trim_matches('#');
        if token.is_empty() {
            continue;
        }
        if let Some(parts) = contraction(token) {
            words.extend(parts.split(' ').map(str::to_owned));
        } else if token.contains(|c: char| c.is_ascii_digit()) {
            quantity(token, &mut words);
        } else {
            let parts = token.split(|c: char| !c.is_alphanumeric() && currency_sign(c).is_none());
            words.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
        }
    }
    words
}

fn contraction(token: &str) -> Option<String> {
    if let Some(words) = LISTS.contractions.get(token) {
        return Some((*words).to_owned());
    }
    let (head, tail) = token.rsplit_once('\'')?;
    let rest = match tail {
        "t" => return Some(format!("{} not", head.strip_suffix('n').unwrap_or(head))),
        // "is", or a genitive.
        "s" => "s",
        "m" => "am",
        "re" => "are",
        "ve" => "have",
        "ll" => "will",
        "d" => "would",
        _ => return None,
    };
    Some(format!("{head} {rest}"))
}

/// Splits digits from a unit or currency at either end. Codes such as `a7x9` stay whole.
fn quantity(token: &str, words: &mut Vec<String>) {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':' | '/' | '-');
    let start = token.find(is_number).unwrap_or(0);
    let length = token[start..].find(|c| !is_number(c)).unwrap_or(token.len() - start);
    let (head, rest) = token.split_at(start);
    let (digits, tail) = rest.split_at(length);
    if tail.contains(|c: char| c.is_ascii_digit()) || head.chars().any(char::is_alphabetic) {
        words.push(token.to_owned());
        return;
    }
    words.extend(head.chars().filter(|c| currency_sign(*c).is_some()).map(String::from));
    words.push(digits.trim_matches(|c: char| !c.is_ascii_digit()).to_owned());
    if !tail.is_empty() {
        words.push(tail.to_owned());
    }
}

/// The canonical spelling of a number: `1,000` and `1000`, `5.0` and `5`, `five` and `5`.
pub(super) fn number(word: &str, after: &str) -> Option<String> {
    if let Some(value) = LISTS.numbers.get(word) {
        // "the one I bought" is not a count; "one week" is.
        let counts =
            *value != "1" || lexicon::meaning(after) != Meaning::Light && !after.is_empty();
        return counts.then(|| (*value).to_owned());
    }
    if !word.starts_with(|c: char| c.is_ascii_digit()) || word.contains(char::is_alphabetic) {
        return word.contains(|c: char| c.is_ascii_digit()).then(|| word.to_owned());
    }
    let groups: Vec<&str> = word.split(',').collect();
    let thousands = groups.len() > 1 && groups[1..].iter().all(|group| group.len() == 3);
    let plain = if thousands { groups.concat() } else { word.replace(',', ".") };
    let decimals = plain.split('.').count() == 2;
    Some(if decimals {
        plain.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        plain
    })
}

fn currency_sign(c: char) -> Option<&'static str> {
    Some(match c {
        '$' => "usd",
        '€' => "eur",
        '£' => "gbp",
        '¥' => "jpy",
        '₹' => "inr",
        '%' => "percent",
        _ => return None,
    })
}

pub(super) fn currency(word: &str) -> Option<&'static str> {
    let mut chars = word.chars();
    if let (Some(sign), None) = (chars.next(), chars.next()) {
        return currency_sign(sign);
    }
    LISTS.currencies.get(word).copied()
}
