//! The HTTP requests of a tool: templates of its declaration, filled with arguments.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Map, Value};

use super::caller::{Caller, Proof};
use crate::{
    config::{self, Identity, Template},
    domain::ActionId,
};

const CUSTOMER_ID: HeaderName = HeaderName::from_static("x-customer-id");
const ORDER_EMAIL: HeaderName = HeaderName::from_static("x-order-email");
const ORDER_POSTCODE: HeaderName = HeaderName::from_static("x-order-postcode");

/// Everything but the unreserved characters (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Of one tool.
pub(super) struct Requests {
    pub method: Method,
    url: Template,
    query: Vec<(String, Template)>,
    body: Map<String, Value>,
    outcome: Template,
    /// Of every request, with the secrets of the target.
    pub headers: HeaderMap,
    /// Scheme, host and port.
    pub origin: String,
}

/// One request for a caller.
pub(super) struct Filled {
    pub url: Url,
    pub body: Option<Vec<u8>>,
    /// Who asks.
    pub who: HeaderMap,
}

impl Requests {
    /// # Errors
    /// What is wrong with a declaration that was not checked.
    pub(super) fn new(tool: &config::Tool) -> Result<Self, String> {
        let url = Template::parse(&tool.url)?;
        let any = url.filled(|_| Some("x".to_owned())).unwrap_or_default();
        let origin = Url::parse(&any).map_err(|error| error.to_string())?.origin();
        let query =
            tool.query.iter().map(|(name, text)| Ok((name.clone(), Template::parse(text)?)));
        let headers = tool.headers.iter().map(|(name, secret)| {
            let name = name.parse::<HeaderName>().map_err(|error| error.to_string())?;
            let value = HeaderValue::from_str(secret.expose()).map_err(|error| error.to_string());
            value.map(|mut value| {
                value.set_sensitive(true);
                (name, value)
            })
        });
        Ok(Self {
            method: Method::from_bytes(tool.method.as_str().as_bytes())
                .map_err(|error| error.to_string())?,
            url,
            query: query.collect::<Result<_, String>>()?,
            body: tool.body.clone(),
            outcome: Template::parse(&tool.outcome_url)?,
            headers: headers.collect::<Result<_, String>>()?,
            origin: origin.ascii_serialization(),
        })
    }

    /// The request for these arguments, which fit the schema.
    ///
    /// # Errors
    /// What cannot be sent, without its value.
    pub(super) fn fill(
        &self,
        arguments: &Map<String, Value>,
        identity: Identity,
        caller: &Caller,
    ) -> Result<Filled, String> {
        let text = |name: &str| named(name, arguments, caller);
        let mut url = address(&self.url, text)?;
        for (name, template) in &self.query {
            if let Some(value) = template.filled(text) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        let body = match self.method {
            Method::GET | Method::DELETE if self.body.is_empty() => None,
            _ => {
                let fields = Value::Object(self.body.clone());
                let body = filled(&fields, arguments, &text).unwrap_or_default();
                Some(body.to_string().into_bytes())
            }
        };
        Ok(Filled { url, body, who: who(identity, caller)? })
    }

    /// Where the target says what became of a write.
    ///
    /// # Errors
    /// As [`Requests::fill`]; never for a checked declaration.
    pub(super) fn outcome(&self, key: ActionId) -> Result<Url, String> {
        address(&self.outcome, |name| (name == "key").then(|| key.to_string()))
    }
}

/// What the place `name` of a declaration stands for: the id of the customer who asks, or an argument.
pub(super) fn named(name: &str, arguments: &Map<String, Value>, caller: &Caller) -> Option<String> {
    match name {
        "customer.id" => caller.customer.as_ref().map(|customer| customer.id.clone()),
        name => arguments.get(name).and_then(plain),
    }
}

/// A value in a text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An address whose path is what the declaration says: a value is one piece of it, and no value
/// leads elsewhere.
fn address(template: &Template, text: impl Fn(&str) -> Option<String>) -> Result<Url, String> {
    let encoded = |name: &str| {
        let value = text(name).filter(|value| !value.is_empty())?;
        Some(utf8_percent_encode(&value, ENCODED).to_string())
    };
    let filled = template.filled(encoded).ok_or("an argument of the address is empty")?;
    let url = Url::parse(&filled).map_err(|error| error.to_string())?;
    let path = filled.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    // The parser resolves `.` and `..`.
    match path.is_none_or(|path| path == url.path()) {
        true => Ok(url),
        false => Err("an argument of the address is no name".to_owned()),
    }
}

/// A body with its places filled. What has no value is left out.
pub(super) fn filled(
    value: &Value,
    arguments: &Map<String, Value>,
    text: &impl Fn(&str) -> Option<String>,
) -> Option<Value> {
    match value {
        Value::String(template) => {
            // Every string of a checked declaration is a template.
            let template = Template::parse(template).ok()?;
            let whole = template.whole().and_then(|name| arguments.get(name)).cloned();
            whole.or_else(|| template.filled(text).map(Value::String))
        }
        Value::Array(items) => {
            Some(items.iter().filter_map(|item| filled(item, arguments, text)).collect())
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields
                .filter_map(|(name, value)| Some((name.clone(), filled(value, arguments, text)?)));
            Some(Value::Object(fields.collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.clone()),
    }
}

/// The headers that say who asks. What was shown for an order goes before the customer's id: an
/// order may have been made without signing in.
pub(super) fn who(identity: Identity, caller: &Caller) -> Result<HeaderMap, String> {
    let header = |name: HeaderName, value: &str| {
        let mut value = HeaderValue::from_bytes(value.trim().as_bytes())
            .map_err(|_| format!("{name} has a character that cannot be sent"))?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(name, value)]))
    };
    match (identity, &caller.proof, &caller.customer) {
        (Identity::Order, Some(Proof::Email(email)), _) => header(ORDER_EMAIL, email),
        (Identity::Order, Some(Proof::Postcode(code)), _) => header(ORDER_POSTCODE, code),
        (Identity::Order | Identity::Customer, _, Some(customer)) => {
            header(CUSTOMER_ID, &customer.id)
        }
        _ => Ok(HeaderMap::new()),
    }
}
