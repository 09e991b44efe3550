//! A request to a model, as plain types that belong to no protocol.

use std::fmt;

use serde_json::{Map, Value};

use super::tokens::estimate_tokens;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatRole {
    System,
    User,
    Assistant,
    /// What a tool answered to a call.
    Tool,
}

#[derive(Clone, PartialEq)]
pub struct ChatMessage {
    pub role: ChatRole,
    pub content: String,
    /// The tool calls that an assistant's message makes.
    pub tool_calls: Vec<ToolCall>,
    /// Which call the message of a tool answers.
    pub answers: Option<CallRef>,
}

/// Names a call in a conversation: OpenAI's protocol uses the id, Ollama's the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRef {
    pub id: String,
    pub tool: String,
}

impl ChatMessage {
    pub fn new(role: ChatRole, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), tool_calls: Vec::new(), answers: None }
    }

    /// The calls of an answer, with the text that came before them.
    pub fn calls(content: impl Into<String>, tool_calls: Vec<ToolCall>) -> Self {
        Self { tool_calls, ..Self::new(ChatRole::Assistant, content) }
    }

    /// What a tool answered to `call`.
    pub fn result(call: &ToolCall, content: impl Into<String>) -> Self {
        let answers = CallRef { id: call.id.clone(), tool: call.name.clone() };
        Self { answers: Some(answers), ..Self::new(ChatRole::Tool, content) }
    }
}

impl fmt::Debug for ChatMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}([{} chars]", self.role, self.content.chars().count())?;
        self.tool_calls.iter().try_for_each(|call| write!(f, ", {call:?}"))?;
        f.write_str(")")
    }
}

/// A call that the model asks for. It is well formed; whether it may run is decided elsewhere.
#[derive(Clone, PartialEq)]
pub struct ToolCall {
    /// The server's id for this call, or ours if it gave none (Ollama).
    pub id: String,
    pub name: String,
    pub arguments: Map<String, Value>,
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToolCall({}, [{} arguments])", self.name, self.arguments.len())
    }
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub name: String,
    /// What it does and when to call it, for the model.
    pub description: String,
    /// JSON schema of its arguments, an object.
    pub parameters: Value,
}

/// Whether the model may, must or must not call a tool. Ollama has no such choice: for a named
/// tool, only that tool is offered there, and [`ToolChoice::Required`] works like
/// [`ToolChoice::Auto`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    #[default]
    Auto,
    None,
    Required,
    Named(String),
}

/// A request to a model.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    pub messages: Vec<ChatMessage>,
    /// The tools on offer. Without tools, nothing about tools is sent: a vLLM refuses even an empty
    /// list unless it was started for tools.
    pub tools: Vec<Tool>,
    pub tool_choice: ToolChoice,
    pub max_tokens: u32,
    pub temperature: f32,
    /// `false` asks a model that thinks first to answer at once.
    pub reasoning: bool,
}

impl ChatRequest {
    /// The approximate number of tokens in the prompt.
    pub fn prompt_tokens(&self) -> usize {
        let messages = self.messages.iter().map(|message| estimate_tokens(&message.content));
        let tools = self.tools.iter().map(|tool| {
            estimate_tokens(&tool.description) + estimate_tokens(&tool.parameters.to_string())
        });
        messages.chain(tools).sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_prints_no_text() {
        let arguments = json!({"order": "secret"}).as_object().unwrap().clone();
        let call = ToolCall { id: "c".into(), name: "order".into(), arguments };
        let message = ChatMessage::calls("secret", vec![call]);
        assert_eq!(format!("{message:?}"), "Assistant([6 chars], ToolCall(order, [1 arguments]))");
    }

    #[test]
    fn tools_count_as_prompt() {
        let tool = Tool {
            name: "order".into(),
            description: "x".repeat(40),
            parameters: json!({"type": "object"}),
        };
        let request = |tools| ChatRequest {
            messages: vec![ChatMessage::new(ChatRole::User, "Hallo Welt, grüße")],
            tools,
            tool_choice: ToolChoice::Auto,
            max_tokens: 1,
            temperature: 0.0,
            reasoning: false,
        };
        assert_eq!(request(Vec::new()).prompt_tokens(), 5);
        assert!(request(vec![tool]).prompt_tokens() > 15);
    }
}
