//! `[[sites.tools]]` and `sites.shop`: what a shop's tools are.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::schema::Parameters;
use crate::config::{
    secret::Secret,
    spans::{millis, seconds},
};

/// The argument that names the order of a tool of level `order`. Wrong guesses are counted by it.
pub(super) const ORDER: &str = "order_number";

/// The shop's own interface, which the built-in tools use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Base address, without a `/` at its end.
    pub url: String,
    /// Sent as a bearer token, if there is one.
    #[serde(default)]
    pub key: Secret,
    /// Built-in tools that need a one-time code.
    #[serde(default)]
    pub code_for: Vec<String>,
    /// Of the built-in tools that give money back.
    #[serde(default, deserialize_with = "if_above_something")]
    pub approval: Option<Approval>,
    /// How long the shop takes a cancellation back; zero if it does not.
    #[serde(default, rename = "reinstate_s", deserialize_with = "seconds")]
    pub reinstate: Duration,
}

/// When a change waits for a person of the shop after the shopper has confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// An amount, such as `100.00`. A change of more, of another currency, or of an amount that the
    /// shop does not say waits.
    pub above: String,
    pub currency: String,
}

/// How a change is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// A write of the same site. No model calls it.
    pub tool: String,
    /// How long, after the change was asked for.
    #[serde(rename = "within_s", deserialize_with = "seconds")]
    pub within: Duration,
    /// Its arguments, each a template. `{order_number}` is an argument of the change, and
    /// `{result.id}` a value of its result.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
}

/// What somebody must have shown to use a tool. A higher level may do what a lower one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    Nobody,
    /// The number of an order with the e-mail address or the postcode that it has.
    Order,
    /// Signed in, or identified by the shop.
    Customer,
    /// `Order` or `Customer`, and the one-time code that the shop has sent to the address on file.
    Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Read,
    /// Changes something; happens only after the shopper confirmed it.
    Write,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One tool. What is left out is what harms least.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tool {
    pub name: String,
    /// False takes a built-in tool away.
    pub enabled: bool,
    pub description: String,
    /// JSON schema of an object; empty for no arguments.
    pub parameters: Value,
    pub identity: Identity,
    pub effect: Effect,
    pub method: Method,
    /// A [`super::Template`]; places stand in its path.
    pub url: String,
    /// Each a template; left out if a place has no value.
    pub query: BTreeMap<String, String>,
    /// Strings in it are templates; one that is only a place takes the value as it is.
    pub body: Map<String, Value>,
    pub headers: BTreeMap<String, Secret>,
    /// Of a write: where the target says what became of the call with `{key}`.
    pub outcome_url: String,
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
    /// How long a result is kept for the person it belongs to.
    #[serde(rename = "cache_ms", deserialize_with = "millis")]
    pub cache: Duration,
    pub max_bytes: usize,
    /// Calls at the same time.
    pub max_calls: usize,
    /// How many results of the web a search returns; only `WebSearch` sets it.
    #[serde(skip)]
    pub web_results: Option<usize>,
    /// Of a write.
    #[serde(deserialize_with = "if_above_something")]
    pub approval: Option<Approval>,
    /// Of a write.
    #[serde(deserialize_with = "if_named")]
    pub undo: Option<Undo>,
}

/// An empty `tool` is none.
fn if_named<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Undo>, D::Error> {
    let undo = Option::<Undo>::deserialize(from)?;
    Ok(undo.filter(|undo| !undo.tool.is_empty()))
}

/// An empty `above` is none, as an empty `outcome_url` is.
fn if_above_something<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Approval>, D::Error> {
    let approval = Option::<Approval>::deserialize(from)?;
    Ok(approval.filter(|approval| !approval.above.is_empty()))
}

impl Tool {
    /// What says who asks: what was shown for the order that a call names, or the customer's id.
    pub fn shown_by(&self) -> Identity {
        match self.identity {
            Identity::Code if Parameters::of(&self.parameters).is_required(ORDER) => {
                Identity::Order
            }
            Identity::Code => Identity::Customer,
            other => other,
        }
    }
}

impl Default for Tool {
    fn default() -> Self {
        Self {
            name: String::new(),
            enabled: true,
            description: String::new(),
            parameters: Value::Object(Map::new()),
            identity: Identity::Customer,
            effect: Effect::Write,
            method: Method::Get,
            url: String::new(),
            query: BTreeMap::new(),
            body: Map::new(),
            headers: BTreeMap::new(),
            outcome_url: String::new(),
            timeout: Duration::from_secs(5),
            cache: Duration::ZERO,
            max_bytes: 65_536,
            max_calls: 16,
            web_results: None,
            approval: None,
            undo: None,
        }
    }
}
