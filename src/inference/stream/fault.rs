//! Errors that a server reports inside a stream that began with 200.

use serde_json::Value;

/// Whether the field `error` of a frame reports one.
pub fn is_fault(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) => true,
    }
}
