//! Conversations from a JSONL file.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// One conversation; only the user's messages are sent.
#[derive(Clone, Debug)]
pub struct Conversation {
    pub id: String,
    pub messages: Vec<String>,
}

#[derive(Deserialize)]
struct Row {
    conv_id: String,
    turns: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    #[serde(default)]
    text: String,
}

/// The first `count` conversations of the file, repeated from its start if it has fewer.
///
/// # Errors
/// If the file cannot be read, a line is not a conversation, or one has no user message.
pub fn load(path: &Path, count: Option<usize>) -> anyhow::Result<Vec<Conversation>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let rows = parse(&text)?;
    ensure!(!rows.is_empty(), "{} holds no conversation", path.display());
    let count = count.unwrap_or(rows.len());
    Ok(rows.iter().cycle().take(count).cloned().collect())
}

fn parse(text: &str) -> anyhow::Result<Vec<Conversation>> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row: Row = serde_json::from_str(line)
            .with_context(|| format!("line {} is not a conversation", number + 1))?;
        let is_said = |said: &Said| said.role == "user" && !said.text.trim().is_empty();
        let messages: Vec<_> =
            row.turns.into_iter().filter(is_said).map(|said| said.text).collect();
        if !messages.is_empty() {
            rows.push(Conversation { id: row.conv_id, messages });
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_users_say_is_sent() {
        let rows = parse(concat!(
            r#"{"conv_id":"a","turns":[{"role":"user","text":"hi"},{"role":"agent","text":"yes?"},{"role":"user","text":"bye"}]}"#,
            "\n\n",
            r#"{"conv_id":"b","turns":[{"role":"agent","text":"hello?"}]}"#,
        ))
        .unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].messages, ["hi", "bye"]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = parse("{\"conv_id\":\"a\",\"turns\":[]}\n{oops\n").unwrap_err();
        assert!(error.to_string().contains("line 2"));
    }
}
