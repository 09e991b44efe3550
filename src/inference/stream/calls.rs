//! Tool calls, assembled from streamed fragments.

use serde_json::{Map, Value};

use crate::inference::{chat::ToolCall, outcome::Outcome};

const MOST_CALLS: usize = 16;
const LONGEST_ARGUMENTS: usize = 256 << 10;

#[derive(Clone, Debug, Default, PartialEq)]
struct Draft {
    index: u32,
    id: String,
    name: String,
    pieces: String,
    whole: Option<Map<String, Value>>,
}

/// One piece of a call on the wire.
pub struct Fragment {
    /// The call it belongs to; `None` opens a new one.
    pub index: Option<u32>,
    pub id: Option<String>,
    pub name: Option<String>,
    /// A piece of JSON text (OpenAI), or the whole object (Ollama).
    pub arguments: Option<Value>,
}

/// The calls of one answer while they stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    drafts: Vec<Draft>,
}

impl Calls {
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    pub fn push(&mut self, fragment: Fragment) -> Result<(), Outcome> {
        let draft = self.draft(fragment.index)?;
        if let Some(id) = fragment.id.filter(|_| draft.id.is_empty()) {
            draft.id = id;
        }
        if let Some(name) = fragment.name.filter(|_| draft.name.is_empty()) {
            draft.name = name;
        }
        match fragment.arguments {
            None | Some(Value::Null) => {}
            Some(Value::String(piece)) => {
                if draft.pieces.len() + piece.len() > LONGEST_ARGUMENTS {
                    return Err(Outcome::BrokenToolCall);
                }
                draft.pieces.push_str(&piece);
            }
            Some(Value::Object(whole)) => draft.whole = Some(whole),
            Some(_) => return Err(Outcome::BrokenToolCall),
        }
        Ok(())
    }

    fn draft(&mut self, index: Option<u32>) -> Result<&mut Draft, Outcome> {
        let known = index.and_then(|index| self.drafts.iter().position(|d| d.index == index));
        let at = match known {
            Some(at) => at,
            None if self.drafts.len() == MOST_CALLS => return Err(Outcome::BrokenToolCall),
            None => {
                let next = self.drafts.iter().map(|draft| draft.index + 1).max().unwrap_or(0);
                let index = index.unwrap_or(next).min(u32::MAX - 1);
                self.drafts.push(Draft { index, ..Draft::default() });
                self.drafts.len() - 1
            }
        };
        self.drafts.get_mut(at).ok_or(Outcome::BrokenToolCall)
    }

    /// The finished calls. One broken call makes the answer fail, because half a plan is not a
    /// plan.
    pub fn finish(&mut self) -> Result<Vec<ToolCall>, Outcome> {
        std::mem::take(&mut self.drafts).into_iter().map(Draft::finish).collect()
    }
}

impl Draft {
    fn finish(self) -> Result<ToolCall, Outcome> {
        let arguments = match self.whole {
            Some(whole) if self.pieces.is_empty() => whole,
            Some(_) => return Err(Outcome::BrokenToolCall),
            None => serde_json::from_str(&self.pieces).map_err(|_| Outcome::BrokenToolCall)?,
        };
        if self.name.is_empty() {
            return Err(Outcome::BrokenToolCall);
        }
        // Ollama gives calls no id, but other servers need one in the answer to a call.
        let id = if self.id.is_empty() { format!("call_{}", self.index) } else { self.id };
        Ok(ToolCall { id, name: self.name, arguments })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fragment(index: u32, name: Option<&str>, arguments: Option<Value>) -> Fragment {
        Fragment { index: Some(index), id: None, name: name.map(Into::into), arguments }
    }

    #[test]
    fn interleaved_fragments_become_whole_calls() {
        let mut calls = Calls::default();
        calls.push(fragment(0, Some("order"), None)).unwrap();
        calls.push(fragment(0, None, Some(json!("{\"id\"")))).unwrap();
        calls.push(fragment(1, Some("hours"), Some(json!("{")))).unwrap();
        calls.push(fragment(0, None, Some(json!(":7}")))).unwrap();
        calls.push(fragment(1, None, Some(json!("}")))).unwrap();
        let calls = calls.finish().unwrap();
        assert_eq!((calls[0].name.as_str(), calls[0].id.as_str()), ("order", "call_0"));
        assert_eq!(calls[0].arguments["id"], 7);
        assert!(calls[1].arguments.is_empty());
    }

    #[test]
    fn missing_broken_or_foreign_arguments_are_never_a_call() {
        for arguments in
            [None, Some(json!("")), Some(json!("{\"id\":")), Some(json!("[1]")), Some(json!("7"))]
        {
            let mut calls = Calls::default();
            calls.push(fragment(0, Some("order"), arguments)).unwrap();
            assert_eq!(calls.finish(), Err(Outcome::BrokenToolCall));
        }
        assert!(Calls::default().push(fragment(0, Some("order"), Some(json!(7)))).is_err());
    }

    #[test]
    fn a_call_without_a_name_is_broken() {
        let mut calls = Calls::default();
        calls.push(fragment(0, None, Some(json!("{}")))).unwrap();
        assert_eq!(calls.finish(), Err(Outcome::BrokenToolCall));
    }

    #[test]
    fn calls_and_arguments_are_bounded() {
        let mut calls = Calls::default();
        let all =
            (0..=MOST_CALLS as u32).try_for_each(|i| calls.push(fragment(i, Some("f"), None)));
        assert!(all.is_err());
        let long = "x".repeat(LONGEST_ARGUMENTS + 1);
        assert!(Calls::default().push(fragment(0, Some("f"), Some(json!(long)))).is_err());
        assert!(Calls::default().push(fragment(u32::MAX, Some("f"), None)).is_ok());
    }
}
