//! Reads what shoppers ask: the questions of a message, made complete with the conversation, the
//! kind of each, and the places that it names. Pure, by word lists.

pub(super) mod kind;
pub(super) mod lists;
pub(super) mod places;
pub(super) mod said;

mod follow;
mod parts;

use self::{
    lists::{Lists, lists},
    said::Said,
};

/// How many messages of a conversation are read, newest last.
const MOST_EARLIER: usize = 6;

/// The questions of a message. Each has one or two readings that stand alone, best guess first.
/// `earlier` are the shopper's messages before, oldest first; `locale` is the language of all.
pub fn questions(earlier: &[&str], message: &str, locale: &str) -> Vec<Vec<String>> {
    let from = earlier.len().saturating_sub(MOST_EARLIER);
    let mut before = String::new();
    for said in &earlier[from..] {
        if let Some(last) = parts_of(&before, said, locale).pop().and_then(|mut v| v.pop()) {
            before = last;
        }
    }
    parts_of(&before, message, locale)
}

fn parts_of(before: &str, message: &str, locale: &str) -> Vec<Vec<String>> {
    let lists = lists(locale);
    let mut before = before.to_owned();
    let mut found = Vec::new();
    for part in parts::parts(message, lists) {
        let resolved = follow::resolved(&before, &part, lists, locale);
        let readings = resolved.unwrap_or_else(|| {
            let last = parts::last_clause(&part, lists);
            [part].into_iter().chain(last).collect()
        });
        before = readings.last().cloned().unwrap_or_default();
        found.push(readings.into_iter().map(|reading| meant(reading, lists)).collect());
    }
    found
}

/// A question with the words that pages have for what shoppers say.
pub(super) fn meant(question: String, lists: &Lists) -> String {
    let said = Said::new(&question);
    let mut line = format!(" {} ", said.line());
    let mut changed = false;
    for (heard, meant) in &lists.meant {
        if line.contains(heard.as_str()) && !line.contains(meant) {
            line = line.replacen(heard.as_str(), &format!(" {meant} "), 1);
            changed = true;
        }
    }
    if changed { line.trim().to_owned() } else { question }
}
