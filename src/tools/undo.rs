//! How a change is taken back: another call, with arguments of the change and of its result.

use std::time::Duration;

use serde_json::{Map, Value};

use super::request::{filled, plain};
use crate::config;

/// What a place is called that stands for a value of the result.
const RESULT: &str = "result.";

/// Of one tool.
#[derive(Clone, Debug)]
pub struct Undo {
    /// That takes the change back.
    pub tool: String,
    /// How long the shop does, after it was asked for the change.
    pub within: Duration,
    arguments: Value,
}

impl Undo {
    pub(super) fn new(declared: config::Undo) -> Self {
        let config::Undo { tool, within, arguments } = declared;
        let arguments = arguments.into_iter().map(|(name, text)| (name, Value::String(text)));
        Self { tool, within, arguments: Value::Object(arguments.collect()) }
    }

    /// Whether its arguments are also values of what the change did.
    pub fn needs_result(&self) -> bool {
        let texts = self.arguments.as_object().into_iter().flatten();
        texts.filter_map(|(_, text)| text.as_str()).any(|text| text.contains(RESULT))
    }

    /// The arguments of the call. What has no value is left out.
    pub fn filled(&self, change: &Map<String, Value>, result: &Value) -> Map<String, Value> {
        let mut known = change.clone();
        let did = result.as_object().into_iter().flatten();
        known.extend(did.map(|(name, value)| (format!("{RESULT}{name}"), value.clone())));
        let text = |name: &str| known.get(name).and_then(plain);
        match filled(&self.arguments, &known, &text) {
            Some(Value::Object(arguments)) => arguments,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_taken_back_with_its_arguments_and_its_result() {
        let texts = [("order", "{order_number}"), ("ids", "{result.ids}"), ("no", "{result.no}")];
        let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let within = Duration::from_secs(60);
        let declared = config::Undo { tool: "undo".into(), within, arguments: texts.into() };
        let undo = Undo::new(declared);
        assert!(undo.needs_result());
        let change = json!({"order_number": "FJ-1"});
        let filled = undo.filled(change.as_object().unwrap(), &json!({"ids": [7, 8]}));
        assert_eq!(Value::Object(filled), json!({"order": "FJ-1", "ids": [7, 8]}));
    }
}
