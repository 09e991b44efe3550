//! Greetings and thanks, which are answered without a search.

use std::sync::LazyLock;

use crate::words::{self, SmallTalk};

static SMALL_TALK: LazyLock<SmallTalk> = LazyLock::new(words::all);

/// The reply to a message that contains only a greeting or thanks.
pub fn reply(text: &str) -> Option<&'static str> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let said = words.join(" ");
    if SMALL_TALK.greetings.contains(said.as_str()) {
        return Some("Hello! What can I help you with?");
    }
    SMALL_TALK.thanks.contains(said.as_str()).then_some("You are welcome. Is there anything else?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_greeting_is_small_talk() {
        assert!(reply("Hello!").is_some());
        assert!(reply(" thank you very much :) ").is_some());
        for question in ["hello, where is my order", "thanks, and returns?", "", "hi 5"] {
            assert_eq!(reply(question), None, "{question}");
        }
    }
}
