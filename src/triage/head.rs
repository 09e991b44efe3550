//! The trained head: a network with one hidden layer on the embedding of a message.
//! `scripts/train/train.py` fits it and writes `head.json`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::shares::Shares;
use crate::{
    domain::Topic,
    vector::{Layers, Network},
};

/// The topic of texts that do not say what they are about.
const UNKNOWN: &str = "unknown";

#[derive(Deserialize)]
struct File {
    embedder: String,
    topics: Vec<String>,
    temperature: f32,
    layers: Layers,
}

pub struct Head {
    embedder: String,
    network: Network,
    /// Of each output. `None` is the share of "the text does not say".
    topics: Vec<Option<Topic>>,
    temperature: f32,
}

/// The head that is compiled in. The tests read it, too, so that it is always there.
static HEAD: LazyLock<Option<Head>> = LazyLock::new(|| Head::parse(include_str!("head.json")));

/// The head, if it was fitted on vectors of this embedder.
pub fn of(embedder_id: &str) -> Option<&'static Head> {
    HEAD.as_ref().filter(|head| embedder_id.starts_with(&*head.embedder))
}

impl Head {
    fn parse(text: &str) -> Option<Self> {
        let file: File = serde_json::from_str(text).ok()?;
        let topics = file.topics.iter().map(|name| {
            let topic = Topic::ALL.into_iter().find(|topic| topic.label() == name);
            (topic.is_some() || name == UNKNOWN).then_some(topic)
        });
        let topics: Vec<Option<Topic>> = topics.collect::<Option<_>>()?;
        let network = Network::read(&file.layers, topics.len())?;
        let File { embedder, temperature, .. } = file;
        Some(Self { embedder, network, topics, temperature })
    }

    /// `None` if the vector has another length than those that the head was fitted on.
    pub fn shares(&self, vector: &[f32]) -> Option<Shares> {
        let mut outputs = self.network.outputs(vector)?;
        let greatest = outputs.iter().copied().fold(f32::MIN, f32::max);
        outputs
            .iter_mut()
            .for_each(|value| *value = ((*value - greatest) / self.temperature).exp());
        let sum: f32 = outputs.iter().sum();
        let mut shares = Shares::default();
        for (topic, output) in self.topics.iter().zip(outputs) {
            if let Some(topic) = topic {
                shares.add(*topic, output / sum);
            }
        }
        Some(shares)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    #[test]
    fn the_head_that_is_compiled_in_is_whole_and_knows_its_embedder() {
        let head = of("all-MiniLM-L6-v2-int8-f72e1fdc25a5").unwrap();
        assert!(of("multilingual-e5-small-int8").is_none());
        let shares = head.shares(&[0.05; 384]).unwrap();
        assert!(shares.sum() > 0.0 && shares.sum() <= 1.001);
        assert_eq!(head.shares(&[0.05; 383]), None);
        let topics: Vec<Topic> = head.topics.iter().copied().flatten().collect();
        assert_eq!(topics, Topic::ALL);
    }

    #[test]
    fn a_small_network_computes_what_its_file_says() {
        // Two inputs, two hidden, three outputs: weights in halves and quarters.
        let text = format!(
            r#"{{"embedder": "e", "topics": ["orders", "billing", "unknown"], "temperature": 2.0,
                "layers": [{{"weights": "{}", "scale": [0.5, 0.5], "bias": [0.0, -1.0]}},
                {{"weights": "{}", "scale": [1.0, 1.0, 1.0], "bias": [0.0, 0.0, 0.0]}}]}}"#,
            STANDARD.encode([2, 0, 0, 2]),
            STANDARD.encode([2, 0, 0, 2, 0, 0]),
        );
        let shares = Head::parse(&text).unwrap().shares(&[1.0, 0.5]).unwrap();
        // Hidden: relu(1.0), relu(0.5 - 1.0). Outputs over the temperature: 1, 0, 0.
        let expected = 1.0_f32.exp() / (1.0_f32.exp() + 2.0);
        assert!((shares.of(Topic::Orders) - expected).abs() < 1e-6);
        assert!((shares.sum() - (expected + 1.0 / (1.0_f32.exp() + 2.0))).abs() < 1e-6);
        for broken in [text.replace("orders", "order"), text.replace("[0.0, -1.0]", "[0.0]")] {
            assert!(Head::parse(&broken).is_none());
        }
    }
}
