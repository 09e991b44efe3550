//! The tools that the model may call in one turn, and what they gave. What a tool returns is data
//! of a stranger: it is cut, masked and quoted before the model reads it.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    errands::{caller, restored},
    results::{self, Found},
};
use crate::{
    assistant::{errand::render, quote::result as quoted},
    config::{Effect, Identity},
    domain::{Language, SessionId},
    guard::{Vault, injection},
    inference::{Tool as Offered, ToolCall},
    tools::{CallError, Caller, Output, Prepared, Proof, Refused, Tool, Toolbox, Tools},
    turn::{
        ask::Ask,
        codes::{Codes, Wanting},
        ports::{Ports, Purpose},
    },
};

/// Calls of one step of the model; further ones are told to wait.
const MOST_AT_ONCE: usize = 4;
/// Longest result for the model.
const RESULT_BYTES: usize = 4_000;

/// A tool of the service itself.
const PERSON: &str = "talk_to_a_person";
const PERSON_DESCRIPTION: &str = "Tells the customer how to reach a person of the shop. Use it if the customer asks for a \
person, or if neither the passages nor another tool can help.";

/// The tools of a site, for one shopper.
pub struct Hands<'a> {
    tools: &'a Tools,
    codes: &'a Codes,
    session: SessionId,
    toolbox: Arc<Toolbox>,
    caller: Caller,
    /// Of the conversation, with what the tools returned.
    pub vault: Vault,
    deadline: Instant,
    today: Date,
    language: Language,
}

/// Why a call is not made.
enum Missing {
    /// What the model is told.
    Said(String),
    Code(Box<Wanting>),
}

/// What became of the calls of one step.
pub enum Handed {
    /// What the model is told, in the order of the calls.
    Results(Vec<String>),
    /// The model asks for a change. The shopper decides.
    Proposed(Box<Prepared>),
    /// The model asks for what needs a one-time code.
    Code(Box<Wanting>),
    /// The model asks for a person.
    Person,
}

impl<'a> Hands<'a> {
    /// `None` if the model may call no tools in this turn: the shop has none, or nobody waits.
    pub fn of(ports: &'a Ports, ask: &Ask, session: SessionId) -> Option<Self> {
        let toolbox = ports.tools.of(&ask.site);
        let offered = ask.purpose == Purpose::Conversation && !toolbox.is_empty();
        offered.then(|| {
            let vault = ask.said.told().vault.clone();
            let proof = proof(ask, &vault);
            let deadline = ask.begun + ports.turn.timeout;
            let caller = Caller { proof, ..caller(ask) };
            let (today, language) = (ask.day(), ask.language);
            let (tools, codes) = (&ports.tools, &ports.codes);
            Self { tools, codes, session, toolbox, caller, vault, deadline, today, language }
        })
    }

    /// For the model.
    pub fn offered(&self) -> Vec<Offered> {
        let offered = |tool: &Arc<Tool>| Offered {
            name: tool.name.clone(),
            description: tool.description.clone(),
            parameters: tool.parameters.clone(),
        };
        let person = Offered {
            name: PERSON.to_owned(),
            description: PERSON_DESCRIPTION.to_owned(),
            parameters: json!({"type": "object", "properties": {}, "additionalProperties": false}),
        };
        self.toolbox.offered().map(offered).chain([person]).collect()
    }

    /// Runs the calls side by side. What is found is added to `found`; the sources of the answer
    /// before it have the numbers below `first_number`.
    pub async fn run(
        &mut self,
        calls: &[ToolCall],
        first_number: usize,
        found: &mut Vec<Found>,
    ) -> Handed {
        if calls.iter().any(|call| call.name == PERSON) {
            return Handed::Person;
        }
        let mut prepared = Vec::with_capacity(calls.len());
        for call in calls.iter().take(MOST_AT_ONCE) {
            match self.prepare(call).await {
                Err(Missing::Code(wanting)) => return Handed::Code(wanting),
                Ok(change) if change.tool().effect == Effect::Write => {
                    return Handed::Proposed(Box::new(change));
                }
                Ok(read) => prepared.push(Ok(read)),
                Err(Missing::Said(why)) => prepared.push(Err(why)),
            }
        }
        let ran = join_all(prepared.into_iter().map(|one| self.call(one))).await;
        let mut told: Vec<String> = Vec::with_capacity(calls.len());
        for (output, call) in ran.into_iter().zip(calls) {
            told.push(match output {
                Ok(value) => {
                    let mut shown = Vec::new();
                    for result in self.results(call, &value) {
                        let number = first_number + found.len();
                        let title = result.title();
                        shown.push(format!("[{number}] {title}\n{}", quoted(&result.text)));
                        found.push(result);
                    }
                    match shown.is_empty() {
                        true => "nothing was found".to_owned(),
                        false => shown.join("\n\n"),
                    }
                }
                Err(why) => why,
            });
        }
        told.resize(calls.len(), "not run: too many calls at once, call it again alone".to_owned());
        Handed::Results(told)
    }

    /// What one call gave, harmless and masked. Each page of the web is a source of its own.
    fn results(&mut self, call: &ToolCall, value: &Value) -> Vec<Found> {
        let tool = self.toolbox.get(&call.name);
        if tool.is_some_and(|tool| tool.web_results.is_some()) {
            return results::passages(&call.name, value);
        }
        // What everybody may read is a store's phone, and no card.
        let is_personal = tool.is_none_or(|tool| tool.identity != Identity::Nobody);
        let words = harmless(&self.words(call, value));
        let text = match is_personal {
            // Line by line: a name does not go on in the next field.
            true => words.lines().map(|line| self.vault.mask(line)).collect::<Vec<_>>().join("\n"),
            false => words
                .lines()
                .map(|line| self.vault.mask_public(line))
                .collect::<Vec<_>>()
                .join("\n"),
        };
        vec![Found { tool: call.name.clone(), text, page: None }]
    }

    /// What was found, in the words of the service and field by field: small models repeat a sentence
    /// better than they make one, and an answer may say what either of them says.
    fn words(&self, call: &ToolCall, value: &Value) -> String {
        let said = render(&call.name, &call.arguments, value, self.today, self.language);
        let fields = results::readable(value, RESULT_BYTES);
        said.map_or_else(|| fields.clone(), |said| format!("{}\n{fields}", said.text))
    }

    async fn prepare(&self, call: &ToolCall) -> Result<Prepared, Missing> {
        let Some(tool) = self.toolbox.offered().find(|tool| tool.name == call.name) else {
            return Err(Missing::Said("there is no such tool".to_owned()));
        };
        let arguments = match tool.web_results {
            // Nobody's own words leave for the web.
            Some(_) => Value::Object(call.arguments.clone()),
            None => restored(&call.arguments, &self.vault, tool.identity),
        };
        let prepared = self.codes.prepare(self.session, tool, arguments.clone(), &self.caller);
        prepared.await.map_err(|refused| match refused {
            Refused::Schema(faults) => {
                let faults = faults.join("; ");
                Missing::Said(format!("not run, the arguments are wrong: {faults}"))
            }
            Refused::Identity(Identity::Code) => {
                let (tool, caller) = (Arc::clone(tool), self.caller.clone());
                Missing::Code(Box::new(Wanting { tool, arguments, caller }))
            }
            Refused::Identity(_) => Missing::Said(
                "not run: ask the customer for the order number together with the \
                 e-mail address or postcode of the order, or to sign in"
                    .to_owned(),
            ),
        })
    }

    async fn call(&self, prepared: Result<Prepared, String>) -> Result<Value, String> {
        let prepared = prepared?;
        let said = |text: &str| Err(text.to_owned());
        match self.tools.call(&prepared, None, self.deadline).await {
            Ok(Output::Found(value)) => Ok(value),
            Ok(Output::NotFound) => said(
                "nothing was found: number and e-mail address or postcode do not belong together, \
                 or do not exist",
            ),
            Ok(Output::Refused { .. }) => said("the shop refused it"),
            Err(CallError::Busy) => {
                said("the shop's system is busy, tell the customer to try later")
            }
            Err(_) => said("the shop's system does not answer, tell the customer to try later"),
        }
    }
}

/// The e-mail address that the shopper named last belongs to the order that is looked up, or the shop
/// says that there is no such order.
fn proof(ask: &Ask, vault: &Vault) -> Option<Proof> {
    let said = ask.said.history().iter().map(|exchange| exchange.user.as_str());
    let texts: Vec<&str> = said.chain([ask.said.text()]).collect();
    let last = texts.iter().rev().find_map(|text| {
        let at = text.rfind("[EMAIL_")?;
        let end = at + text[at..].find(']')?;
        text.get(at..=end)
    });
    last.and_then(|placeholder| vault.shown(placeholder)).map(|email| Proof::Email(email.into()))
}

/// Without lines that read like an instruction to an assistant.
fn harmless(text: &str) -> String {
    let lines = text.lines().filter(|line| injection::screen(line).attack.is_none());
    lines.collect::<Vec<_>>().join("\n")
}
