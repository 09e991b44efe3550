//! A change that a tool would make, offered to the shopper in words. It is described from the order
//! as the shop knows it now.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::errands::{Why, failed, plain};
use crate::{
    assistant::{
        actions,
        errand::{self, Rendered, Reply as Said, render},
    },
    clock,
    config::{Approval, Identity},
    domain::{Amount, Answer, Card, Draft, Field, Proposal, Route},
    tools::{Caller, Output, Prepared},
    turn::{ask::Ask, kept::Kept, ports::Ports, reply::Reply},
};

/// The offer, and what is kept of it. If the shop already says that the change cannot be made, the
/// answer says so and nothing is offered.
pub async fn propose(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    change: &Prepared,
    why: &Why,
) -> (Answer, Option<Draft>) {
    let (tool, language) = (change.tool(), ask.language);
    let order = match order(ports, ask, change).await {
        Ok(order) => order,
        Err(said) => {
            let answer = reply.say(&said.text, Route::Tool, Vec::new());
            return (Answer { cards: said.cards, ..answer }, None);
        }
    };
    let change = match whole(change, order.as_ref()) {
        Some(change) => change,
        None => {
            let answer = reply.say(errand::refused("", language), Route::Tool, Vec::new());
            return (answer, None);
        }
    };
    let (effect, fields) = errand::effect(&tool.name, change.arguments(), order.as_ref(), language);
    let (effect, fields) = match effect.is_empty() {
        true => (tool.description.clone(), fields_of(&change)),
        false => (effect, fields),
    };
    let kept = Kept::of(&change);
    let now = clock::now();
    let valid_for = ports.actions.valid_for;
    let mut draft =
        Draft::new(&tool.name, kept.sealed(), (effect, fields), language, now, valid_for);
    draft.signed_in = tool.identity == Identity::Customer;
    let limit = tool.approval.as_ref();
    draft.approval = limit.is_some_and(|limit| is_above(limit, order.as_ref(), change.arguments()));
    let mut text = format!("{}\n\n{}", draft.proposal.effect, actions::ask(language));
    match why {
        Why::Asked(next) if next.is_empty() => {}
        Why::Asked(next) => text = format!("{text} {}", errand::comes_next(next, language)),
        Why::Undoes { of, until } => {
            let expires_at = draft.proposal.expires_at.min(*until);
            draft.proposal = Proposal { undoes: Some(*of), expires_at, ..draft.proposal };
        }
    }
    let answer = reply.say(&text, Route::Tool, Vec::new());
    let cards = vec![Card::Action(draft.proposal.clone())];
    (Answer { cards, ..answer }, Some(draft))
}

/// The order that the change is about, if the shop has a tool that reads it.
async fn order(ports: &Ports, ask: &Ask, change: &Prepared) -> Result<Option<Value>, Rendered> {
    let Some(number) = change.arguments().get("order_number") else { return Ok(None) };
    let reads = match change.tool().name.as_str() {
        "start_return" => "return_check",
        "cancel_order" | "change_address" | "reinstate_order" => "order_status",
        _ => return Ok(None),
    };
    let toolbox = ports.tools.of(&ask.site);
    let Some(tool) = toolbox.get(reads) else { return Ok(None) };
    let caller: &Caller = change.caller();
    let Ok(look_up) = tool.prepare(json!({ "order_number": number }), caller) else {
        return Ok(None);
    };
    let deadline: Instant = ask.begun + ports.turn.timeout;
    let language = ask.language;
    match ports.tools.call(&look_up, None, deadline).await {
        Ok(Output::Found(order)) => match refusal(&change.tool().name, &order) {
            Some("not_returnable") => {
                Err(render(reads, look_up.arguments(), &order, ask.day(), language)
                    .unwrap_or_else(|| plain(errand::refused("", language))))
            }
            Some(reason) => Err(plain(errand::refused(reason, language))),
            None => Ok(Some(order)),
        },
        Ok(Output::NotFound) => Err(plain(Said::NotFound.text(language))),
        Ok(Output::Refused { reason }) => Err(plain(errand::refused(&reason, language))),
        Err(error) => Err(plain(failed(error).text(language))),
    }
}

/// Whether a change is about more than `limit`: the total of its order, or its arguments `amount` and
/// `currency`. What nobody can compare is more.
fn is_above(limit: &Approval, order: Option<&Value>, arguments: &Map<String, Value>) -> bool {
    let total = order.and_then(|order| order.get("total"));
    let of = |name: &str| match total {
        Some(total) => total.get(name),
        None => arguments.get(name),
    };
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let amount = of("amount").and_then(plain).and_then(|text| Amount::parse(&text));
    let is_comparable = of("currency").and_then(Value::as_str) == Some(&limit.currency);
    match (amount, Amount::parse(&limit.above)) {
        (Some(amount), Some(above)) if is_comparable => amount > above,
        _ => true,
    }
}

/// Why the shop would refuse the change, as far as the order says so.
fn refusal(tool: &str, order: &Value) -> Option<&'static str> {
    let denies = |flag: &str| order.get(flag).and_then(Value::as_bool) == Some(false);
    let is_cancelled = order.get("status").and_then(Value::as_str) == Some("cancelled");
    match tool {
        "cancel_order" | "change_address" if is_cancelled => Some("already_cancelled"),
        "cancel_order" if denies("can_cancel") => Some("already_shipped"),
        "change_address" if denies("can_change_address") => Some("already_shipped"),
        "start_return" if denies("returnable") => Some("not_returnable"),
        _ => None,
    }
}

/// The change with each item that it is about: a return without items is one of all. `None` if it
/// names an item that the order does not have.
fn whole(change: &Prepared, order: Option<&Value>) -> Option<Prepared> {
    let mut arguments = change.arguments().clone();
    let items = order.and_then(|order| order.get("items")).and_then(Value::as_array);
    if let (Some(items), "start_return") = (items, change.tool().name.as_str()) {
        let known: Vec<&Value> = items.iter().filter_map(|item| item.get("sku")).collect();
        match arguments.get("skus").and_then(Value::as_array) {
            Some(named) if !named.iter().all(|sku| known.contains(&sku)) => return None,
            Some(_) => {}
            None => {
                let all = known.into_iter().cloned().collect();
                arguments.insert("skus".to_owned(), Value::Array(all));
            }
        }
    }
    change.tool().prepare(Value::Object(arguments), change.caller()).ok()
}

/// The arguments of a tool that the shop declared, as they are.
fn fields_of(change: &Prepared) -> Vec<Field> {
    let shown = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Field::new(name.replace('_', " "), value)
    };
    change.arguments().iter().map(shown).collect()
}
