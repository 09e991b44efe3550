//! The places that a text names, and what a sentence says about a place: Berlin is not Munich.

use std::{collections::HashMap, sync::LazyLock};

use super::said::Said;
use crate::words::{self, languages, of};

/// Codes of ISO 3166.
const EU: &str = "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se";
const REST_OF_EUROPE: &str =
    "al ad by ba gb gg gi im is je li mc md me mk no rs ru sm ch ua va xk fo";
const SCANDINAVIA: &str = "dk no se";
const BENELUX: &str = "be nl lu";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    City { name: &'static str, country: &'static str },
    Country(&'static str),
}

impl Place {
    fn country(self) -> &'static str {
        match self {
            Self::City { country, .. } | Self::Country(country) => country,
        }
    }

    pub fn english(self) -> &'static str {
        static COUNTRIES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
            let countries = of::<words::Places>("en").countries;
            let mut names: HashMap<&str, &str> = HashMap::new();
            for (name, code) in countries {
                // Pages say "the United States" rather than "America".
                let usual = names.entry(code).or_insert(name);
                *usual = if name.starts_with("united") { name } else { usual };
            }
            names
        });
        match self {
            Self::City { name, .. } => name,
            Self::Country(code) => COUNTRIES.get(code).copied().unwrap_or(code),
        }
    }
}

/// A place, and which words of the text name it.
#[derive(Clone, Copy, Debug)]
pub struct Mention {
    pub place: Place,
    pub from: usize,
    pub to: usize,
}

#[derive(Clone, Copy, Debug)]
struct Region {
    members: &'static str,
    outside: bool,
}

/// What a text names.
#[derive(Debug, Default)]
pub struct Named {
    pub places: Vec<Mention>,
    regions: Vec<Region>,
    /// "all countries"
    abroad: bool,
    /// "only in": what it names says something about all other places, too.
    only: bool,
}

/// What a text says about a place; the greater, the better it fits a question about that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is about other places.
    Foreign,
    /// It names no place.
    Silent,
    Abroad,
    /// It names a region that the place belongs to.
    Within,
    Exact,
}

#[derive(Clone, Copy)]
enum Meaning {
    Place(Place),
    Region(&'static str),
    Outside,
    Abroad,
    Only,
}

/// The names of a language and the English ones, by their first word, longest first.
struct Names(HashMap<&'static str, Vec<(Vec<&'static str>, Meaning)>>);

static NAMES: LazyLock<HashMap<&'static str, Names>> =
    LazyLock::new(|| languages::<words::Places>().map(|code| (code, Names::read(code))).collect());

impl Names {
    fn read(code: &'static str) -> Self {
        let english: words::Places = of("en");
        let cities: HashMap<&str, &str> = english.cities.iter().copied().collect();
        let mut all: Vec<(&str, Meaning)> = Vec::new();
        let lists = if code == "en" { vec![english] } else { vec![of(code), english] };
        for list in lists {
            let country = |(name, code)| (name, Meaning::Place(Place::Country(code)));
            let city = |name, country| Meaning::Place(Place::City { name, country });
            all.extend(list.countries.into_iter().map(country));
            all.extend(list.cities.into_iter().map(|(name, country)| (name, city(name, country))));
            all.extend(list.aliases.into_iter().filter_map(|(alias, name)| {
                cities.get(name).map(|country| (alias, city(name, country)))
            }));
            all.extend(list.regions.into_iter().map(|(name, of)| (name, Meaning::Region(of))));
            all.extend(list.outside.lines().map(|name| (name, Meaning::Outside)));
            all.extend(list.abroad.lines().map(|name| (name, Meaning::Abroad)));
            all.extend(list.only.lines().map(|name| (name, Meaning::Only)));
        }
        let mut names: HashMap<&str, Vec<(Vec<&str>, Meaning)>> = HashMap::new();
        for (name, meaning) in all {
            let name: Vec<&str> = name.split(' ').collect();
            names.entry(name[0]).or_default().push((name, meaning));
        }
        // The sort is stable: names of the language itself come before English ones.
        names.values_mut().for_each(|list| list.sort_by_key(|(name, _)| usize::MAX - name.len()));
        Self(names)
    }

    fn at(&self, words: &[String]) -> Option<(usize, Meaning)> {
        let list = self.0.get(words.first()?.as_str())?;
        let fits = |name: &[&str]| {
            name.len() <= words.len() && name.iter().zip(words).all(|(name, word)| name == word)
        };
        list.iter().find(|(name, _)| fits(name)).map(|(name, meaning)| (name.len(), *meaning))
    }
}

impl Named {
    pub fn read(said: &Said, locale: &str) -> Self {
        let code = locale.split(['-', '_']).next().unwrap_or("en");
        let Some(names) = NAMES.get(code).or_else(|| NAMES.get("en")) else {
            return Self::default();
        };
        let mut named = Self::default();
        let words = said.words();
        let (mut at, mut outside) = (0, false);
        while at < words.len() {
            let Some((length, meaning)) = names.at(&words[at..]) else {
                at += 1;
                continue;
            };
            match meaning {
                Meaning::Place(place) => {
                    named.places.push(Mention { place, from: at, to: at + length });
                }
                Meaning::Region(name) => {
                    named.regions.push(Region { members: members(name), outside });
                    outside = false;
                }
                Meaning::Outside => outside = true,
                Meaning::Abroad => named.abroad = true,
                Meaning::Only => named.only = true,
            }
            at += length;
        }
        named
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.regions.is_empty() && !self.abroad
    }

    /// How many places and regions it names.
    pub fn len(&self) -> usize {
        self.places.len() + 2 * self.regions.len()
    }

    pub fn cities(&self) -> impl Iterator<Item = Mention> {
        self.places.iter().copied().filter(|m| matches!(m.place, Place::City { .. }))
    }

    /// What this text says about `place`.
    pub fn about(&self, place: Place) -> Relation {
        let names = |wanted: Place| self.places.iter().any(|mention| mention.place == wanted);
        let country = place.country();
        let exact = names(place)
            || match place {
                Place::City { .. } => {
                    names(Place::Country(country)) && self.cities().next().is_none()
                }
                Place::Country(_) => self.cities().any(|m| m.place.country() == country),
            };
        if exact {
            return Relation::Exact;
        }
        let within = |region: &Region| {
            region.members.split(' ').any(|code| code == country) != region.outside
        };
        if self.regions.iter().any(within) {
            Relation::Within
        } else if self.abroad && self.regions.is_empty() || self.only && !self.is_empty() {
            Relation::Abroad
        } else if self.is_empty() {
            Relation::Silent
        } else {
            Relation::Foreign
        }
    }
}

fn members(region: &str) -> &'static str {
    static EUROPE: LazyLock<String> = LazyLock::new(|| format!("{EU} {REST_OF_EUROPE}"));
    match region {
        "eu" => EU,
        "scandinavia" => SCANDINAVIA,
        "benelux" => BENELUX,
        _ => &EUROPE,
    }
}
