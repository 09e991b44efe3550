//! Numbers and their units.

use super::{
    lexicon,
    root::{Root, hash},
};

/// A number in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// In hundredths. A time of the day is hours and minutes: 18:30 is 1830.
    pub(super) value: i64,
    /// 0 without one.
    pub(super) unit: Root,
}

/// What a time of the day is counted in.
const TIME: &str = "time";
const CURRENCIES: [&str; 4] = ["eur", "usd", "gbp", "chf"];

impl Number {
    pub(super) fn whole(value: u32) -> Self {
        Self { value: i64::from(value) * 100, unit: 0 }
    }

    /// With the currency that stands directly before it.
    pub(super) fn with_sign_before(self, before: &str) -> Self {
        let c = before.trim_end_matches([' ', '\u{a0}', '\u{202f}']).chars().next_back();
        match c.filter(|c| *c != '%').and_then(sign) {
            Some(name) => Self { unit: unit(name), ..self },
            None => self,
        }
    }

    /// Whether a source with the number `other` may be meant. A number without a unit fits any.
    pub(super) fn fits(self, other: Self) -> bool {
        self.value == other.value && (self.unit == other.unit || self.unit == 0)
    }
}

pub(super) fn unit(name: &str) -> Root {
    hash(name).max(1)
}

pub(super) fn is_currency(name: &str) -> bool {
    CURRENCIES.contains(&name)
}

fn sign(c: char) -> Option<&'static str> {
    Some(match c {
        '€' => "eur",
        '$' => "usd",
        '£' => "gbp",
        '%' => "percent",
        _ => return None,
    })
}

/// The unit that follows as a sign, or is attached.
pub(super) fn sign_after(text: &str) -> Option<Root> {
    let c = text.trim_start_matches([' ', '\u{a0}', '\u{202f}']).chars().next()?;
    sign(c).map(unit)
}

/// Reads digits with their separators, and letters that are attached as a unit: `4,90`, `3.000`,
/// `18:30`, `230g`. Everything else is a code.
pub(super) fn read(word: &str) -> Option<Number> {
    let digits = word.trim_end_matches(char::is_alphabetic);
    if !digits.starts_with(|c: char| c.is_ascii_digit())
        || digits.contains(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | ':'))
        || digits.len() > 15
    {
        return None;
    }
    let attached = word[digits.len()..].to_lowercase();
    let number = match digits.split_once(':') {
        Some((hours, minutes)) => {
            let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
            Number { value: hours * 100 + minutes, unit: unit(TIME) }
        }
        None => Number { value: value(digits)?, unit: 0 },
    };
    match attached.as_str() {
        "" => Some(number),
        "st" | "nd" | "rd" | "th" | "er" => Some(number),
        letters => {
            let name = lexicon::entry(letters).unit?;
            Some(in_unit(number, name))
        }
    }
}

/// `7 pm` is 19:00.
pub(super) fn in_unit(number: Number, name: &str) -> Number {
    let hour = number.value / 100 % 100;
    match name {
        "am" => Number { unit: unit(TIME), ..number },
        "pm" if number.unit == unit(TIME) || hour <= 12 => {
            let noon = if hour < 12 { 1200 } else { 0 };
            Number { value: number.value + noon, unit: unit(TIME) }
        }
        name => Number { unit: unit(name), ..number },
    }
}

/// In hundredths. A separator before three digits groups them, another one begins the fraction.
fn value(digits: &str) -> Option<i64> {
    let last = digits.rfind(['.', ',']);
    let (whole, fraction) = match last {
        Some(at) if digits.len() - at - 1 != 3 || digits.starts_with('0') => {
            (&digits[..at], &digits[at + 1..])
        }
        _ => (digits, ""),
    };
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let whole: i64 = whole.parse().ok()?;
    let mut hundredths = 0;
    for (digit, weight) in fraction.bytes().zip([10, 1]) {
        hundredths += i64::from(digit.checked_sub(b'0')?) * weight;
    }
    whole.checked_mul(100)?.checked_add(hundredths)
}
