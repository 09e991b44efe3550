//! Whether the answers of a model may begin inside a thought.

/// Where the first generated token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Answer,
    /// Perhaps inside a thought whose opening mark is part of the prompt.
    Uncertain,
}

impl Opening {
    /// What the name of a model says. DeepSeek-R1 and its variants, QwQ and models called
    /// "thinking" or "reasoning" open the thought in their templates.
    pub fn of_model(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let tells = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
            matches!(word, "r1" | "qwq") || word.starts_with("think") || word.starts_with("reason")
        });
        if tells { Self::Uncertain } else { Self::Answer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_tell() {
        for name in [
            "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
            "Qwen/QwQ-32B",
            "qwen3-thinking-2507",
            "r1:8b",
        ] {
            assert_eq!(Opening::of_model(name), Opening::Uncertain, "{name}");
        }
        for name in ["Qwen/Qwen2.5-7B-Instruct", "llama3.1:8b", "gpt-4o-mini"] {
            assert_eq!(Opening::of_model(name), Opening::Answer, "{name}");
        }
    }
}
