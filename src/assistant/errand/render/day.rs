//! Days in the manner of a language.

use jiff::civil::Date;
use serde_json::Value;

use super::super::{
    text::fill,
    vocabulary::{months, sentences},
};
use crate::{domain::Language, words::Errands};

/// The day at this key, an ISO date.
pub fn at(value: &Value, key: &str) -> Option<Date> {
    // A time may follow.
    value.get(key)?.as_str()?.get(..10)?.parse().ok()
}

/// "27 November", with the year if it is another one than today's.
pub fn words(day: Date, today: Date, language: Language) -> String {
    let said: &Errands = sentences(language);
    let number = day.day().to_string();
    let first = said.first_day.filter(|_| day.day() == 1);
    let month = usize::try_from(day.month() - 1).ok().and_then(|at| months(language).get(at));
    let year = day.year().to_string();
    let template = if day.year() == today.year() { said.date } else { said.date_with_year };
    let values = [
        ("day", Some(first.unwrap_or(&number))),
        ("month", month.copied()),
        ("year", Some(year.as_str())),
    ];
    fill(template, &values)
}

/// The day at this key, in words.
pub fn text(value: &Value, key: &str, today: Date, language: Language) -> Option<String> {
    at(value, key).map(|day| words(day, today, language))
}
