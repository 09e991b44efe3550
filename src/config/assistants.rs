//! `[[sites.assistants]]`: the assistants that a shop has in place of the built-in ones.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::Check;
use crate::domain::Topic;

const NAME_CHARS: usize = 64;
const INSTRUCTIONS_CHARS: usize = 4_000;
const TONE_CHARS: usize = 400;
const MOST: usize = 20;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    pub name: String,
    pub topics: Vec<Topic>,
    #[serde(default)]
    pub instructions: String,
    #[serde(default)]
    pub tone: String,
    #[serde(default)]
    pub knowledge_tags: Vec<String>,
    #[serde(default)]
    pub small_model: bool,
    #[serde(default)]
    pub temperature: Option<f32>,
    #[serde(default)]
    pub person_after: Option<usize>,
}

/// What is wrong with the assistants of one shop, each fault with the path of its field.
pub fn faults(assistants: &[Assistant]) -> Vec<String> {
    let mut faults = Vec::new();
    check(assistants, &mut Check::of("document", &mut faults));
    faults
}

/// The assistants of one shop.
pub(super) fn check(assistants: &[Assistant], check: &mut Check<'_>) {
    check.require(
        "assistants",
        assistants.len() <= MOST,
        format_args!("may have at most {MOST} items"),
    );
    check.each("assistants", assistants, Assistant::check);
    check.unique("assistants", "name", assistants, |assistant| &assistant.name);
    let topics: Vec<Topic> = assistants.iter().flat_map(|a| a.topics.iter().copied()).collect();
    for (at, topic) in topics.iter().enumerate() {
        let is_first = !topics[..at].contains(topic);
        check.require("assistants", is_first, format_args!("`{}` has two", topic.label()));
    }
}

impl Assistant {
    fn check(&self, check: &mut Check<'_>) {
        let within = |text: &str, most: usize| text.chars().count() <= most;
        check.require(
            "name",
            !self.name.trim().is_empty() && within(&self.name, NAME_CHARS),
            format_args!("must have 1 to {NAME_CHARS} characters"),
        );
        check.require("topics", !self.topics.is_empty(), "must have at least one topic");
        check.require(
            "instructions",
            within(&self.instructions, INSTRUCTIONS_CHARS),
            format_args!("may have at most {INSTRUCTIONS_CHARS} characters"),
        );
        check.require(
            "tone",
            within(&self.tone, TONE_CHARS),
            format_args!("may have at most {TONE_CHARS} characters"),
        );
        let usable = self.temperature.is_none_or(|value| (0.0..=2.0).contains(&value));
        check.require("temperature", usable, "must lie between 0 and 2");
    }
}
