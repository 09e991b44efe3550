//! Which of the items that were listed a message means.

use std::ops::Range;

use super::{call::Pick, said::Said, slots::cut, vocabulary::Concept};
use crate::words::sentence::fold;

/// Shorter words name nothing, and shorter ones need to be the same.
const SHORTEST: usize = 3;
const LONG: usize = 4;
/// So many letters at the end of a word may be those of its case or number.
const ENDING: usize = 3;
/// So many words may stand between "not" and what it is about.
const REACH: usize = 3;
/// The second number of "2 of the 3" is so many words behind the first at most.
const OF_ALL: usize = 4;
/// Names that are looked up in the shop.
const QUERIES: usize = 3;

/// What the message means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meant {
    Skus(Vec<String>),
    /// The items have other names in the list.
    Pick(Pick),
    Nothing,
}

/// An item that is named, and where.
struct Mention {
    item: usize,
    at: usize,
    negated: bool,
}

/// `listed`: the name and the SKU of each item. `shown`: the shopper has seen this list, so that a
/// number is a place in it. `yes`: the whole message says yes.
pub fn items(said: &Said, listed: &[(String, String)], shown: bool, yes: bool) -> Meant {
    let skus = |keep: &dyn Fn(usize) -> bool| -> Vec<String> {
        listed
            .iter()
            .enumerate()
            .filter(|(at, _)| keep(*at))
            .map(|(_, (_, sku))| sku.clone())
            .collect()
    };
    if yes {
        return if listed.len() == 1 { Meant::Skus(skus(&|_| true)) } else { Meant::Nothing };
    }
    let mut mentions = named(said, listed);
    if mentions.is_empty() && shown {
        mentions = numbered(said, listed);
    }
    negate(said, &mut mentions);
    let means = |negated: bool, item: usize| {
        mentions.iter().any(|mention| mention.item == item && mention.negated == negated)
    };
    let left_out = mentions.iter().any(|mention| mention.negated);
    let wanted = mentions.iter().any(|mention| !mention.negated);
    let excepts = said.says(Concept::Except) || said.says(Concept::ExceptBehind);
    let others = unknown(said, &mentions);
    let free: Vec<usize> =
        (0..listed.len()).filter(|item| !means(true, *item) && !means(false, *item)).collect();
    if !others.is_empty() {
        // "All but the jacket" leaves out what is still to be found.
        let except = excepts && !left_out && !wanted;
        return Meant::Pick(Pick {
            queries: others
                .iter()
                .take(QUERIES)
                .map(|words| cut(&said.span(words.clone())))
                .collect(),
            except,
            among: skus(&|item| free.contains(&item)),
            chosen: skus(&|item| means(false, item)),
        });
    }
    if wanted {
        return Meant::Skus(skus(&|item| means(false, item) && !means(true, item))).or_nothing();
    }
    if left_out {
        return Meant::Skus(skus(&|item| !means(true, item))).or_nothing();
    }
    // "All but …" of something that is not known is not all.
    match said.says(Concept::All) && !excepts {
        true => Meant::Skus(skus(&|_| true)),
        false => Meant::Nothing,
    }
}

impl Meant {
    fn or_nothing(self) -> Self {
        if self == Self::Skus(Vec::new()) { Self::Nothing } else { self }
    }
}

/// How many of the one item with this SKU are meant, if they are fewer than the order has: "2 of the 3
/// mugs", "2 mugs".
pub fn quantity(said: &Said, listed: &[(String, String)], skus: &[String]) -> Option<u32> {
    let [sku] = skus else { return None };
    let item = listed.iter().position(|(_, other)| other == sku)?;
    let (total, _) = listed.get(item)?.0.split_once(" × ")?;
    let total: u32 = total.parse().ok()?;
    let number = |at: usize| said.word(at).parse::<u32>().ok().filter(|number| *number > 0);
    let is_near = |first: usize, second: usize| {
        said.is_one_sentence(first, second) && !said.is_parted(first, second)
    };
    let numbers: Vec<usize> = (0..said.len()).filter(|at| number(*at).is_some()).collect();
    let of_all = numbers.windows(2).find_map(|pair| {
        let (first, second) = (number(pair[0])?, number(pair[1])?);
        let apart = (2..=OF_ALL).contains(&(pair[1] - pair[0])) && is_near(pair[0], pair[1]);
        (apart && first.max(second) == total).then_some(first.min(second))
    });
    let before = || {
        let mention = named(said, listed).into_iter().find(|mention| mention.item == item)?;
        number(mention.at.checked_sub(1)?)
    };
    of_all.or_else(before).filter(|quantity| *quantity < total)
}

/// Items by a word that only one of them has.
fn named(said: &Said, listed: &[(String, String)]) -> Vec<Mention> {
    let names: Vec<Vec<String>> = listed
        .iter()
        .map(|(name, _)| {
            fold(name).split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
        })
        .collect();
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut found = (0..names.len()).filter(|item| names[*item].iter().any(|part| fits(part)));
        found.next().filter(|_| found.next().is_none())
    };
    let mention = |at: usize| {
        let word = said.word(at);
        let whole = (word.chars().count() >= SHORTEST
            || word.len() > 1 && word.bytes().all(|b| b.is_ascii_digit()))
        .then(|| only(&|part| part == word))
        .flatten();
        let like = || only(&|part| is_like(part, word));
        // A script without spaces: two characters in a row.
        let pair = || {
            let both = format!("{word}{}", said.word(at + 1));
            let is_pair = both.chars().count() == 2 && !both.is_ascii();
            is_pair.then(|| only(&|part| part.contains(&both))).flatten()
        };
        let item = whole.or_else(like).or_else(pair)?;
        Some(Mention { item, at, negated: false })
    };
    (0..said.len()).filter_map(mention).collect()
}

/// The same word in another case or number, or the end of a compound.
fn is_like(part: &str, word: &str) -> bool {
    let word = word.strip_prefix("ال").unwrap_or(word);
    let (long, short) = (part.chars().count(), word.chars().count());
    if long < LONG || short < LONG {
        let plural = |one: &str, many: &str| many.strip_suffix('s') == Some(one);
        let is_plural = plural(part, word) || plural(word, part);
        return part == word || long.min(short) >= SHORTEST && is_plural;
    }
    let common = part.chars().zip(word.chars()).take_while(|(a, b)| a == b).count();
    let stem = common >= LONG && long.max(short) - common <= ENDING.min(long.max(short) / 3);
    stem || part.ends_with(word)
}

/// Items by their place in the list.
fn numbered(said: &Said, listed: &[(String, String)]) -> Vec<Mention> {
    let mention = |at: usize| {
        let number: usize = said.word(at).parse().ok()?;
        let item = number.checked_sub(1).filter(|item| *item < listed.len())?;
        Some(Mention { item, at, negated: false })
    };
    (0..said.len()).filter_map(mention).collect()
}

/// What is left out: "not the socks", "everything but the socks and the lamp", "靴下以外".
fn negate(said: &Said, mentions: &mut [Mention]) {
    let all = said.says(Concept::All);
    let mut reached: Option<usize> = None;
    for mention in mentions {
        let before =
            said.about(Concept::Except).map(|hit| hit.end).filter(|end| *end <= mention.at);
        let from = before.chain(reached).max();
        let ends = |from: usize| {
            let turned =
                said.about(Concept::But).any(|hit| (from..mention.at).contains(&hit.start));
            turned || !all && said.is_parted(from.saturating_sub(1), mention.at)
        };
        let ahead =
            from.is_some_and(|from| mention.at - from.min(mention.at) <= REACH && !ends(from));
        let behind = said.about(Concept::ExceptBehind).any(|hit| {
            hit.start > mention.at
                && hit.start - mention.at <= REACH
                && !said.is_parted(mention.at, hit.start)
        });
        mention.negated = ahead || behind;
        reached = if ahead { Some(mention.at + 1) } else { reached };
    }
}

/// Things that are named and that no item of the list is called.
fn unknown(said: &Said, mentions: &[Mention]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for hit in said.about(Concept::Goods) {
        let known =
            mentions.iter().any(|mention| hit.contains(&mention.at) || mention.at + 1 == hit.end);
        let within = found.iter().any(|other| other.start <= hit.start && hit.end <= other.end);
        if known || within {
            continue;
        }
        found.retain(|other| !(hit.start <= other.start && other.end <= hit.end));
        found.push(hit);
    }
    found
}
