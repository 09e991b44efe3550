//! `[turn]`: how long an answer may take, and how much it reads and writes.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::millis,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
    /// Zero if a message never joins the one before it.
    #[serde(rename = "gather_ms", deserialize_with = "millis")]
    pub gather: Duration,
    pub prompt_tokens: usize,
    pub history_tokens: usize,
    pub max_answer_tokens: u32,
    pub max_answer_bytes: usize,
    pub temperature: f32,
    pub passages: usize,
    pub answer_confidence: f32,
    pub tool_steps: usize,
}

impl Section for Turn {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("prompt_tokens", self.prompt_tokens);
        check.not_zero("max_answer_bytes", self.max_answer_bytes);
        check.not_zero("passages", self.passages);
        check.between_0_and_1("answer_confidence", self.answer_confidence);
    }
}
