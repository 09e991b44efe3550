//! What an admin writes for the assistants of a site: one version of it.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::{config, domain::Topic};

const MOST_EXAMPLES: usize = 200;
const EXAMPLE_CHARS: usize = 300;

/// Replaces `[[sites.assistants]]` and `topic_confidence` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// At most 20; topics that none of them has keep the built-in assistants.
    #[serde(default)]
    pub assistants: Vec<config::Assistant>,
    /// From this confidence on (0 to 1) the topic of a message is taken for certain; that of the
    /// configuration, if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "three_places")]
    pub topic_confidence: Option<f32>,
    /// Messages that belong to a topic, at most 200. They need the embedding model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ExampleText>,
}

/// A number as it was written: 0.85 has no exact value of 32 bits.
fn three_places<S: Serializer>(value: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    let rounded = value.map(|value| (f64::from(value) * 1000.0).round() / 1000.0);
    rounded.serialize(serializer)
}

/// A message that belongs to a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleText {
    pub topic: Topic,
    /// 1 to 300 characters.
    pub text: String,
}

impl Document {
    /// What is wrong with it, each fault with its field; empty if it can be used.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = config::assistant_faults(&self.assistants);
        if self.topic_confidence.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            faults.push("document.topic_confidence: must lie between 0 and 1".to_owned());
        }
        if self.examples.len() > MOST_EXAMPLES {
            faults.push(format!("document.examples: may have at most {MOST_EXAMPLES} items"));
        }
        for (index, example) in self.examples.iter().enumerate() {
            let chars = example.text.chars().count();
            if example.text.trim().is_empty() || chars > EXAMPLE_CHARS {
                faults.push(format!(
                    "document.examples[{index}].text: must have 1 to {EXAMPLE_CHARS} characters"
                ));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named() {
        let assistant = r#"{"name": "", "topics": ["returns"]}"#;
        let text = format!(
            r#"{{"assistants": [{assistant}, {assistant}], "topic_confidence": 1.5,
            "examples": [{{"topic": "returns", "text": " "}}]}}"#
        );
        let document: Document = serde_json::from_str(&text).unwrap();
        let faults = document.faults().join("\n");
        for fault in [
            "document.assistants[0].name: must have",
            "document.assistants: `returns` has two",
            "document.topic_confidence: must lie",
            "document.examples[0].text: must have",
        ] {
            assert!(faults.contains(fault), "{fault}: {faults}");
        }
        assert!(Document::default().faults().is_empty());
    }

    #[test]
    fn a_confidence_comes_back_as_it_was_written() {
        let document = Document { topic_confidence: Some(0.85), ..Document::default() };
        let written = serde_json::to_string(&document).unwrap();
        assert!(written.contains("\"topic_confidence\":0.85}"), "{written}");
    }
}
