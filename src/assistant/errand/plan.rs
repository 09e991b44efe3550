//! Decides what is done about a message: which tool is called, or what is asked for first.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Errand, Wanted},
    memory::{Meant, Memory, TRIES},
    text::fill,
    vocabulary::sentences,
    wish::Wish,
};
use crate::{
    assistant::sentences::name,
    domain::{Choice, Intent, Language, NumberFormats, Topic},
    words::Errands,
};

/// A message and what is known about it.
pub struct Heard<'a> {
    /// Without personal data: an address is `[EMAIL_1]`.
    pub text: &'a str,
    /// Messages and answers before it, the oldest first.
    pub earlier: &'a [(&'a str, Option<&'a str>)],
    pub intent: &'a Intent,
    pub language: Language,
    pub formats: &'a NumberFormats,
    pub signed_in: bool,
    /// Whether the site has this tool.
    pub has: &'a dyn Fn(&str) -> bool,
}

/// Turns that are read again.
const TURNS: usize = 12;
/// What is said of a reason that was not given.
const NO_REASON: &str = "not_stated";

/// `None` if the message is no errand.
pub fn plan(heard: &Heard<'_>) -> Option<Errand> {
    let mut memory = Memory::default();
    // What was about something else has its own answer, whatever its topic was.
    let earlier_intent = Intent { topic: Topic::General, confidence: 0.0, also: Vec::new() };
    let skipped = heard.earlier.len().saturating_sub(TURNS);
    for (text, answer) in &heard.earlier[skipped..] {
        memory.hear(text, &earlier_intent, heard.language, heard.formats);
        memory.answered(*answer);
    }
    let meant = memory.hear(heard.text, heard.intent, heard.language, heard.formats);
    if meant == Meant::Else {
        return None;
    }
    next(&memory, heard)
}

fn next(memory: &Memory, heard: &Heard<'_>) -> Option<Errand> {
    let has = |wish: Wish| (heard.has)(wish.tool());
    // What can go back is looked up first, and that answer asks for the items.
    let wish = match memory.wish? {
        Wish::Return if memory.skus.is_empty() => Wish::Check,
        wish => wish,
    };
    let said: &Errands = sentences(heard.language);
    if memory.tries >= TRIES {
        return Some(give_up(heard.language));
    }
    match wish {
        Wish::Parcel if has(wish) => {
            let tracking = memory.parcels.first().map(String::as_str);
            let text = fill(said.explain_tracking, &[("tracking", tracking)]);
            Some(ask(Wanted::Order, text))
        }
        Wish::Status if memory.orders.is_empty() && heard.signed_in && has(Wish::List) => {
            Some(call(Wish::List, Map::new()))
        }
        Wish::List if has(wish) && heard.signed_in => Some(call(wish, Map::new())),
        Wish::List => has(Wish::Status).then(|| for_order(memory, heard, Wish::Status)),
        Wish::Products if has(wish) => Some(products(memory, heard)),
        Wish::Stores if has(wish) => Some(match &memory.place {
            Some(place) => call(wish, object(&[("near", Some(place))])),
            None => ask(Wanted::Place, shown(said.ask_place)),
        }),
        wish if wish.is_about_order() && has(wish) => Some(for_order(memory, heard, wish)),
        _ => None,
    }
}

fn products(memory: &Memory, heard: &Heard<'_>) -> Errand {
    let product = &memory.product;
    if product.query.is_empty() {
        return ask(Wanted::Product, shown(sentences(heard.language).ask_product));
    }
    let mut arguments = object(&[("query", Some(&product.query)), ("size", product.size.as_ref())]);
    if let Some(price) = product.max_price.as_ref().and_then(|price| price.parse::<u32>().ok()) {
        arguments.insert("max_price".to_owned(), price.into());
    }
    call(Wish::Products, arguments)
}

/// Asks for what is missing, or does it.
fn for_order(memory: &Memory, heard: &Heard<'_>, wish: Wish) -> Errand {
    let said: &Errands = sentences(heard.language);
    let proven = heard.signed_in || memory.proof.is_some();
    match (memory.orders.is_empty(), proven) {
        (true, false) => return ask(Wanted::OrderAndProof, shown(said.ask_both)),
        (true, true) => return ask(Wanted::Order, shown(said.ask_order)),
        (false, false) => return ask(Wanted::Proof, shown(said.ask_proof)),
        (false, true) => {}
    }
    if wish == Wish::Address && memory.address.is_none() {
        return ask(Wanted::Address, shown(said.ask_address));
    }
    let calls = memory.orders.iter().map(|order| {
        let mut arguments = object(&[("order_number", Some(order))]);
        if wish == Wish::Address {
            arguments.insert("address".into(), json!(memory.address));
        }
        if wish == Wish::Return {
            arguments.insert("skus".into(), json!(memory.skus));
            arguments.insert("reason".into(), json!(memory.reason.unwrap_or(NO_REASON)));
        }
        let proof = if heard.signed_in { None } else { memory.proof.clone() };
        Call { tool: wish.tool(), arguments, proof }
    });
    Errand::Call(calls.collect())
}

fn give_up(language: Language) -> Errand {
    let text = shown(sentences(language).give_up);
    let choices = name(Topic::Human, language)
        .map(|label| Choice { label: label.to_owned(), text: label.to_owned() });
    Errand::Ask { wanted: Wanted::Person, text, choices: choices.into_iter().collect() }
}

fn ask(wanted: Wanted, text: String) -> Errand {
    Errand::Ask { wanted, text, choices: Vec::new() }
}

fn call(wish: Wish, arguments: Map<String, Value>) -> Errand {
    Errand::Call(vec![Call { tool: wish.tool(), arguments, proof: None }])
}

fn object(values: &[(&str, Option<&String>)]) -> Map<String, Value> {
    let given = values
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), json!(value.as_ref()?))));
    given.collect()
}

fn shown(text: Option<&'static str>) -> String {
    text.unwrap_or_default().to_owned()
}
