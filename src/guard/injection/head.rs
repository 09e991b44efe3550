//! The trained head: a network with one hidden layer on the embedding of a text.
//! `scripts/train/injection.py` fits it and writes `head.json`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::vector::{Layers, Network};

#[derive(Deserialize)]
struct File {
    embedder: String,
    alone: f32,
    with_a_rule: f32,
    layers: Layers,
}

pub struct Head {
    embedder: String,
    network: Network,
    alone: f32,
    with_a_rule: f32,
}

/// The head that is compiled in. The tests read it, too, so that it is always there.
static HEAD: LazyLock<Option<Head>> = LazyLock::new(|| Head::parse(include_str!("head.json")));

/// The head, if it was fitted on vectors of this embedder.
pub fn of(embedder_id: &str) -> Option<&'static Head> {
    HEAD.as_ref().filter(|head| embedder_id.starts_with(&*head.embedder))
}

impl Head {
    fn parse(text: &str) -> Option<Self> {
        let File { embedder, alone, with_a_rule, layers } = serde_json::from_str(text).ok()?;
        Some(Self { embedder, network: Network::read(&layers, 2)?, alone, with_a_rule })
    }

    /// The share of an attack, 0 to 1. `None` for a vector of another length.
    pub fn share(&self, vector: &[f32]) -> Option<f32> {
        match *self.network.outputs(vector)? {
            [benign, attack] => Some(1.0 / (1.0 + (benign - attack).exp())),
            _ => None,
        }
    }

    /// Whether a text is an attack, if nothing else is known of it.
    pub fn is_sure(&self, vector: &[f32]) -> bool {
        self.share(vector).is_some_and(|share| share >= self.alone)
    }

    /// Whether a text is an attack in which a rule saw a hint.
    pub fn agrees(&self, vector: &[f32]) -> bool {
        self.share(vector).is_some_and(|share| share >= self.with_a_rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_that_is_compiled_in_is_whole_and_knows_its_embedder() {
        let head = of("all-MiniLM-L6-v2-int8-f72e1fdc25a5").unwrap();
        assert!(of("multilingual-e5-small-int8").is_none());
        assert!(head.share(&[0.05; 384]).is_some_and(|share| (0.0..=1.0).contains(&share)));
        assert_eq!(head.share(&[0.05; 383]), None);
        assert!(head.with_a_rule < head.alone && head.alone < 1.0);
    }
}
