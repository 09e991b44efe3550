//! The `content` of a delta: a text, or a list of parts of which some are thoughts.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The content of a delta.
#[derive(Debug, Default, PartialEq)]
pub struct Content {
    /// `None` if it has no text at all; an empty text still counts as a token.
    pub text: Option<String>,
    /// Whether a part is a thought, or something else that is not for shoppers.
    pub has_thought: bool,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(Value::deserialize(deserializer)?))
    }
}

impl Content {
    fn of(value: Value) -> Self {
        let parts = match value {
            Value::String(text) => return Self { text: Some(text), has_thought: false },
            Value::Array(parts) => parts,
            Value::Object(_) => vec![value],
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        };
        let mut content = Self::default();
        for part in parts {
            match text_of(&part) {
                Some(text) => content.text.get_or_insert_default().push_str(text),
                None => content.has_thought = true,
            }
        }
        content
    }
}

/// The text of a text part. Magistral's thoughts are parts of type `thinking`; Gemini's are texts
/// with a flag.
fn text_of(part: &Value) -> Option<&str> {
    if let Value::String(text) = part {
        return Some(text);
    }
    let kind = part.get("type").map_or(Some("text"), Value::as_str);
    let is_thought = part.get("thought").is_some_and(|flag| *flag != Value::Bool(false));
    match kind {
        Some("text" | "output_text") if !is_thought => part.get("text")?.as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_parts_only_texts_are_text() {
        let thinking = json!({"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]});
        let flagged = json!({"type": "text", "text": "hm", "thought": true});
        let text = json!({"type": "text", "text": "Paris"});
        for (value, expected, has_thought) in [
            (json!("Paris"), Some("Paris"), false),
            (json!(""), Some(""), false),
            (Value::Null, None, false),
            (json!([]), None, false),
            (json!([thinking]), None, true),
            (json!([thinking, flagged, text, {"text": "."}, "!"]), Some("Paris.!"), true),
            (text, Some("Paris"), false),
            (json!([{"type": "image_url"}]), None, true),
        ] {
            let content = Content::of(value.clone());
            assert_eq!(content.text.as_deref(), expected, "{value}");
            assert_eq!(content.has_thought, has_thought, "{value}");
        }
    }
}
