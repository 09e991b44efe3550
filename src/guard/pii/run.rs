//! Runs of digits with separators, from which card, social-security and phone numbers are
//! recognised.

use std::ops::Range;

/// Digits with at most three separators between two of them, as long as possible.
#[derive(Debug)]
pub(super) struct Run {
    /// From the `+`, the opening parenthesis or the first digit to the last digit.
    pub(super) range: Range<usize>,
    /// The groups of digits.
    pub(super) groups: Vec<Range<usize>>,
    pub(super) plus: bool,
    /// Whether it contains a complete `(12)`.
    pub(super) parenthesis: bool,
}

impl Run {
    /// All runs of at least four digits, from left to right. A run longer than any number is cut
    /// into pieces.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let bytes = text.as_bytes();
        let mut runs = Vec::new();
        let mut at = 0;
        while let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
            let run = Self::at(bytes, at + digit, at);
            at = run.range.end;
            if run.digits() >= 4 {
                runs.push(run);
            }
        }
        runs
    }

    fn at(bytes: &[u8], first: usize, floor: usize) -> Self {
        const MOST_GROUPS: usize = 24;
        let mut groups = Vec::new();
        let mut at = first;
        loop {
            let start = at;
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            groups.push(start..at);
            let gap = bytes[at..].iter().take(3).take_while(|b| b" .-/()".contains(b)).count();
            let goes_on = bytes.get(at + gap).is_some_and(u8::is_ascii_digit);
            if !goes_on || groups.len() == MOST_GROUPS {
                break;
            }
            at += gap;
        }
        let has = |b: u8| bytes[first..at].contains(&b);
        let mut start = first;
        let parenthesis = has(b')') && start > floor && bytes[start - 1] == b'(';
        if parenthesis {
            start -= 1;
        }
        let plus = start > floor && bytes[start - 1] == b'+';
        if plus {
            start -= 1;
        }
        let parenthesis = parenthesis || (has(b'(') && has(b')'));
        Self { range: start..at, groups, plus, parenthesis }
    }

    pub(super) fn digits(&self) -> usize {
        self.groups.iter().map(ExactSizeIterator::len).sum()
    }

    /// The lengths of the groups.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.groups.iter().map(ExactSizeIterator::len).collect()
    }
}

/// Whether no character before `start` makes the digits part of a longer name such as
/// `INV-2024-001` or of an amount.
pub(super) fn starts_freely(text: &str, start: usize) -> bool {
    let before = &text[..start];
    let Some(last) = before.chars().next_back() else { return true };
    if last.is_alphanumeric() || matches!(last, '_' | '$' | '€' | '£' | '¥' | '₹') {
        return false;
    }
    let joined = matches!(last, '-' | '.' | ',' | '/')
        .then(|| before[..before.len() - 1].chars().next_back())
        .flatten();
    match joined {
        Some(c) if last == ',' => !c.is_ascii_digit(),
        Some(c) => !c.is_alphanumeric(),
        None => true,
    }
}

/// Whether no character after `end` makes the digits part of a longer name.
pub(super) fn ends_freely(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars();
    match after.next() {
        Some(c) if c.is_alphanumeric() || c == '_' => false,
        Some('-' | '/') => !after.next().is_some_and(char::is_alphanumeric),
        Some(',' | '.') => !after.next().is_some_and(|c| c.is_ascii_digit()),
        _ => true,
    }
}

pub(super) fn digits_of(text: &str, range: Range<usize>) -> String {
    text[range].chars().filter(char::is_ascii_digit).collect()
}
