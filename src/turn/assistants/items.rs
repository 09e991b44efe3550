//! Items of an order that the shopper calls otherwise than the shop does: its product search knows them.

use serde_json::{Value, json};

use crate::{
    assistant::errand::Call,
    tools::{Caller, Output},
    turn::{ask::Ask, ports::Ports},
};

/// Products among which the shopper's word for an item is looked for.
const PRODUCTS: usize = 10;

/// The return of the items that the shop knows by what the shopper calls them. `None` if they are not
/// among those of the order.
pub async fn picked(ports: &Ports, ask: &Ask, call: &Call, caller: &Caller) -> Option<Call> {
    let pick = call.pick.as_ref()?;
    let deadline = ask.begun + ports.turn.timeout;
    let toolbox = ports.tools.of(&ask.site);
    let tool = toolbox.get("product_search")?;
    let mut found = Vec::with_capacity(pick.queries.len());
    for query in &pick.queries {
        let prepared = tool.prepare(json!({ "query": query, "limit": PRODUCTS }), caller);
        let Ok(Output::Found(value)) = ports.tools.call(&prepared.ok()?, None, deadline).await
        else {
            return None;
        };
        let products = value.get("products").and_then(Value::as_array).into_iter().flatten();
        let skus = products.filter_map(|product| product.get("sku")?.as_str().map(str::to_owned));
        found.push(skus.collect());
    }
    let skus = pick.resolve(&found)?;
    let mut arguments = call.arguments.clone();
    arguments.insert("skus".to_owned(), json!(skus));
    Some(Call { arguments, pick: None, ..call.clone() })
}

/// The list of what can be returned, which asks for the items.
pub fn listed(call: &Call) -> Call {
    let mut arguments = call.arguments.clone();
    arguments.retain(|name, _| name == "order_number");
    Call { tool: "return_check", arguments, pick: None, named: None, ..call.clone() }
}
