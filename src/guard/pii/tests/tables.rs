//! Sentences in tables: what must be hidden, and what must stay.

use super::*;
use crate::guard::Shop;

/// The rows of a table without its comments.
fn rows(table: &str) -> impl Iterator<Item = String> {
    let rows = table.lines().filter(|row| !row.is_empty() && !row.starts_with('#'));
    rows.map(|row| row.replace("\\n", "\n").replace("\\t", "\t"))
}

/// The text without the braces around its values, and the values.
fn marked(text: &str) -> (String, Vec<Range<usize>>) {
    let (mut plain, mut values, mut depth) = (String::new(), Vec::new(), 0);
    let mut start = 0;
    for c in text.chars() {
        match c {
            '{' if depth == 0 => start = plain.len(),
            '}' if depth == 1 => values.push(start..plain.len()),
            c => plain.push(c),
        }
        depth += i32::from(c == '{') - i32::from(c == '}');
    }
    (plain, values)
}

/// The rows that show a letter or a digit of their values, or call no part of them by their kind.
fn shown(table: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for row in rows(table) {
        let (kind, text) = row.split_once(' ').unwrap();
        let (text, values) = marked(text);
        let found = find(&text, &Shop::default());
        let hidden = |value: &Range<usize>| {
            let mut signs = text[value.clone()].char_indices().filter(|(_, c)| c.is_alphanumeric());
            signs.all(|(at, _)| found.iter().any(|f| f.range.contains(&(value.start + at))))
        };
        let called = |value: &Range<usize>| {
            let near = |f: &&Found| f.range.start < value.end && value.start < f.range.end;
            found.iter().filter(near).any(|f| f.kind.label() == kind)
        };
        assert!(!values.is_empty(), "{row}");
        if !(values.iter().all(hidden) && values.iter().all(called)) {
            faults.push(format!("{row}\n    {}", masked(&text)));
        }
    }
    faults
}

#[test]
fn what_an_attack_on_masking_found_is_hidden() {
    let faults = shown(include_str!("leaks.txt"));
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn values_that_were_thought_of_after_the_rules_are_hidden() {
    let faults = shown(include_str!("blind.txt"));
    assert!(faults.is_empty(), "{}:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn sentences_without_personal_data_stay() {
    let texts: Vec<String> = rows(include_str!("harmless.txt")).collect();
    assert!(texts.len() > 100);
    assert_unchanged(&texts.iter().map(String::as_str).collect::<Vec<_>>());
}
