//! What the result of a call means.

use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::{
    config::Identity,
    tools::answer::{Output, cut},
};

/// At most about `budget` bytes. An error of a tool for one order is that there is none: nobody can
/// tell a wrong order from somebody else's. What is no text and no value is left out.
pub fn output(result: CallToolResult, identity: Identity, budget: usize) -> Output {
    if result.is_error == Some(true) {
        return match identity {
            Identity::Order => Output::NotFound,
            Identity::Nobody | Identity::Customer | Identity::Code => {
                Output::Refused { reason: "refused".to_owned() }
            }
        };
    }
    let value = result.structured_content.filter(|value| !value.is_null()).unwrap_or_else(|| {
        let texts: Vec<&str> =
            result.content.iter().filter_map(|one| Some(one.as_text()?.text.as_str())).collect();
        let text = texts.join("\n");
        let read = serde_json::from_str(&text).ok();
        read.filter(|value| matches!(value, Value::Object(_) | Value::Array(_)))
            .unwrap_or_else(|| json!({ "text": text }))
    });
    Output::Found(cut(value, budget))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(result: &Value, identity: Identity) -> Output {
        output(serde_json::from_value(result.clone()).unwrap(), identity, 1_000)
    }

    #[test]
    fn a_result_is_its_value_or_its_text() {
        let text = |text: &str| json!({"content": [{"type": "text", "text": text}]});
        let found = |value: Value| Output::Found(value);
        let both =
            json!({"content": [{"type": "text", "text": "x"}], "structuredContent": {"a": 1}});
        assert_eq!(read(&both, Identity::Nobody), found(json!({"a": 1})));
        assert_eq!(read(&text("{\"a\": 1}"), Identity::Nobody), found(json!({"a": 1})));
        assert_eq!(
            read(&text("in Leipzig"), Identity::Nobody),
            found(json!({"text": "in Leipzig"}))
        );
        let image = json!({"content": [
            {"type": "image", "data": "AAAA", "mimeType": "image/png"}, {"type": "text", "text": "a"}
        ]});
        assert_eq!(read(&image, Identity::Nobody), found(json!({"text": "a"})));
        let Output::Found(long) = read(&text(&"x".repeat(9_000)), Identity::Nobody) else {
            panic!()
        };
        assert!(long.to_string().len() <= 1_010, "{}", long.to_string().len());
    }

    #[test]
    fn an_error_for_an_order_does_not_tell_whose_it_is() {
        let error = json!({"isError": true, "content": [{"type": "text", "text": "wrong e-mail"}]});
        assert_eq!(read(&error, Identity::Order), Output::NotFound);
        let refused = Output::Refused { reason: "refused".to_owned() };
        assert_eq!(read(&error, Identity::Customer), refused);
    }
}
