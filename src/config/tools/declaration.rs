//! `[[sites.tools]]` and `sites.shop`: what a shop's tools are.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::{secret::Secret, spans::millis};

/// The shop's own interface, which the built-in tools use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Base address, without a `/` at its end.
    pub url: String,
    /// Sent as a bearer token, if there is one.
    #[serde(default)]
    pub key: Secret,
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
        }
    }
}
