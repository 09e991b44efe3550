//! The lists of first and last names, towns, parts of streets and ordinary words. A word may stand
//! in several. `scripts/train/lists.py` makes `lists.txt`.

use std::{collections::HashMap, sync::LazyLock};

pub(super) const FIRST: u8 = 1;
pub(super) const LAST: u8 = 2;
pub(super) const TOWN: u8 = 4;
pub(super) const STREET: u8 = 8;
pub(super) const ORDINARY: u8 = 16;

/// The order of their bits.
const SECTIONS: [&str; 5] = ["first", "last", "town", "street", "ordinary"];

static LISTS: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| {
    let text = include_str!("lists.txt");
    let mut lists: HashMap<&str, u8> = HashMap::with_capacity(text.len() / 8);
    let mut bit = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => bit = SECTIONS.iter().position(|n| *n == name).map_or(0, |at| 1 << at),
            None => *lists.entry(line).or_default() |= bit,
        }
    }
    lists
});

/// A bit for each list that has the folded word.
pub(super) fn of(word: &str) -> u8 {
    LISTS.get(word).copied().unwrap_or_default()
}
