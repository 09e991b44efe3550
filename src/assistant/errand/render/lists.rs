//! Lists in a sentence.

use serde_json::Value;

use super::{
    super::{text::fill, vocabulary::sentences},
    found,
};
use crate::{domain::Language, words::Errands};

/// "a, b and c"
pub fn join(values: &[String], language: Language) -> String {
    let said: &Errands = sentences(language);
    let mut joined = values.first().cloned().unwrap_or_default();
    for (at, value) in values.iter().enumerate().skip(1) {
        let template = if at + 1 == values.len() { said.and } else { said.comma };
        joined = fill(template, &[("a", Some(&joined)), ("b", Some(value))]);
    }
    joined
}

/// The items of an order: "2 × Vidde 2 (M) and Glo".
pub fn items(order: &Value, language: Language) -> Option<String> {
    let items: Vec<String> = found::list(order, "items")?.iter().filter_map(item).collect();
    Some(join(&items, language)).filter(|items| !items.is_empty())
}

pub fn item(item: &Value) -> Option<String> {
    let mut text = found::text(item, "name")?;
    if let Some(size) = found::text(item, "size") {
        text = format!("{text} ({size})");
    }
    match item.get("quantity").and_then(Value::as_u64) {
        Some(quantity) if quantity > 1 => Some(format!("{quantity} × {text}")),
        _ => Some(text),
    }
}

/// The names of the items with these SKUs. `quantity`: so many of each, if not all.
pub fn named(order: &Value, skus: &[String], quantity: Option<u64>) -> Vec<String> {
    let items = found::list(order, "items").unwrap_or_default();
    let chosen =
        items.iter().filter(|item| found::text(item, "sku").is_some_and(|sku| skus.contains(&sku)));
    let part = |chosen: &Value| {
        let mut chosen = chosen.clone();
        if let (Some(quantity), Some(fields)) = (quantity, chosen.as_object_mut()) {
            fields.insert("quantity".to_owned(), quantity.into());
        }
        item(&chosen)
    };
    chosen.filter_map(part).collect()
}
