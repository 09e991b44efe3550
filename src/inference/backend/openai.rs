//! The body of `POST /v1/chat/completions`, and the one field in it that only vLLM reads.

use serde::Serialize;
use serde_json::{Value, json};

use crate::inference::chat::{ChatMessage, ChatRequest, ChatRole, Tool, ToolCall, ToolChoice};

#[derive(Serialize)]
pub struct Body<'a> {
    model: &'a str,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    max_tokens: u32,
    temperature: f32,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_template_kwargs: Option<TemplateSwitches>,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    /// `null` if there are calls: some templates would print an empty text.
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: &'a str,
    r#type: &'static str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    /// JSON in a string.
    arguments: String,
}

#[derive(Serialize)]
pub struct WireTool<'a> {
    r#type: &'static str,
    function: Declaration<'a>,
}

#[derive(Serialize)]
struct Declaration<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

/// What a vLLM passes on to the model's chat template.
#[derive(Serialize)]
struct TemplateSwitches {
    enable_thinking: bool,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// `hush`: the model thinks first and is asked not to.
pub fn body<'a>(chat: &'a ChatRequest, model: &'a str, hush: bool) -> Body<'a> {
    Body {
        model,
        messages: chat.messages.iter().map(message).collect(),
        tools: chat.tools.iter().map(tool).collect(),
        tool_choice: (!chat.tools.is_empty()).then(|| choice(&chat.tool_choice)),
        max_tokens: chat.max_tokens,
        temperature: chat.temperature,
        stream: true,
        stream_options: StreamOptions { include_usage: true },
        chat_template_kwargs: hush.then_some(TemplateSwitches { enable_thinking: false }),
    }
}

pub fn role(role: ChatRole) -> &'static str {
    match role {
        ChatRole::System => "system",
        ChatRole::User => "user",
        ChatRole::Assistant => "assistant",
        ChatRole::Tool => "tool",
    }
}

/// Ollama takes the same form.
pub fn tool(tool: &Tool) -> WireTool<'_> {
    let Tool { name, description, parameters } = tool;
    WireTool { r#type: "function", function: Declaration { name, description, parameters } }
}

fn message(message: &ChatMessage) -> WireMessage<'_> {
    let has_content = message.tool_calls.is_empty() || !message.content.is_empty();
    WireMessage {
        role: role(message.role),
        content: has_content.then_some(&message.content),
        tool_calls: message.tool_calls.iter().map(call).collect(),
        tool_call_id: message.answers.as_ref().map(|call| call.id.as_str()),
    }
}

fn call(call: &ToolCall) -> WireCall<'_> {
    // Keys are strings and numbers are finite, so this cannot fail.
    let arguments = serde_json::to_string(&call.arguments).unwrap_or_default();
    let function = WireFunction { name: &call.name, arguments };
    WireCall { id: &call.id, r#type: "function", function }
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(messages: Vec<ChatMessage>, tools: Vec<Tool>) -> ChatRequest {
        ChatRequest {
            messages,
            tools,
            tool_choice: ToolChoice::Auto,
            max_tokens: 64,
            temperature: 0.0,
            reasoning: true,
        }
    }

    #[test]
    fn without_tools_nothing_is_said_of_them() {
        let chat = chat(vec![ChatMessage::new(ChatRole::User, "Hi")], Vec::new());
        let body = serde_json::to_value(body(&chat, "m", false)).unwrap();
        let expected = json!({
            "model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 64,
            "temperature": 0.0, "stream": true, "stream_options": {"include_usage": true},
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn tools_calls_and_results_have_openais_form() {
        let arguments = json!({"id": 7}).as_object().unwrap().clone();
        let call = ToolCall { id: "c1".into(), name: "order".into(), arguments };
        let messages =
            vec![ChatMessage::calls("", vec![call.clone()]), ChatMessage::result(&call, "shipped")];
        let parameters = json!({"type": "object"});
        let tool = Tool { name: "order".into(), description: "State".into(), parameters };
        let mut chat = chat(messages, vec![tool]);
        let body = serde_json::to_value(super::body(&chat, "m", false)).unwrap();
        let expected = json!([
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "order", "arguments": "{\"id\":7}"}}]},
            {"role": "tool", "content": "shipped", "tool_call_id": "c1"},
        ]);
        assert_eq!(body["messages"], expected);
        let function =
            json!({"name": "order", "description": "State", "parameters": {"type": "object"}});
        assert_eq!(body["tools"], json!([{"type": "function", "function": function}]));
        assert_eq!(body["tool_choice"], "auto");
        chat.tool_choice = ToolChoice::Named("order".into());
        let body = serde_json::to_value(super::body(&chat, "m", false)).unwrap();
        assert_eq!(body["tool_choice"]["function"]["name"], "order");
    }
}
