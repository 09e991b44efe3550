//! The body of Ollama's `POST /api/chat`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::openai::{WireTool, role, tool};
use crate::inference::chat::{ChatMessage, ChatRequest, ToolChoice};

#[derive(Serialize)]
pub struct Body<'a> {
    model: &'a str,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    stream: bool,
    options: Options,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<bool>,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
}

#[derive(Serialize)]
struct WireCall<'a> {
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: &'a Map<String, Value>,
}

/// Options that shape the loaded model must be the same on every call: a different `num_ctx` makes
/// Ollama load the model again.
#[derive(Serialize)]
struct Options {
    num_ctx: u32,
    num_predict: u32,
    temperature: f32,
}

/// `hush`: the model thinks first and is asked not to. This is not an option, so nothing is
/// reloaded.
pub fn body<'a>(
    chat: &'a ChatRequest,
    model: &'a str,
    context_tokens: u32,
    hush: bool,
) -> Body<'a> {
    let offered = chat.tools.iter().filter(|tool| match &chat.tool_choice {
        ToolChoice::Auto | ToolChoice::Required => true,
        ToolChoice::None => false,
        ToolChoice::Named(name) => tool.name == *name,
    });
    Body {
        model,
        messages: chat.messages.iter().map(message).collect(),
        tools: offered.map(tool).collect(),
        stream: true,
        options: Options {
            num_ctx: context_tokens,
            num_predict: chat.max_tokens,
            temperature: chat.temperature,
        },
        think: hush.then_some(false),
    }
}

fn message(message: &ChatMessage) -> WireMessage<'_> {
    let calls = message.tool_calls.iter().map(|call| WireCall {
        function: WireFunction { name: &call.name, arguments: &call.arguments },
    });
    WireMessage {
        role: role(message.role),
        content: &message.content,
        tool_calls: calls.collect(),
        tool_name: message.answers.as_ref().map(|call| call.tool.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::inference::chat::{Tool, ToolCall};

    #[test]
    fn calls_carry_objects_and_results_name_their_tool() {
        let arguments = json!({"id": 7}).as_object().unwrap().clone();
        let call = ToolCall { id: "call_0".into(), name: "order".into(), arguments };
        let tool = |name: &str| Tool {
            name: name.into(),
            description: "State".into(),
            parameters: json!({"type": "object"}),
        };
        let mut chat = ChatRequest {
            messages: vec![
                ChatMessage::calls("", vec![call.clone()]),
                ChatMessage::result(&call, "shipped"),
            ],
            tools: vec![tool("order"), tool("hours")],
            tool_choice: ToolChoice::Auto,
            max_tokens: 64,
            temperature: 0.0,
            reasoning: true,
        };
        let sent = |chat: &ChatRequest| serde_json::to_value(body(chat, "m", 4096, false)).unwrap();
        let expected = json!([
            {"role": "assistant", "content": "",
             "tool_calls": [{"function": {"name": "order", "arguments": {"id": 7}}}]},
            {"role": "tool", "content": "shipped", "tool_name": "order"},
        ]);
        assert_eq!(sent(&chat)["messages"], expected);
        let names = |body: Value| -> Vec<String> {
            let tools = body["tools"].as_array().cloned().unwrap_or_default();
            tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().into()).collect()
        };
        assert_eq!(names(sent(&chat)), ["order", "hours"]);
        chat.tool_choice = ToolChoice::Named("hours".into());
        assert_eq!(names(sent(&chat)), ["hours"]);
        chat.tool_choice = ToolChoice::None;
        assert!(sent(&chat).get("tools").is_none());
    }
}
