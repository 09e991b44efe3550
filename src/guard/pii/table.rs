//! Secrets in the cells of a table: "user;password" and "ann;sunshine" in the next line.

use std::ops::Range;

use super::{
    context::{Context, Told},
    fold::PLACEHOLDER,
    kind::Kind,
    vocabulary::Class,
};

const SEPARATORS: [char; 4] = ['|', '\t', ';', ','];
/// Rows that are read, and the longest line in bytes.
const MOST_ROWS: usize = 16;
const LONGEST_LINE: usize = 240;

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Kind, Range<usize>)) {
    if !text.contains('\n') {
        return;
    }
    for told in context.told() {
        let kind = match told.class {
            Class::Password => Kind::Password,
            Class::Pin => Kind::Pin,
            Class::Cvv => Kind::Cvv,
            _ => continue,
        };
        column(text, told).into_iter().for_each(|cell| found(kind, cell));
    }
}

/// The cells below the one that has nothing but a word for a secret.
fn column(text: &str, told: &Told) -> Vec<Range<usize>> {
    let Some(line) = line(text, told.range.start) else { return Vec::new() };
    let Some((index, separator, count)) = place(text, &line, told) else { return Vec::new() };
    let mut cells = Vec::new();
    let mut at = line.end + 1;
    for _ in 0..MOST_ROWS {
        let Some(row) = (at <= text.len()).then(|| self::line(text, at)).flatten() else { break };
        at = row.end + 1;
        let parts: Vec<Range<usize>> = split(text, &row, separator).collect();
        if parts.len() != count {
            break;
        }
        let cell = trimmed(text, &parts[index]);
        let value = &text[cell.clone()];
        if value.contains(char::is_alphanumeric) && !value.contains(PLACEHOLDER) {
            cells.push(cell);
        }
    }
    cells
}

/// Which cell of its line `told` is, what parts the cells, and how many there are.
fn place(text: &str, line: &Range<usize>, told: &Told) -> Option<(usize, char, usize)> {
    SEPARATORS.into_iter().find_map(|separator| {
        let cells: Vec<Range<usize>> = split(text, line, separator).collect();
        // "login password" is one phrase, also with a line between its words.
        let is_told =
            |cell: Range<usize>| cell.end == told.range.end && cell.start >= told.range.start;
        let index = cells.iter().position(|cell| is_told(trimmed(text, cell)))?;
        (cells.len() > 1).then_some((index, separator, cells.len()))
    })
}

/// The line around `at`, unless it is longer than any row.
fn line(text: &str, at: usize) -> Option<Range<usize>> {
    let from = text.floor_char_boundary(at.saturating_sub(LONGEST_LINE));
    let to = text.ceil_char_boundary((at + LONGEST_LINE).min(text.len()));
    let start = text[from..at].rfind('\n').map(|n| from + n + 1);
    let end = text[at..to].find('\n').map(|n| at + n);
    let start = start.or((from == 0).then_some(0))?;
    Some(start..end.or((to == text.len()).then_some(to))?)
}

fn split(text: &str, line: &Range<usize>, separator: char) -> impl Iterator<Item = Range<usize>> {
    let mut at = line.start;
    text[line.clone()].split(separator).map(move |cell| {
        let range = at..at + cell.len();
        at = range.end + separator.len_utf8();
        range
    })
}

fn trimmed(text: &str, cell: &Range<usize>) -> Range<usize> {
    let inside = &text[cell.clone()];
    let start = cell.start + inside.len() - inside.trim_start().len();
    start..start + inside.trim().len()
}
