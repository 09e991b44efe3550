//! Runs of digits with separators: the raw material of all numbers.

use std::ops::Range;

use super::{
    alike::is_unspaced,
    context::{Context, Word},
    vocabulary::Role,
};

/// Digits without a separator, or single digits with the same one: "4 1 1 1" is one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) range: Range<usize>,
    pub(super) digits: usize,
}

impl Group {
    /// Typed or said digit by digit.
    pub(super) fn is_single(&self) -> bool {
        self.range.len() > self.digits
    }
}

/// Groups with a few separators between two of them, as long as possible.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// From the `+`, the opening parenthesis or the first digit to the last digit.
    pub(super) range: Range<usize>,
    pub(super) groups: Vec<Group>,
    pub(super) plus: bool,
    /// Whether it contains a complete `(12)`.
    pub(super) parenthesis: bool,
}

/// What people type between the digits of a number.
pub(super) const SEPARATORS: &[u8] = b" \t\n\r.-/()[]_*|,:;~\\'\"";
/// Longest way between two digits of a number.
const WIDEST_GAP: usize = 4;
const MOST_GROUPS: usize = 48;
/// So many single digits in a row are a group.
const FEWEST_SINGLE: usize = 3;
/// So many numbers in a row are sizes even in uneven steps.
const MANY: usize = 5;

impl Run {
    /// All runs of at least three digits, from left to right. A run longer than any number is cut
    /// into pieces.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let bytes = text.as_bytes();
        let mut runs = Vec::new();
        let mut at = 0;
        while let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
            let start = at + digit;
            let end = start + digits_at(bytes, start);
            // The 2 of "cvv2 123" belongs to the word.
            let of_a_word = start > 0 && bytes[start - 1].is_ascii_alphabetic() && end - start <= 2;
            if of_a_word {
                at = end;
                continue;
            }
            let run = Self::at(text, start, at);
            at = run.range.end;
            if run.digits() >= 3 {
                runs.push(run);
            }
        }
        runs
    }

    fn at(text: &str, first: usize, floor: usize) -> Self {
        let bytes = text.as_bytes();
        let mut groups = Vec::new();
        let mut at = first;
        loop {
            let digits = digits_at(bytes, at);
            groups.push(Group { range: at..at + digits, digits });
            at += digits;
            let gap = gap_at(bytes, at);
            let goes_on = bytes.get(at + gap).is_some_and(u8::is_ascii_digit);
            if !goes_on || groups.len() == MOST_GROUPS {
                break;
            }
            at += gap;
        }
        Self::of(text, merged(text, groups), floor)
    }

    /// The run of some groups; nothing left of `floor` belongs to it.
    fn of(text: &str, groups: Vec<Group>, floor: usize) -> Self {
        let bytes = text.as_bytes();
        let first = groups.first().map_or(floor, |group| group.range.start);
        let end = groups.last().map_or(first, |group| group.range.end);
        let has = |b: u8| bytes[first..end].contains(&b);
        let mut start = first;
        let opened = has(b')') && start > floor && bytes[start - 1] == b'(';
        if opened {
            start -= 1;
        }
        let plus = start > floor && bytes[start - 1] == b'+';
        if plus {
            start -= 1;
        }
        let parenthesis = opened || (has(b'(') && has(b')'));
        Self { range: start..end, groups, plus, parenthesis }
    }

    /// The run of a part of the groups.
    pub(super) fn part(&self, text: &str, groups: Range<usize>) -> Self {
        let floor = match groups.start.checked_sub(1) {
            None => self.range.start,
            Some(before) => self.groups[before].range.end,
        };
        Self::of(text, self.groups[groups].to_vec(), floor)
    }

    pub(super) fn digits(&self) -> usize {
        self.groups.iter().map(|group| group.digits).sum()
    }

    /// Digits of each group.
    pub(super) fn shape(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.digits).collect()
    }

    /// What lies between a group and the next one.
    pub(super) fn gap<'t>(&self, text: &'t str, after: usize) -> &'t str {
        &text[self.groups[after].range.end..self.groups[after + 1].range.start]
    }

    /// Where one number may end and another one begin: "12345, 0171 5550123".
    pub(super) fn is_loose(gap: &str) -> bool {
        gap.contains([',', ';', ':', '\n', '|'])
    }

    /// "15 128 256 512": each number but the first is twice the one before.
    pub(super) fn is_doubling(&self, text: &str) -> bool {
        let value = |group: &Group| digits_of(text, group.range.clone()).parse().unwrap_or(0_u64);
        let values: Vec<u64> = self.groups.iter().map(value).collect();
        let twice = |v: &[u64]| v[0] > 0 && v[0].checked_mul(2) == Some(v[1]);
        let doubles = |values: &[u64]| values.windows(2).all(twice);
        values.len() >= 3 && (doubles(&values) || values.len() > 3 && doubles(&values[1..]))
    }

    /// Sizes and the like: short numbers of one length that rise or fall, in even steps unless they
    /// are many.
    pub(super) fn is_list(&self, text: &str) -> bool {
        let [first, _, _, ..] = &self.groups[..] else { return false };
        let other = |group: &Group| {
            group.digits != first.digits || text[group.range.clone()].starts_with('0')
        };
        if first.digits > 3 || self.groups.iter().any(other) {
            return false;
        }
        let values: Vec<i32> = self
            .groups
            .iter()
            .map(|group| digits_of(text, group.range.clone()).parse().unwrap_or(0))
            .collect();
        let even = values.windows(3).all(|v| v[1] - v[0] == v[2] - v[1]) && values[0] != values[1];
        let many = values.len() >= MANY;
        even || many && (values.is_sorted_by(|a, b| a < b) || values.is_sorted_by(|a, b| a > b))
    }
}

fn digits_at(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Length of the separators at `at`. Spaces count as one.
fn gap_at(bytes: &[u8], at: usize) -> usize {
    let (mut length, mut signs) = (0, 0);
    let mut last = b'0';
    while let Some(&byte) = bytes.get(at + length).filter(|byte| SEPARATORS.contains(byte)) {
        let blank = byte.is_ascii_whitespace();
        signs += usize::from(!(blank && last.is_ascii_whitespace()));
        if signs > WIDEST_GAP {
            break;
        }
        last = byte;
        length += 1;
    }
    length
}

/// Joins single digits with the same separator.
fn merged(text: &str, groups: Vec<Group>) -> Vec<Group> {
    if groups.len() < FEWEST_SINGLE {
        return groups;
    }
    let gap = |i: usize| &text[groups[i].range.end..groups[i + 1].range.start];
    let mut made = Vec::with_capacity(groups.len());
    let mut at = 0;
    while at < groups.len() {
        let single = |i: usize| groups.get(i).is_some_and(|group| group.digits == 1);
        let mut end = at + 1;
        while single(at) && single(end) && gap(end - 1) == gap(at) {
            end += 1;
        }
        if end - at >= FEWEST_SINGLE || (end - at == 2 && has_neighbours(&groups, at, end)) {
            let range = groups[at].range.start..groups[end - 1].range.end;
            made.push(Group { range, digits: end - at });
            at = end;
        } else {
            made.push(groups[at].clone());
            at += 1;
        }
    }
    made
}

/// All around is single digits, too.
fn has_neighbours(groups: &[Group], start: usize, end: usize) -> bool {
    let single = |i: Option<usize>| i.and_then(|i| groups.get(i)).is_some_and(|g| g.digits == 1);
    single(start.checked_sub(1)) && (end == groups.len() || single(Some(end)))
}

/// Nothing before `start` makes the digits a part of a longer name such as `INV-2024-001` or of an
/// amount.
pub(super) fn starts_freely(text: &str, start: usize, context: &Context<'_>) -> bool {
    let before = &text[..start];
    let Some(last) = before.chars().next_back() else { return true };
    if is_unspaced(last) {
        return true;
    }
    if last.is_alphabetic() {
        return is_known(text, context.ending_at(start));
    }
    if last.is_alphanumeric() || matches!(last, '$' | '€' | '£' | '¥' | '₹') {
        return false;
    }
    let joined = matches!(last, '-' | '.' | ',' | '/' | '_')
        .then(|| before[..before.len() - 1].chars().next_back())
        .flatten();
    match joined {
        None => last != '_',
        Some(c) if c.is_alphabetic() => {
            matches!(last, '.' | ',') || is_known(text, context.ending_at(start - 1))
        }
        Some(c) => last != '_' && !c.is_ascii_digit(),
    }
}

/// A word that belongs to a sentence rather than to a code such as "1Z0CE208".
fn is_known(text: &str, word: Option<&Word>) -> bool {
    word.is_some_and(|word| {
        let whole = !text[..word.range.start].ends_with(|c: char| c.is_ascii_digit());
        // Two letters may begin a code: "SU4336259825".
        let says = word.meaning.is_some_and(|m| m.class.is_some()) || word.is(Role::Number);
        whole && word.meaning.is_some() && (word.range.len() > 2 || says && word.range.len() > 1)
    })
}

/// Nothing after `end` makes the digits a part of a longer name.
pub(super) fn ends_freely(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars();
    match after.next() {
        Some(c) if is_unspaced(c) => true,
        Some(c) if c.is_alphanumeric() || c == '_' => false,
        Some('-' | '/') => !after.next().is_some_and(char::is_alphanumeric),
        Some(',' | '.') => !after.next().is_some_and(|c| c.is_ascii_digit()),
        _ => true,
    }
}

/// Whether a word, and not the rest of a code, is written right behind `end`: "900123thanks".
pub(super) fn ends_in_word(text: &str, end: usize) -> bool {
    let rest = text[end..].trim_start_matches(char::is_alphabetic);
    rest.len() < text.len() - end && !rest.starts_with(|c: char| c.is_ascii_digit() || c == '_')
}

/// Whether a word, and not the beginning of a code, is written right before `start`: "x900123".
pub(super) fn starts_behind_word(text: &str, start: usize, context: &Context<'_>) -> bool {
    context.ending_at(start).is_some_and(|word| {
        let letters = text[word.range.clone()].chars().count();
        let whole = !text[..word.range.start].ends_with(|c: char| c.is_ascii_digit() || c == '-');
        whole && !(2..=3).contains(&letters)
    })
}

pub(super) fn digits_of(text: &str, range: Range<usize>) -> String {
    text[range].chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<Vec<usize>> {
        Run::all(text).iter().map(Run::shape).collect()
    }

    #[test]
    fn groups_are_as_they_are_typed_and_single_digits_are_joined() {
        assert_eq!(shapes("4111 1111-1111.1111"), [[4, 4, 4, 4]]);
        assert_eq!(shapes("4 1 1 1 1 1 1 1"), [[8]]);
        assert_eq!(shapes("1 2 3 - 4 5 - 6 7 8 9"), [[3, 2, 4]]);
        assert_eq!(shapes("cvv2 123"), [[3]]);
        assert_eq!(shapes("41, 42\n 43"), [[2, 2, 2]]);
    }

    #[test]
    fn rising_and_falling_short_numbers_are_a_list() {
        let list = |text| Run::all(text)[0].is_list(text);
        assert!(list("41 42 43 44 45 46") && list("130/120/110"));
        assert!(list("36 38 41 44 45") && !list("912 345 215") && !list("21 23 47 61"));
        assert!(!list("22 96 63 08") && !list("4111 1111 1111") && !list("41 42"));
    }
}
