//! Numbers in words: "four one one one", "double four", "zéro six douze".

use std::{borrow::Cow, ops::Range};

use super::{
    context::{Context, Word},
    plain::{Edit, Plain},
    vocabulary::{Class, Role},
};

/// Shorter numbers are words of a sentence: "one or two".
const FEWEST_WORDS: usize = 3;
/// With so many digits two words are enough: "forty-eight twenty-one".
const FEWEST_DIGITS: usize = 4;

/// A number word with what it says.
struct Said {
    range: Range<usize>,
    digits: String,
}

/// The edits that write spoken numbers as digits.
pub(super) fn edits(plain: &Plain, context: &Context<'_>) -> Vec<Edit> {
    let text = plain.as_str();
    let words = &context.words;
    // Letters lie between the digits of an IBAN: "d e eight nine".
    let of_iban = context.told().iter().any(|told| told.class == Class::Iban);
    let mut edits = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let mut said = Vec::new();
        let mut next = at;
        while let Some((number, length)) = number(text, &words[next..]) {
            if said
                .last()
                .is_some_and(|last: &Said| !is_gap(text, last.range.end..number.range.start))
            {
                break;
            }
            said.push(number);
            next += length;
            // "dash" between two of them.
            if let [sign, number, ..] = &words[next..]
                && (sign.is(Role::Sign) || sign.is(Role::Dot))
                && is_number(number)
                && is_gap(text, words[next - 1].range.end..sign.range.start)
            {
                let digits = if sign.is(Role::Dot) { "." } else { "-" };
                said.push(Said { range: sign.range.clone(), digits: digits.into() });
                next += 1;
            }
        }
        // In "the last four 4 8 2 1" the first one counts the others.
        if at > 0 && words[at - 1].is(Role::Last) && said.len() > FEWEST_WORDS {
            said.remove(0);
        }
        if is_long(&said) || is_beside_digits(text, &said) || of_iban && !said.is_empty() {
            if let Some(plus) = at.checked_sub(1).map(|i| &words[i]).filter(|w| w.is(Role::Plus)) {
                let range = plus.range.start..said[0].range.start;
                edits.push(Edit { range, with: "+".into() });
            }
            push(text, &said, &mut edits);
        }
        at = next.max(at + 1);
    }
    edits
}

fn is_number(word: &Word) -> bool {
    word.meaning.is_some_and(|meaning| meaning.digits.is_some() || meaning.repeats.is_some())
}

fn is_long(said: &[Said]) -> bool {
    let digits: usize = said.iter().map(|said| said.digits.len()).sum();
    said.len() >= FEWEST_WORDS || (said.len() == 2 && digits >= FEWEST_DIGITS)
}

/// "07700 nine hundred 456", "0171 triple five 0123": they go on with digits.
fn is_beside_digits(text: &str, said: &[Said]) -> bool {
    const FEWEST: usize = 3;
    let (Some(first), Some(last)) = (said.first(), said.last()) else { return false };
    let digit = |c: &char| c.is_ascii_digit();
    let several = said.iter().map(|said| said.digits.len()).sum::<usize>() > 1;
    let before = text[..first.range.start].strip_suffix([' ', '-']).unwrap_or_default();
    let after = text[last.range.end..].strip_prefix([' ', '-']).unwrap_or_default();
    several
        && (before.chars().rev().take_while(digit).count() >= FEWEST
            || after.chars().take_while(digit).count() >= FEWEST)
}

fn push(text: &str, said: &[Said], edits: &mut Vec<Edit>) {
    let mut end = None;
    for Said { range, digits } in said {
        // Numerals and signs between the words stay.
        if let Some(end) = end
            && text[end..range.start].chars().all(|c| " ,\n".contains(c))
        {
            edits.push(Edit { range: end..range.start, with: " ".into() });
        }
        let spread: Vec<String> = digits.chars().map(String::from).collect();
        edits.push(Edit { range: range.clone(), with: Cow::Owned(spread.join(" ")) });
        end = Some(range.end);
    }
}

/// What may lie between two words of a number.
fn is_gap(text: &str, gap: Range<usize>) -> bool {
    let inside = |c: char| c.is_ascii_digit() || " ,.-/\n".contains(c);
    gap.len() <= 24 && text[gap].chars().all(inside)
}

/// The number that `words` begin with, and how many of them it has.
fn number(text: &str, words: &[Word]) -> Option<(Said, usize)> {
    let first = words.first()?;
    if let Some(times) =
        first.meaning?.repeats.filter(|_| first.meaning.is_some_and(|m| m.digits.is_none()))
    {
        // A word after it that says how often, too, is no number: the way down is one step.
        words.get(1)?.meaning?.digits?;
        let (said, length) = number(text, words.get(1..)?)?;
        let near = said.range.start - first.range.end <= 2;
        let range = first.range.start..said.range.end;
        return near.then(|| (Said { range, digits: said.digits.repeat(times) }, length + 1));
    }
    let mut value: u32 = first.meaning?.digits?.parse().ok()?;
    let mut digits = first.meaning?.digits?.to_owned();
    let (mut length, mut end) = (1, first.range.end);
    while let Some((part, skipped)) = part(text, &words[length..], end) {
        let whole = match (value, part) {
            (4, 20) if text[words[0].range.clone()] == *"quatre" => 80,
            (60 | 80, 1..=19) => value + part,
            (20 | 30 | 40 | 50 | 70 | 90, 1..=9) => value + part,
            _ => break,
        };
        (value, digits) = (whole, whole.to_string());
        length += skipped + 1;
        end = words[length - 1].range.end;
    }
    Some((Said { range: first.range.start..end, digits }, length))
}

/// The next part of a number of two digits, and the joints before it: "y cuatro".
fn part(text: &str, words: &[Word], end: usize) -> Option<(u32, usize)> {
    let joints = words.iter().take(1).filter(|word| word.is(Role::Joint)).count();
    let word = words.get(joints)?;
    let near = word.range.start - end <= 6 && text[end..word.range.start].find(',').is_none();
    let value = word.meaning?.digits?.parse().ok()?;
    near.then_some((value, joints))
}
