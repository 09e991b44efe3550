//! Schemas of a document as plain JSON schemas.

use serde_json::{Map, Value, json};

use super::error::OpenApiError;

const DEEPEST: usize = 12;
/// Values in one schema: a few that refer to each other many times would be millions.
const MOST: usize = 2_000;

/// What is no part of a JSON schema, or of no use for arguments.
const LEFT_OUT: [&str; 9] = [
    "deprecated",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "nullable",
    "readOnly",
    "writeOnly",
    "xml",
];

/// What `value` is or refers to.
pub(super) fn resolved<'a>(
    document: &'a Value,
    value: &'a Value,
) -> Result<&'a Value, OpenApiError> {
    let mut at = value;
    for _ in 0..DEEPEST {
        let Some(reference) = at["$ref"].as_str() else { return Ok(at) };
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        at = target.ok_or_else(|| OpenApiError::NoReference(reference.to_owned()))?;
    }
    Err(OpenApiError::NoReference(at["$ref"].to_string()))
}

/// A schema with everything in it that it refers to. `null` cannot be written as TOML and is left
/// out.
pub(in crate::tools) fn plain(
    document: &Value,
    schema: &Value,
    name: &str,
) -> Result<Value, OpenApiError> {
    let mut left = MOST;
    inlined(document, schema, name, DEEPEST, &mut left)
}

fn inlined(
    document: &Value,
    value: &Value,
    name: &str,
    deep: usize,
    left: &mut usize,
) -> Result<Value, OpenApiError> {
    let (Some(deep), Some(rest)) = (deep.checked_sub(1), left.checked_sub(1)) else {
        return Err(OpenApiError::Endless(name.to_owned()));
    };
    *left = rest;
    let value = resolved(document, value)?;
    match value {
        Value::Array(items) => {
            let items = items.iter().filter(|item| !item.is_null());
            items.map(|item| inlined(document, item, name, deep, left)).collect()
        }
        Value::Object(keys) => {
            let mut plain = Map::new();
            for (key, value) in keys {
                // The keys of `properties` are names of the shop.
                if let ("properties", Some(properties)) = (key.as_str(), value.as_object()) {
                    let properties = properties.iter().map(|(key, value)| {
                        Ok((key.clone(), inlined(document, value, name, deep, left)?))
                    });
                    let properties = properties.collect::<Result<_, OpenApiError>>()?;
                    plain.insert(key.clone(), Value::Object(properties));
                } else if !LEFT_OUT.contains(&key.as_str())
                    && !value.is_null()
                    && !key.starts_with("x-")
                {
                    plain.insert(key.clone(), inlined(document, value, name, deep, left)?);
                }
            }
            if keys.get("nullable") == Some(&Value::Bool(true))
                && let Some(kind) = plain.get("type").and_then(Value::as_str)
            {
                let kinds = json!([kind, "null"]);
                plain.insert("type".to_owned(), kinds);
            }
            bound(&mut plain, "minimum", "exclusiveMinimum");
            bound(&mut plain, "maximum", "exclusiveMaximum");
            Ok(Value::Object(plain))
        }
        plain => Ok(plain.clone()),
    }
}

/// In OpenAPI 3.0 `exclusiveMinimum` says of `minimum` that it is excluded; in JSON schema it is the
/// bound.
fn bound(schema: &mut Map<String, Value>, limit: &str, exclusive: &str) {
    let Some(Value::Bool(excludes)) = schema.get(exclusive) else { return };
    if *excludes && let Some(value) = schema.remove(limit) {
        schema.insert(exclusive.to_owned(), value);
    } else {
        schema.remove(exclusive);
    }
}
