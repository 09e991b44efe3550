//! Decides what is done about a message: which tool is called, or what is asked for first.

use serde_json::{Map, Value, json};

use super::{
    address::{self, Parts},
    call::{Call, Errand, Named, Wanted},
    masks,
    memory::{Hearing, Meant, Memory, TRIES},
    render::lists,
    text::fill,
    vocabulary::{is_common, sentences},
    wish::Wish,
};
use crate::{
    assistant::{actions, sentences::name},
    domain::{ActionStatus, Choice, Intent, Language, NumberFormats, Topic},
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
    /// What a placeholder stands for. It is read only to tell common words from names, and to see
    /// what an address lacks; what goes on keeps its placeholders.
    pub value: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a whole message says yes or no.
    pub consent: &'a dyn Fn(&str) -> Option<bool>,
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
    let common = |value: &str| is_common(value, heard.language);
    let shown = |text: &str| masks::unmasked(text, heard.value, common);
    let parts = |text: &str| address::parts(&masks::unmasked(text, heard.value, |_| true));
    let hearing = |intent| Hearing {
        intent,
        language: heard.language,
        formats: heard.formats,
        consent: heard.consent,
        parts: &parts,
    };
    // What was about something else has its own answer, whatever its topic was.
    let earlier_intent = Intent { topic: Topic::General, confidence: 0.0, also: Vec::new() };
    let skipped = heard.earlier.len().saturating_sub(TURNS);
    for (text, answer) in &heard.earlier[skipped..] {
        memory.hear(&shown(text), &hearing(&earlier_intent));
        memory.answered(*answer);
    }
    let meant = memory.hear(&shown(heard.text), &hearing(heard.intent));
    if meant == Meant::Else {
        return None;
    }
    let errand = next(&memory, heard, parts)?;
    Some(match errand {
        Errand::Ask { wanted, text, .. } if memory.lost && wanted.is_known_to_the_shopper() => {
            other_ways(wanted, &text, heard.language)
        }
        errand => errand,
    })
}

fn next(memory: &Memory, heard: &Heard<'_>, parts: impl Fn(&str) -> Parts) -> Option<Errand> {
    if memory.declined {
        let text = actions::outcome(ActionStatus::Declined, heard.language);
        return Some(ask(Wanted::Nothing, text.to_owned()));
    }
    let has = |wish: Wish| (heard.has)(wish.tool());
    // What can go back is looked up first, and that answer asks for the items.
    let wish = match memory.wish? {
        Wish::Return if memory.skus.is_empty() && memory.pick.is_none() => Wish::Check,
        wish => wish,
    };
    let said: &Errands = sentences(heard.language);
    if memory.tries >= TRIES {
        return Some(give_up(heard.language));
    }
    match wish {
        Wish::Missing => Some(give_up(heard.language)),
        Wish::Cancel if memory.in_part && has(wish) => {
            Some(ask(Wanted::Whole, shown(said.only_whole)))
        }
        Wish::Parcel if has(wish) => {
            let tracking = memory.parcels.first().map(String::as_str);
            let text = fill(said.explain_tracking, &[("tracking", tracking)]);
            Some(ask(Wanted::Order, text))
        }
        Wish::Status if memory.orders.is_empty() && heard.signed_in && has(Wish::List) => {
            Some(call(Wish::List, Map::new()))
        }
        Wish::List if has(wish) && heard.signed_in => Some(call(wish, Map::new())),
        Wish::List => has(Wish::Status).then(|| for_order(memory, heard, Wish::Status, parts)),
        Wish::Products if has(wish) => Some(products(memory, heard)),
        Wish::Stores if has(wish) => Some(match &memory.place {
            Some(place) => call(wish, object(&[("near", Some(place))])),
            None if memory.any_place => call(wish, Map::new()),
            None => ask(Wanted::Place, shown(said.ask_place)),
        }),
        wish if wish.is_about_order() && has(wish) => Some(for_order(memory, heard, wish, parts)),
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
fn for_order(
    memory: &Memory,
    heard: &Heard<'_>,
    wish: Wish,
    parts: impl Fn(&str) -> Parts,
) -> Errand {
    let said: &Errands = sentences(heard.language);
    let proven = heard.signed_in || memory.proof.is_some();
    match (memory.orders.is_empty(), proven) {
        (true, false) => return ask(Wanted::OrderAndProof, shown(said.ask_both)),
        (true, true) => return ask(Wanted::Order, shown(said.ask_order)),
        (false, false) => return ask(Wanted::Proof, shown(said.ask_proof)),
        (false, true) => {}
    }
    if wish == Wish::Address {
        let has = memory.address.as_deref().map(parts).unwrap_or_default();
        if !has.is_some() {
            return ask(Wanted::Address, shown(said.ask_address));
        }
        if !has.is_whole() {
            return ask(Wanted::Address, rest_of(has, heard.language));
        }
    }
    let calls = memory.orders.iter().map(|order| {
        let mut arguments = object(&[("order_number", Some(order))]);
        if wish == Wish::Address {
            arguments.insert("address".into(), json!(memory.address));
        }
        if wish == Wish::Return {
            arguments.insert("skus".into(), json!(memory.skus));
            arguments.insert("reason".into(), json!(memory.reason.unwrap_or(NO_REASON)));
            if let Some(quantity) = memory.quantity {
                arguments.insert("quantity".into(), quantity.into());
            }
        }
        let proof = if heard.signed_in { None } else { memory.proof.clone() };
        let pick = memory.pick.clone().filter(|_| wish == Wish::Return);
        let named = memory.named.clone().filter(|_| memory.wish == Some(Wish::Return));
        let named = named.filter(|_| wish == Wish::Check && memory.orders.len() == 1);
        let reason = memory.reason.unwrap_or(NO_REASON);
        let named = named.map(|text| Named { text, reason });
        Call { tool: wish.tool(), arguments, proof, pick, sorry: memory.sorry, named }
    });
    Errand::Call(calls.collect())
}

fn give_up(language: Language) -> Errand {
    let text = shown(sentences(language).give_up);
    Errand::Ask { wanted: Wanted::Person, text, choices: person(language) }
}

/// The question, after what a shopper can do who cannot answer it.
fn other_ways(wanted: Wanted, question: &str, language: Language) -> Errand {
    let text = format!("{} {question}", shown(sentences(language).other_ways));
    Errand::Ask { wanted, text, choices: person(language) }
}

fn person(language: Language) -> Vec<Choice> {
    let choice = |label: &str| Choice { label: label.to_owned(), text: label.to_owned() };
    name(Topic::Human, language).map(choice).into_iter().collect()
}

/// Asks for what an address lacks.
fn rest_of(has: Parts, language: Language) -> String {
    let said: &Errands = sentences(language);
    let lacks =
        [(has.street, said.street), (has.postcode, said.the_postcode), (has.town, said.town)];
    let lacks: Vec<String> =
        lacks.into_iter().filter(|(has, _)| !has).map(|(_, name)| shown(name)).collect();
    let rest = lists::join(&lacks, language);
    format!("{} {}", shown(said.ask_rest), fill(said.rest, &[("rest", Some(&rest))]))
}

fn ask(wanted: Wanted, text: String) -> Errand {
    Errand::Ask { wanted, text, choices: Vec::new() }
}

fn call(wish: Wish, arguments: Map<String, Value>) -> Errand {
    let (proof, pick, named) = (None, None, None);
    Errand::Call(vec![Call { tool: wish.tool(), arguments, proof, pick, sorry: false, named }])
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
