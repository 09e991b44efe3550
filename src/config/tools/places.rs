//! Places for arguments in a declaration.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    address,
    declaration::{Identity, Tool},
    schema::Parameters,
    template::Template,
};
use crate::config::check::Check;

pub(super) const CUSTOMER: &str = "customer.id";

/// Every place has an argument, and every argument a place.
pub(super) fn check(tool: &Tool, check: &mut Check<'_>) {
    let parameters = Parameters::of(&tool.parameters);
    let mut sent = BTreeSet::new();
    let url = address::template(&tool.url, "url", check);
    for name in url.iter().flat_map(Template::places) {
        sent.insert(name.to_owned());
        place(name, "url", tool, &parameters, check);
        let given =
            name == CUSTOMER || parameters.get(name).is_none() || parameters.is_required(name);
        check.require(
            "url",
            given,
            format_args!("`{name}` stands in the path and must be required"),
        );
    }
    for (key, text) in &tool.query {
        let key = format!("query.{key}");
        for name in text_places(text, &key, check) {
            place(&name, &key, tool, &parameters, check);
            sent.insert(name);
        }
    }
    for text in strings(&Value::Object(tool.body.clone())) {
        let is_whole = Template::parse(&text).is_ok_and(|template| template.whole().is_some());
        for name in text_places(&text, "body", check) {
            let known = parameters.get(&name).is_some();
            if !is_whole || !known {
                place(&name, "body", tool, &parameters, check);
            }
            sent.insert(name);
        }
    }
    // It may stand in an address that cannot be read.
    for name in parameters.names().filter(|name| url.is_some() && !sent.contains(*name)) {
        let what = format_args!("`{name}` is sent nowhere: put {{{name}}} into url, query or body");
        check.require("parameters", false, what);
    }
}

fn text_places(text: &str, key: &str, check: &mut Check<'_>) -> Vec<String> {
    match Template::parse(text) {
        Ok(template) => template.places().map(str::to_owned).collect(),
        Err(fault) => {
            check.require(key, false, fault);
            Vec::new()
        }
    }
}

/// A place in a text.
fn place(name: &str, key: &str, tool: &Tool, parameters: &Parameters<'_>, check: &mut Check<'_>) {
    if name == CUSTOMER {
        let known = tool.shown_by() == Identity::Customer;
        check.require(key, known, format_args!("{{{CUSTOMER}}} needs identity = \"customer\""));
        return;
    }
    let known = parameters.get(name).is_some();
    check.require(key, known, format_args!("`{name}` is not among the properties of `parameters`"));
    let fits = !known || parameters.is_scalar(name);
    let what = format_args!("`{name}` must be a string, an integer, a number or a boolean");
    check.require(key, fits, what);
}

/// All strings in a body.
pub(super) fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
