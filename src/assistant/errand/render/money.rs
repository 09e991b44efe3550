//! Amounts in the manner of a language.

use serde_json::Value;

use super::super::vocabulary::sentences;
use crate::{domain::Language, words::Errands};

/// Digits before the decimal sign that are shown.
const LONGEST: usize = 12;

/// `{"amount": "129.90", "currency": "EUR"}`; `None` if it is not such a value.
pub fn of(value: Option<&Value>, language: Language) -> Option<String> {
    let value = value?;
    let amount = match value.get("amount")? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, cents) = amount.split_once('.').unwrap_or((&amount, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (minus, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    if whole.is_empty() || whole.len() > LONGEST || !digits(whole) || !digits(cents) {
        return None;
    }
    let currency = value.get("currency")?.as_str().filter(|code| is_code(code))?;
    let said: &Errands = sentences(language);
    let form = Form::of(said.money?)?;
    let mut text = minus.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        // Four digits are not parted where a space parts them.
        if at > 0 && left % 3 == 0 && (whole.len() > 4 || !form.group.is_whitespace()) {
            text.push(form.group);
        }
        text.push(digit);
    }
    if currency != "JPY" {
        text.push(form.decimal);
        text.extend(cents.chars().chain("00".chars()).take(cents.len().clamp(2, 3)));
    }
    let sign = sign(currency);
    let space = if sign.len() == 3 && sign.is_ascii() { "\u{a0}" } else { form.space };
    Some(if form.sign_first {
        format!("{sign}{space}{text}")
    } else {
        format!("{text}{space}{sign}")
    })
}

fn is_code(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

fn sign(currency: &str) -> &str {
    match currency {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "PLN" => "zł",
        code => code,
    }
}

/// How a language writes amounts, read from its example `€1,234.50`.
struct Form {
    sign_first: bool,
    space: &'static str,
    group: char,
    decimal: char,
}

impl Form {
    fn of(example: &str) -> Option<Self> {
        let number = example.trim_matches(|c: char| !c.is_ascii_digit());
        Some(Self {
            sign_first: example.starts_with('€'),
            space: if example.contains("€1") || example.contains("0€") { "" } else { "\u{a0}" },
            group: number.chars().nth(1).map(|c| if c == ' ' { '\u{a0}' } else { c })?,
            decimal: number.chars().rev().nth(2)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(amount: &str, currency: &str, language: Language) -> Option<String> {
        of(Some(&json!({ "amount": amount, "currency": currency })), language)
    }

    #[test]
    fn an_amount_is_written_as_its_language_does() {
        assert_eq!(shown("1234567.5", "EUR", Language::En).unwrap(), "€1,234,567.50");
        assert_eq!(shown("129", "CHF", Language::En).unwrap(), "CHF\u{a0}129.00");
        assert_eq!(shown("1500", "JPY", Language::En).unwrap(), "¥1,500");
        for wrong in ["", "abc", "1.2.3", "1e5", "-", "1234567890123"] {
            assert_eq!(shown(wrong, "EUR", Language::En), None, "{wrong}");
        }
        assert_eq!(shown("1.00", "<b>", Language::En), None);
    }
}
