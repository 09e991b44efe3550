//! Passports (ICAO Doc 9303) and driving licences (ISO/IEC 18013-1, and older national forms), by
//! the words near them.

use std::ops::Range;

use super::{
    context::{Context, Named, Word},
    kind::Kind,
    vocabulary::{Class, Role},
};

/// How long the numbers of countries are.
struct Form {
    class: Class,
    kind: Kind,
    lengths: std::ops::RangeInclusive<usize>,
    /// Of them digits: the German ones have few.
    digits: usize,
}

const FORMS: [Form; 3] = [
    // From six (Malta) to nine characters, as the machine-readable zone has them, and a check
    // digit.
    Form { class: Class::Passport, kind: Kind::Passport, lengths: 6..=10, digits: 2 },
    // From five digits (some states of the USA) to eighteen characters (Great Britain).
    Form { class: Class::Licence, kind: Kind::Licence, lengths: 5..=18, digits: 3 },
    // National numbers with letters, such as the Spanish DNI or the British NINO; from eight to
    // eighteen characters (Mexico). The Indian PAN has four digits.
    Form { class: Class::Ssn, kind: Kind::Ssn, lengths: 8..=18, digits: 4 },
];

/// Longest way in bytes from the word to its number.
const WINDOW: usize = 60;

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Kind, Range<usize>)) {
    for (index, told) in context.told().iter().enumerate() {
        let Some(form) = FORMS.iter().find(|form| form.class == told.class) else { continue };
        // DL1264 is a flight.
        if text[told.range.end..].starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let next = context.told().get(index + 1..).unwrap_or_default().iter();
        let stop = next
            .filter(|next| !matches!(next.class, Class::Around | Class::Other | Class::Licence))
            .map(|next| next.range.start)
            .find(|start| *start > told.range.end)
            .unwrap_or(text.len());
        let limit = text.floor_char_boundary(stop.min(told.range.end + WINDOW));
        let limit = end_of_sentence(text, told.range.end, limit, context);
        if let Some(range) = first(text, told.range.end, limit, form, context) {
            found(form.kind, range);
        } else if let Some(range) = last(text, told.range.start, form, context) {
            found(form.kind, range);
        }
    }
}

/// The first number of the form after `from` that begins before `limit`.
fn first(
    text: &str,
    from: usize,
    limit: usize,
    form: &Form,
    context: &Context<'_>,
) -> Option<Range<usize>> {
    let mut at = from;
    while at < limit {
        let start = at + text[at..limit].find(char::is_alphanumeric)?;
        let end = end_of_part(text, start);
        at = end;
        if !has_digit(&text[start..end]) && !is_prefix(text, start, end, context) {
            continue;
        }
        // Parts with digits, and short ones between them, are one number: "MORGA 657054 SM9IJ".
        let mut last = end;
        while let Some(next) = next_part(text, last) {
            let part = &text[next.clone()];
            let known = context.ending_at(next.end).is_some_and(|word| word.meaning.is_some());
            let short = part.len() <= 2 && !known || part.len() == 1 && last > end;
            let whole = length(&text[start..next.end]) <= *form.lengths.end();
            if !(whole && (has_digit(part) || short)) {
                break;
            }
            last = next.end;
        }
        let range = start..last;
        if fits(&text[range.clone()], form) && context.named(&range) != Named::Yes {
            return Some(range);
        }
    }
    None
}

/// The first end of a sentence; "no. " and "n. " are none.
fn end_of_sentence(text: &str, from: usize, limit: usize, context: &Context<'_>) -> usize {
    let ends = text[from..limit].match_indices(['.', '!', '?']).map(|(at, _)| from + at);
    let ends = ends.filter(|at| text[at + 1..].starts_with([' ', '\n']));
    let short = |word: &Word| word.is(Role::Number) || word.range.len() <= 2;
    let mut ends = ends.filter(|at| !context.ending_at(*at).is_some_and(short));
    ends.next().unwrap_or(limit)
}

/// "925665416 is my passport number"
fn last(text: &str, before: usize, form: &Form, context: &Context<'_>) -> Option<Range<usize>> {
    let head = text[..before].trim_end();
    let mut end = head.len();
    let mut linked = false;
    while let Some(word) = context.ending_at(end).filter(|w| w.is(Role::Link) || w.is(Role::Filler))
    {
        linked |= word.is(Role::Link);
        end = text[..word.range.start].trim_end().len();
    }
    let start = text[..end]
        .rfind(|c: char| !(c.is_alphanumeric() || c == '-'))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let range = start..end;
    (linked && !range.is_empty() && fits(&text[range.clone()], form)).then_some(range)
}

fn fits(number: &str, form: &Form) -> bool {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    digits >= form.digits && !is_date(number) && form.lengths.contains(&length(number))
}

/// "12.05.2024"
fn is_date(number: &str) -> bool {
    let parts: Vec<&str> = number.split(['.', '/', '-']).collect();
    let short = |part: &&str| (1..=2).contains(&part.len());
    matches!(&parts[..], [a, b, c] if short(b) && (short(a) || short(c)))
}

fn length(number: &str) -> usize {
    number.chars().filter(|c| c.is_alphanumeric()).count()
}

fn end_of_part(text: &str, start: usize) -> usize {
    let of_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '/' | '*');
    let end = text[start..].find(|c| !of_part(c)).map_or(text.len(), |n| start + n);
    start + text[start..end].trim_end_matches(['-', '/', '*']).len()
}

fn next_part(text: &str, end: usize) -> Option<Range<usize>> {
    let start = end + 1;
    let joined = text[end..].starts_with([' ', '.'])
        && text[start..].starts_with(|c: char| c.is_alphanumeric());
    joined.then(|| start..end_of_part(text, start))
}

/// Letters that begin a number: "AB 1234567", "SMITH 901151 AB9CD".
fn is_prefix(text: &str, start: usize, end: usize, context: &Context<'_>) -> bool {
    const LONGEST: usize = 5;
    // More letters than these may be a word, and then a longer number must follow.
    const SHORT: usize = 3;
    const LONG_NUMBER: usize = 5;
    let known = context.ending_at(end).is_some_and(|word| word.meaning.is_some());
    let digits = next_part(text, end)
        .map_or(0, |next| text[next].bytes().take_while(u8::is_ascii_digit).count());
    let fewest = if end - start > SHORT { LONG_NUMBER } else { 1 };
    end - start <= LONGEST && !known && digits >= fewest
}

fn has_digit(part: &str) -> bool {
    part.contains(|c: char| c.is_ascii_digit())
}
