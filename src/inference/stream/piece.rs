//! The output of a stream.

use crate::{
    domain::{FinishReason, Usage},
    inference::chat::ToolCall,
};

/// A piece of an answer. The order is: texts, calls, usage, and `Finished` at the very end.
#[derive(Clone, PartialEq)]
pub enum Piece {
    Text(String),
    ToolCall(ToolCall),
    Usage(Usage),
    /// The answer is complete.
    Finished(FinishReason),
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text([{} chars])", text.chars().count()),
            Self::ToolCall(call) => call.fmt(f),
            Self::Usage(usage) => usage.fmt(f),
            Self::Finished(reason) => write!(f, "Finished({reason:?})"),
        }
    }
}

/// One item of a stream: a piece, or a sign that the model works.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Piece(Piece),
    /// A token that is not for the shopper, or not yet. Keep-alives are not progress.
    Progress,
}
