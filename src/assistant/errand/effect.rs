//! What an action would change, in words.

use serde_json::{Map, Value};

use super::{
    render::{found, lists, money},
    text::fill,
    vocabulary::sentences,
};
use crate::{
    domain::{Field, Language},
    words::Errands,
};

/// The exact effect of an action, and its parts. `order` is the order as the shop knows it, or what
/// can be returned of it.
pub fn effect(
    tool: &str,
    arguments: &Map<String, Value>,
    order: Option<&Value>,
    language: Language,
) -> (String, Vec<Field>) {
    let said: &Errands = sentences(language);
    let argument = |name: &str| found::typed(arguments.get(name));
    let number = argument("order_number");
    let mut fields = Vec::new();
    let mut field = |label: Option<&str>, value: &Option<String>| {
        if let Some(value) = value {
            fields.push(Field::new(label.unwrap_or_default(), value));
        }
    };
    field(said.order, &number);
    let text = match tool {
        "cancel_order" | "reinstate_order" => {
            let takes_back = tool == "reinstate_order";
            let items = order.and_then(|order| lists::items(order, language));
            let total = order.and_then(|order| money::of(order.get("total"), language));
            field(said.items, &items);
            field(if takes_back { said.total } else { said.refund }, &total);
            fill(
                if takes_back { said.reinstates } else { said.cancels },
                &[
                    ("number", number.as_deref()),
                    ("items", items.as_deref()),
                    ("total", total.as_deref()),
                ],
            )
        }
        "change_address" => {
            let address = argument("address");
            field(said.new_address, &address);
            fill(
                said.changes_address,
                &[("number", number.as_deref()), ("address", address.as_deref())],
            )
        }
        "start_return" => {
            let skus = found::strings(arguments.get("skus"));
            let quantity = arguments.get("quantity").and_then(Value::as_u64);
            let named = order.map(|order| lists::named(order, &skus, quantity)).unwrap_or_default();
            let named = if named.is_empty() { skus } else { named };
            let items = Some(lists::join(&named, language)).filter(|items| !items.is_empty());
            field(said.items, &items);
            field(said.reason, &reason(arguments, said));
            fill(said.starts_return, &[("number", number.as_deref()), ("items", items.as_deref())])
        }
        _ => String::new(),
    };
    (text, fields)
}

/// Why something goes back, unless that was not said.
fn reason(arguments: &Map<String, Value>, said: &Errands) -> Option<String> {
    let reason = found::typed(arguments.get("reason"))?;
    let named = match reason.as_str() {
        "not_stated" => return None,
        "too_small" => said.too_small,
        "too_large" => said.too_large,
        "damaged" => said.damaged,
        "wrong_item" => said.wrong_item,
        "not_as_described" => said.not_as_described,
        "changed_mind" => said.changed_mind,
        _ => None,
    };
    Some(named.map_or_else(|| reason.replace('_', " "), str::to_owned))
}
