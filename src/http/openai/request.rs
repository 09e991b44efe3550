//! The supported part of requests from OpenAI clients.
//!
//! Clients send their whole history each time with everything in it: pictures, sound, tool calls,
//! refusals. Unsupported parts are left out and never refused, because a client cannot take them
//! back. Only the question must exist: the last message must be from the user and have a text.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{domain::is_blank, turn::ports::Exchange};

/// The supported fields of OpenAI's request. Other fields are accepted and ignored, as in every
/// OpenAI-compatible server; the operator's configuration decides instead.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatCompletionRequest {
    #[serde(default)]
    pub model: Option<String>,
    pub messages: Vec<ChatCompletionMessage>,
    #[serde(default, deserialize_with = "or_default")]
    #[schema(value_type = Option<bool>)]
    pub stream: bool,
    #[serde(default, deserialize_with = "or_default")]
    #[schema(value_type = Option<StreamOptions>)]
    pub stream_options: StreamOptions,
    /// The shopper for whom a server of the shop asks. Several of them confirm a cached answer.
    #[serde(default, deserialize_with = "text_or_nothing")]
    #[schema(value_type = Option<String>)]
    pub user: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct StreamOptions {
    #[serde(default, deserialize_with = "or_default")]
    #[schema(value_type = Option<bool>)]
    pub include_usage: bool,
}

/// Many clients send `null` for fields that they leave out.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A name of another type is left out, like every part that is not understood.
fn text_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().filter(|name| !name.is_empty()).map(str::to_owned))
}

#[derive(ToSchema)]
pub struct ChatCompletionMessage {
    /// Messages of `user` and `assistant` are read; those of other roles are left out.
    #[schema(value_type = String)]
    role: ChatRole,
    /// Text, or a list of parts. Parts of type `text` are read; others are left out.
    #[schema(value_type = Option<Value>)]
    content: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChatRole {
    User,
    Assistant,
    /// Only the shop's own instructions apply, and a client's tools are not supported.
    LeftOut,
}

impl fmt::Debug for ChatCompletionMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}([{} chars])", self.role, self.content.chars().count())
    }
}

impl<'de> Deserialize<'de> for ChatCompletionMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let message = Value::deserialize(deserializer)?;
        let role = match message.get("role").and_then(Value::as_str) {
            Some("user") => ChatRole::User,
            Some("assistant") => ChatRole::Assistant,
            Some(_) | None => ChatRole::LeftOut,
        };
        Ok(Self { role, content: message.get("content").map(text).unwrap_or_default() })
    }
}

/// All text in a message's content, one line for each part.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(part).collect::<Vec<_>>().join("\n"),
        Value::Object(_) => part(content).unwrap_or_default().to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

fn part(part: &Value) -> Option<&str> {
    if let Value::String(text) = part {
        return Some(text);
    }
    match part.get("type").map(Value::as_str) {
        None | Some(Some("text" | "input_text" | "output_text")) => part.get("text")?.as_str(),
        Some(_) => None,
    }
}

/// The question in the last user message, and the messages before it.
///
/// # Errors
/// A sentence that tells the client what to send.
pub fn conversation(
    messages: Vec<ChatCompletionMessage>,
) -> Result<(String, Vec<Exchange>), &'static str> {
    let mut history: Vec<Exchange> = Vec::new();
    for ChatCompletionMessage { role, content } in messages {
        match role {
            ChatRole::User => history.push(Exchange { user: content, answer: None }),
            ChatRole::Assistant if !is_blank(&content) => {
                if let Some(exchange) = history.last_mut() {
                    exchange.answer = Some(content);
                }
            }
            ChatRole::Assistant | ChatRole::LeftOut => {}
        }
    }
    match history.pop() {
        Some(Exchange { answer: Some(_), .. }) | None => {
            Err("must end with a message of role `user`")
        }
        Some(Exchange { user, .. }) if is_blank(&user) => Err(
            "the last user message has no text: send it as a string or as a part of type `text`",
        ),
        Some(Exchange { user, .. }) => {
            // Drops a picture without text, together with its answer.
            history.retain(|exchange| !is_blank(&exchange.user));
            Ok((user, history))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Said = (String, Option<String>);

    fn read(messages: Value) -> Result<(String, Vec<Said>), &'static str> {
        let request: ChatCompletionRequest =
            serde_json::from_value(json!({ "messages": messages })).unwrap();
        let (question, history) = conversation(request.messages)?;
        Ok((question, history.into_iter().map(|e| (e.user, e.answer)).collect()))
    }

    #[test]
    fn what_is_not_understood_in_the_history_is_left_out() {
        let image = json!({"type": "image_url", "image_url": {"url": "https://x.example"}});
        let sound = json!({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}});
        let call =
            json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
        let read = read(json!([
            {"role": "system", "content": "You are a pirate."},
            {"role": "user", "name": "eva", "content": [{"type": "text", "text": "Is this a tent?"}, image]},
            {"role": "assistant", "content": null, "tool_calls": call},
            {"role": "tool", "tool_call_id": "c", "content": "yes"},
            {"role": "function", "name": "f", "content": "yes"},
            {"role": "assistant", "content": "Yes.", "refusal": null, "audio": null},
            {"role": "user", "content": [sound, image]},
            {"role": "assistant", "content": "A nice picture."},
            {"role": "user", "content": "And a boot?"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "wizard", "content": 7},
            "hi",
            null,
            {"content": "hi"},
            {"role": "user", "content": [image, {"type": "future"}, {"type": "text", "text": "How much?"}]},
        ]));
        let history = vec![
            ("Is this a tent?".to_owned(), Some("Yes.".to_owned())),
            ("And a boot?".to_owned(), None),
        ];
        assert_eq!(read, Ok(("How much?".to_owned(), history)));
    }

    #[test]
    fn a_question_whose_tools_ran_at_the_client_is_still_the_question() {
        let read = read(json!([
            {"role": "user", "content": "Where is it?"},
            {"role": "assistant", "tool_calls": []},
            {"role": "tool", "content": "shipped"},
        ]));
        assert_eq!(read, Ok(("Where is it?".to_owned(), Vec::new())));
    }

    #[test]
    fn a_conversation_without_a_question_is_told_what_is_missing() {
        for (messages, missing) in [
            (json!([]), "must end with"),
            (json!([{"role": "assistant", "content": "Hi"}]), "must end with"),
            (
                json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]),
                "must end with",
            ),
            (json!([{"role": "user"}]), "has no text"),
            (json!([{"role": "user", "content": [{"type": "image_url"}]}]), "has no text"),
        ] {
            let error = read(messages.clone()).unwrap_err();
            assert!(error.contains(missing), "{messages}: {error}");
        }
    }

    #[test]
    fn null_is_the_same_as_nothing() {
        let request = |rest: Value| {
            let mut request =
                json!({"model": null, "messages": [{"role": "user", "content": "a"}]});
            request.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            serde_json::from_value::<ChatCompletionRequest>(request).unwrap()
        };
        for rest in [
            json!({}),
            json!({"stream": null, "stream_options": null, "tools": null}),
            json!({"stream": false, "stream_options": {}}),
            json!({"stream_options": {"include_usage": null, "include_obfuscation": true}}),
        ] {
            let request = request(rest);
            assert!(!request.stream && !request.stream_options.include_usage);
        }
        let both = request(json!({"stream": true, "stream_options": {"include_usage": true}}));
        assert!(both.stream && both.stream_options.include_usage);
    }
}
