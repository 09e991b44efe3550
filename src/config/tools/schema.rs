//! The parameters of a tool: a JSON schema that leaves nothing open.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value, json};

use crate::config::check::Check;

/// In bytes; a model reads all of it in every prompt.
const LONGEST: usize = 16_384;
const MOST: usize = 32;
/// Of a compiled pattern in bytes: an admin's `(a{100}){100}` would hold up the service while it is
/// compiled.
const LARGEST_PATTERN: usize = 65_536;

/// What the arguments of a call are held to: the schema, with every object closed to names that it
/// does not have. Patterns take linear time, and no schema is fetched.
///
/// # Errors
/// What is wrong with the schema.
pub fn validator(parameters: &Value) -> Result<Validator, String> {
    let patterns = PatternOptions::regex().size_limit(LARGEST_PATTERN);
    let options = jsonschema::options().with_pattern_options(patterns);
    let options = options.should_validate_formats(true);
    options.offline().build(&closed(&complete(parameters))).map_err(|error| error.to_string())
}

/// An empty table is a schema without arguments.
pub(super) fn complete(parameters: &Value) -> Value {
    match parameters.as_object() {
        Some(keys) if keys.is_empty() => json!({"type": "object", "properties": {}}),
        _ => parameters.clone(),
    }
}

fn closed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(keys) = schema.as_object_mut() {
        if let Some(Value::Object(properties)) = keys.get_mut("properties") {
            properties.values_mut().for_each(|property| *property = closed(property));
            keys.entry("additionalProperties").or_insert(Value::Bool(false));
        }
        if let Some(items) = keys.get_mut("items") {
            *items = closed(items);
        }
    }
    schema
}

/// Whether an argument of this schema is one value that can stand in a text.
fn is_scalar(property: &Value) -> bool {
    matches!(property["type"].as_str(), Some("string" | "integer" | "number" | "boolean"))
}

/// The parameters, as far as the other checks of a tool need them.
pub(super) struct Parameters<'a> {
    properties: Option<&'a Map<String, Value>>,
    required: Vec<&'a str>,
}

impl<'a> Parameters<'a> {
    pub(super) fn of(schema: &'a Value) -> Self {
        let required = schema["required"].as_array().into_iter().flatten();
        Self {
            properties: schema["properties"].as_object(),
            required: required.filter_map(Value::as_str).collect(),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.properties.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.properties?.get(name)
    }

    pub(super) fn is_scalar(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_scalar)
    }

    pub(super) fn is_required(&self, name: &str) -> bool {
        self.required.contains(&name)
    }
}

/// What is wrong with a schema that did not come from the configuration.
pub fn faults(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, &mut Check::of("schema", &mut faults));
    faults
}

pub(super) fn check(schema: &Value, check: &mut Check<'_>) {
    const KEY: &str = "parameters";
    let schema = &complete(schema);
    let parameters = Parameters::of(schema);
    check.require(
        KEY,
        schema["type"] == "object" && schema["properties"].is_object(),
        "must be a schema of an object: { type = \"object\", properties = { … } }",
    );
    check.require(
        KEY,
        schema.to_string().len() <= LONGEST && parameters.names().count() <= MOST,
        format_args!("may have at most {MOST} properties and {LONGEST} bytes"),
    );
    for name in parameters.names() {
        let is_name = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let what = format_args!("`{name}` must consist of letters, digits, `_` and `-`");
        check.require(KEY, is_name, what);
    }
    for name in &parameters.required {
        let what = format_args!("`{name}` is required and not among the properties");
        check.require(KEY, parameters.get(name).is_some(), what);
    }
    if let Err(fault) = validator(schema) {
        check.require(KEY, false, fault);
    }
}
