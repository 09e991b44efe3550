//! The formats of a shop's own numbers, which are never personal data.

use std::ops::Range;

/// What a format is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Digit,
    Letter,
    /// Lower case.
    Itself(char),
}

/// `#` stands for a digit, `?` for a letter, everything else for itself in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberFormats(Vec<Vec<Sign>>);

/// A number as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// As the shop writes it, in upper case.
    pub number: String,
}

/// Why a format cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNumberFormat {
    #[error("must have at least four `#`")]
    Short,
    #[error(
        "has only digits, as payment cards have: add a letter or a digit that all numbers share"
    )]
    Card,
}

impl NumberFormats {
    /// # Errors
    /// If a format would take too much for a number of the shop.
    pub fn new<'f>(formats: impl IntoIterator<Item = &'f str>) -> Result<Self, BadNumberFormat> {
        formats.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// The numbers of the shop in a text as people type them: in any case, with the signs between
    /// its parts left out or put in, and with the letters O, I and L for digits. Where a format has
    /// nothing but digits behind fixed signs, the digits alone are that number.
    pub fn read(&self, text: &str) -> Vec<Typed> {
        let mut found: Vec<Typed> = Vec::new();
        let mut before = None::<char>;
        for (at, c) in text.char_indices() {
            let begins = !before.is_some_and(|c| c.is_ascii_alphanumeric());
            before = Some(c);
            if !begins || found.last().is_some_and(|last| at < last.range.end) {
                continue;
            }
            let alone = !ends_a_code(&text[..at]);
            let read = self.0.iter().filter_map(|format| {
                let alone = || digits_alone(format, &text[at..]).filter(|_| alone);
                typed(format, &text[at..]).or_else(alone)
            });
            if let Some((length, number)) = read.max_by_key(|(length, _)| *length) {
                found.push(Typed { range: at..at + length, number });
            }
        }
        found
    }

    /// Where numbers of the shop stand in a folded text.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let (mut before, mut free_from) = (None::<char>, 0);
        for (at, c) in text.char_indices() {
            let begins = !before.is_some_and(char::is_alphanumeric);
            before = Some(c);
            if !begins || at < free_from {
                continue;
            }
            let length = self.0.iter().filter_map(|format| length(format, &text[at..])).max();
            if let Some(length) = length {
                found.push(at..at + length);
                free_from = at + length;
            }
        }
        found
    }
}

/// Whether what stands before digits is the beginning of a longer code, such as a UUID: more than a
/// few letters and a dash.
fn ends_a_code(before: &str) -> bool {
    const FEW: usize = 4;
    let near = &before[before.floor_char_boundary(before.len().saturating_sub(2 * FEW))..];
    let Some(code) = near.strip_suffix('-') else { return false };
    let of_code = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    code.chars().rev().take_while(of_code).count() > FEW
}

fn parse(format: &str) -> Result<Vec<Sign>, BadNumberFormat> {
    const FEWEST: usize = 4;
    let sign = |c| match c {
        '#' => Sign::Digit,
        '?' => Sign::Letter,
        c => Sign::Itself(c),
    };
    let signs: Vec<Sign> = format.chars().flat_map(char::to_lowercase).map(sign).collect();
    let digits = signs.iter().filter(|sign| **sign == Sign::Digit).count();
    let fixed = signs.iter().any(|sign| match sign {
        Sign::Digit => false,
        Sign::Letter => true,
        Sign::Itself(c) => c.is_alphanumeric(),
    });
    match digits {
        0..FEWEST => Err(BadNumberFormat::Short),
        12..=19 if !fixed => Err(BadNumberFormat::Card),
        _ => Ok(signs),
    }
}

/// Bytes of `text` that the format takes from its beginning, if a word ends there.
fn length(format: &[Sign], text: &str) -> Option<usize> {
    let mut rest = text.chars();
    for sign in format {
        let c = rest.next()?;
        let fits = match sign {
            Sign::Digit => c.is_ascii_digit(),
            Sign::Letter => c.is_alphabetic(),
            Sign::Itself(itself) => c == *itself,
        };
        if !fits {
            return None;
        }
    }
    let ends = !rest.clone().next().is_some_and(char::is_alphanumeric);
    ends.then(|| text.len() - rest.as_str().len())
}

/// Bytes of `text` that somebody meant for this format, and the number.
fn typed(format: &[Sign], text: &str) -> Option<(usize, String)> {
    // Where a format has letters, a letter among its digits is a slip.
    let named = format.iter().any(|sign| matches!(sign, Sign::Itself(c) if c.is_alphabetic()));
    let mut number = String::with_capacity(format.len());
    let mut rest = text;
    for sign in format {
        let spaced = rest.trim_start_matches(is_joint);
        let joined = rest.len() - spaced.len() <= MOST_JOINTS && !number.is_empty();
        let next = if joined { spaced } else { rest };
        let c = next.chars().next();
        let written = match sign {
            Sign::Itself(itself) if !itself.is_alphanumeric() => {
                number.push(*itself);
                continue;
            }
            Sign::Itself(itself) => c.filter(|c| c.eq_ignore_ascii_case(itself)),
            Sign::Letter => c.filter(|c| c.is_ascii_alphabetic()),
            Sign::Digit => c.and_then(|c| if named { slip(c) } else { Some(c) }),
        };
        let written = written.filter(|c| *sign != Sign::Digit || c.is_ascii_digit())?;
        number.extend(written.to_uppercase());
        rest = &next[c.map_or(0, char::len_utf8)..];
    }
    let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    ends.then(|| (text.len() - rest.len(), number))
}

/// The digits of a format without the fixed signs before them.
fn digits_alone(format: &[Sign], text: &str) -> Option<(usize, String)> {
    let first = format.iter().position(|sign| *sign == Sign::Digit).filter(|at| *at > 0)?;
    let (fixed, digits) = format.split_at(first);
    let plain = digits.iter().all(|sign| *sign == Sign::Digit);
    let prefix: Option<String> = fixed
        .iter()
        .map(|sign| match sign {
            Sign::Itself(c) => Some(c.to_ascii_uppercase()),
            Sign::Digit | Sign::Letter => None,
        })
        .collect();
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = text[length..].chars().next();
    let ends = !behind.is_some_and(|c| c.is_alphanumeric() || c == '-');
    (plain && length == digits.len() && ends)
        .then(|| prefix.map(|prefix| (length, prefix + &text[..length])))
        .flatten()
}

/// People put at most so many bytes between two parts of a number.
const MOST_JOINTS: usize = 3;

fn is_joint(c: char) -> bool {
    matches!(c, ' ' | '-' | '_' | '.' | '/' | '#' | '\u{2010}'..='\u{2015}')
}

/// The digit that a letter was meant for.
fn slip(c: char) -> Option<char> {
    Some(match c {
        'o' | 'O' => '0',
        'i' | 'I' | 'l' | 'L' => '1',
        c => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_shop_has_its_format_as_a_whole() {
        let formats = NumberFormats::new(["FJ########", "405-#######-#######"]).unwrap();
        let text = "fj12345678 and 405-1234567-7890123";
        assert_eq!(formats.find(text), [0..10, 15..34]);
        assert!(formats.find("fj123456789, xfj12345678, 405-1234567-78901").is_empty());
    }

    #[test]
    fn a_number_is_read_as_people_type_it() {
        let formats = NumberFormats::new(["FJ-#####", "FJ############"]).unwrap();
        let read = |text: &str| -> Vec<String> {
            formats.read(text).into_iter().map(|typed| typed.number).collect()
        };
        for text in
            ["FJ-10234", "fj10234", "fj 10234!", "Fj – 10234", "#FJ_10234", "FJ-1O234", "(10234)"]
        {
            assert_eq!(read(text), ["FJ-10234"], "{text}");
        }
        assert_eq!(read("注文FJ-10234は"), ["FJ-10234"]);
        assert_eq!(read("fj10234 and FJ-10235"), ["FJ-10234", "FJ-10235"]);
        assert_eq!(read("FJ 1234 5678 9012"), ["FJ123456789012"]);
        assert!(read("fj1023, FJ-102345, 10234-5, 102345, xfj10234, 2026").is_empty());
        assert!(
            read("shopper 01a22c5e-2b45-74b4-827a-002562995942").is_empty(),
            "a part of a code"
        );
    }

    #[test]
    fn a_format_that_would_take_cards_is_refused() {
        assert_eq!(NumberFormats::new(["################"]), Err(BadNumberFormat::Card));
        assert_eq!(NumberFormats::new(["####-####-####-####"]), Err(BadNumberFormat::Card));
        assert_eq!(NumberFormats::new(["A-###"]), Err(BadNumberFormat::Short));
        assert!(NumberFormats::new(["30########", "#########"]).is_ok());
    }
}
