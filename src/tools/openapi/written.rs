//! A declaration, with what a person has to decide.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::operation::Operation;

pub(super) fn tool(operation: &Operation) -> String {
    let is_read = operation.method == "get";
    let mut text = String::from("[[sites.tools]]\n");
    // Writing to a string cannot fail.
    let mut line = |key: &str, value: &Value| {
        let _ = writeln!(text, "{key} = {}", inline(value));
    };
    line("name", &operation.name.as_str().into());
    line("description", &operation.description.as_str().into());
    line("effect", &if is_read { "read" } else { "write" }.into());
    line("method", &operation.method.to_uppercase().into());
    line("url", &operation.url.as_str().into());
    for (key, fields) in [("query", &operation.query), ("body", &operation.body)] {
        if !fields.is_empty() {
            let fields = fields.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
            line(key, &Value::Object(fields.collect()));
        }
    }
    let _ = writeln!(text, "# Who may use it: nobody, order or customer.\nidentity = \"customer\"");
    for parameter in &operation.left_out {
        let parameter: String = parameter.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(text, "# The {parameter} is no argument; `headers` may set it.");
    }
    if !is_read {
        text.push_str(
            "# Where the target says what became of a call with {key}.\noutcome_url = \"\"\n",
        );
    }
    let _ = writeln!(text, "[sites.tools.parameters]\ntype = \"object\"");
    if !operation.required.is_empty() {
        let required = Value::from(operation.required.clone());
        let _ = writeln!(text, "required = {}", inline(&required));
    }
    let _ = writeln!(text, "[sites.tools.parameters.properties]");
    for (name, schema) in &operation.properties {
        let _ = writeln!(text, "{name} = {}", inline(schema));
    }
    text
}

/// The same as a value, without the name.
pub(super) fn declaration(operation: &Operation) -> Value {
    let is_read = operation.method == "get";
    let mut declared = json!({
        "description": operation.description,
        "effect": if is_read { "read" } else { "write" },
        "identity": "customer",
        "method": operation.method.to_uppercase(),
        "url": operation.url,
        "parameters": {
            "type": "object",
            "required": operation.required,
            "properties": operation.properties,
        },
    });
    for (key, fields) in [("query", &operation.query), ("body", &operation.body)] {
        if !fields.is_empty() {
            let fields = fields.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
            declared[key] = Value::Object(fields.collect::<Map<_, _>>());
        }
    }
    declared
}

/// A value on one line. Numbers that TOML does not have cannot come from JSON, and there is no null.
fn inline(value: &Value) -> String {
    toml::Value::try_from(value).map_or_else(|_| "\"\"".to_owned(), |value| value.to_string())
}
