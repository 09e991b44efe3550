//! What clients see: the JSON of every answer, event and error. A change here is a change of the contract.
//!
//! After a wanted change run `cargo insta test --accept -p rushdesk --test it -- shapes::`, or edit the text.

mod endpoints;
mod errors;
mod events;

use std::{collections::BTreeSet, str::FromStr};

use rushdesk::http::docs::ApiDoc;
use serde_json::{Value, json};
use utoipa::OpenApi;

fn document() -> Value {
    serde_json::to_value(ApiDoc::openapi()).unwrap()
}

/// The values that the OpenAPI document allows for an enum of strings, or for the `type` of its variants.
fn words_of(schema: &str) -> BTreeSet<String> {
    fn collect(node: &Value, found: &mut BTreeSet<String>) {
        let words = node["enum"].as_array().into_iter().flatten();
        found.extend(words.map(|word| word.as_str().unwrap().to_owned()));
        for part in ["oneOf", "allOf"] {
            node[part].as_array().into_iter().flatten().for_each(|node| collect(node, found));
        }
        if node["properties"]["type"].is_object() {
            collect(&node["properties"]["type"], found);
        }
    }
    let mut found = BTreeSet::new();
    collect(&document()["components"]["schemas"][schema], &mut found);
    assert!(!found.is_empty(), "the OpenAPI document has no words for {schema}");
    found
}

/// What stands in the source between these two.
fn mentioned(source: &str, before: &str, after: &str) -> BTreeSet<String> {
    source
        .split(before)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(after)?.0.to_owned()))
        .collect()
}

/// Fields whose values differ between two runs, or with the demo shop's pages and how they are ranked.
const DIFFERENT: [&str; 16] = [
    "access_token",
    "confidence",
    "content_hash",
    "created",
    "document_id",
    "documents",
    "key",
    "knowledge_version",
    "link",
    "prefix",
    "quote",
    "refresh_token",
    "reset_token",
    "score",
    "tags",
    "token",
];

/// The value with placeholders where two runs differ.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            // The title of a document; that of a problem is part of the contract.
            let has_own_title = !fields.contains_key("code");
            let field = |(name, value): (&String, &Value)| match name.as_str() {
                "title" if has_own_title => (name.clone(), json!("[title]")),
                _ => (name.clone(), shape_of(name, value)),
            };
            Value::Object(fields.iter().map(field).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(shape).collect()),
        Value::String(text) if text.starts_with("agent:") => json!("agent:[id]"),
        Value::String(text) if uuid::Uuid::from_str(text).is_ok() => json!("[id]"),
        Value::String(text) if jiff::Timestamp::from_str(text).is_ok() => json!("[time]"),
        Value::String(text) if text.len() > 100 => json!("[long text]"),
        other => other.clone(),
    }
}

fn shape_of(name: &str, value: &Value) -> Value {
    let differs = name.ends_with("_ms") || DIFFERENT.contains(&name);
    match value {
        Value::String(_) | Value::Number(_) if differs => json!(format!("[{name}]")),
        Value::Array(items) if differs && !items.is_empty() => json!([format!("[{name}]")]),
        Value::String(id) if id.starts_with("chatcmpl-") => json!("chatcmpl-[id]"),
        other => shape(other),
    }
}
