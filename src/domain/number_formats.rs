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
    fn a_format_that_would_take_cards_is_refused() {
        assert_eq!(NumberFormats::new(["################"]), Err(BadNumberFormat::Card));
        assert_eq!(NumberFormats::new(["####-####-####-####"]), Err(BadNumberFormat::Card));
        assert_eq!(NumberFormats::new(["A-###"]), Err(BadNumberFormat::Short));
        assert!(NumberFormats::new(["30########", "#########"]).is_ok());
    }
}
