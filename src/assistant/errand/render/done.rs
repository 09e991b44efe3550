//! What was done.

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{
    super::{text::fill, vocabulary::sentences},
    day, found, money,
};
use crate::{
    domain::{Card, Language},
    words::Errands,
};

type Answer = (String, Vec<Card>);

pub fn cancelled(
    arguments: &Map<String, Value>,
    result: &Value,
    language: Language,
) -> Option<Answer> {
    let said: &Errands = sentences(language);
    let number = found::typed(arguments.get("order_number"))?;
    let refund = money::of(result.get("refund"), language);
    let values = [("number", Some(number.as_str())), ("refund", refund.as_deref())];
    Some((fill(said.cancelled_now, &values), Vec::new()))
}

pub fn reinstated(arguments: &Map<String, Value>, language: Language) -> Option<Answer> {
    let said: &Errands = sentences(language);
    let number = found::typed(arguments.get("order_number"))?;
    Some((fill(said.reinstated, &[("number", Some(&number))]), Vec::new()))
}

pub fn address_changed(arguments: &Map<String, Value>, language: Language) -> Option<Answer> {
    let said: &Errands = sentences(language);
    let number = found::typed(arguments.get("order_number"))?;
    Some((fill(said.address_changed, &[("number", Some(&number))]), Vec::new()))
}

pub fn return_started(result: &Value, today: Date, language: Language) -> Option<Answer> {
    let said: &Errands = sentences(language);
    let number = found::text(result, "return_number");
    let until = day::text(result, "until", today, language);
    let values = [("return_number", number.as_deref()), ("until", until.as_deref())];
    let mut text = fill(said.return_started, &values);
    if let Some(label) = found::link(result, "label_url") {
        text = format!("{text} {}", fill(said.return_label, &[("url", Some(&label))]));
    }
    Some((text, Vec::new()))
}
