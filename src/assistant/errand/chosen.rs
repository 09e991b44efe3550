//! A return whose items were named before the shop has listed them.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Named},
    items::{self, Meant, items},
    render::{found, lists},
    said::Said,
};
use crate::domain::{Language, NumberFormats};

/// The return of what a message names, where `found` is what can go back. `None` if it names nothing
/// of that.
pub fn chosen(
    check: &Call,
    named: &Named,
    found: &Value,
    language: Language,
    formats: &NumberFormats,
) -> Option<Call> {
    if found.get("returnable").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let item = |item: &Value| Some((lists::item(item)?, found::text(item, "sku")?));
    let listed: Vec<(String, String)> =
        found::list(found, "items")?.iter().filter_map(item).collect();
    let said = Said::new(&named.text, language, formats, false);
    let (skus, pick) = match items(&said, &listed, false, false) {
        Meant::Skus(skus) => (skus, None),
        Meant::Pick(pick) => (Vec::new(), Some(pick)),
        Meant::Nothing => return None,
    };
    let mut arguments = Map::new();
    arguments.insert("order_number".to_owned(), check.arguments.get("order_number")?.clone());
    arguments.insert("reason".to_owned(), named.reason.into());
    if let Some(quantity) = items::quantity(&said, &listed, &skus) {
        arguments.insert("quantity".to_owned(), quantity.into());
    }
    arguments.insert("skus".to_owned(), json!(skus));
    Some(Call { tool: "start_return", arguments, pick, named: None, ..check.clone() })
}
