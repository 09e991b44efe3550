//! `[inference]`: the queue for the models, and the backends behind it.

use std::time::Duration;

use serde::Deserialize;

use super::{
    address::is_http,
    check::{Check, Section},
    secret::Secret,
    spans::millis,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inference {
    pub max_queue: usize,
    pub max_queue_tokens: u64,
    pub max_queue_per_visitor: usize,
    pub max_queue_per_address: usize,
    #[serde(rename = "queue_timeout_ms", deserialize_with = "millis")]
    pub queue_timeout: Duration,
    #[serde(rename = "connect_timeout_ms", deserialize_with = "millis")]
    pub connect_timeout: Duration,
    #[serde(rename = "first_token_timeout_ms", deserialize_with = "millis")]
    pub first_token_timeout: Duration,
    #[serde(rename = "token_gap_timeout_ms", deserialize_with = "millis")]
    pub token_gap_timeout: Duration,
    #[serde(rename = "total_timeout_ms", deserialize_with = "millis")]
    pub total_timeout: Duration,
    pub attempts: u32,
    pub breaker_failures: u32,
    #[serde(rename = "breaker_min_ms", deserialize_with = "millis")]
    pub breaker_min: Duration,
    #[serde(rename = "breaker_max_ms", deserialize_with = "millis")]
    pub breaker_max: Duration,
    #[serde(rename = "health_interval_ms", deserialize_with = "millis")]
    pub health_interval: Duration,
    pub discover_ollama: bool,
    #[serde(rename = "load_interval_ms", deserialize_with = "millis")]
    pub load_interval: Duration,
    pub hedge_budget: f64,
    #[serde(rename = "hedge_min_ms", deserialize_with = "millis")]
    pub hedge_min: Duration,
    pub restarts: u32,
    #[serde(rename = "promote_after_ms", deserialize_with = "millis")]
    pub promote_after: Duration,
    pub lanes: Lanes,
    #[serde(default)]
    pub backends: Vec<Backend>,
}

/// Shares of the slots by lane, relative to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lanes {
    pub checkout: u32,
    pub order: u32,
    pub paid: u32,
    pub browse: u32,
    /// 0: served only while no other lane waits.
    pub background: u32,
}

/// The same as in the example.
impl Default for Lanes {
    fn default() -> Self {
        Self { checkout: 8, order: 4, paid: 4, browse: 3, background: 0 }
    }
}

/// The quality of a backend's model; turns request a tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    #[default]
    Full,
    /// Faster and simpler, for a rush.
    Small,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    Vllm,
    Ollama,
    Openai,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    pub name: String,
    pub kind: BackendKind,
    pub url: String,
    pub model: String,
    #[serde(default)]
    pub api_key: Secret,
    pub slots: usize,
    #[serde(default)]
    pub requests_per_second: u32,
    #[serde(default = "default_context_tokens")]
    pub context_tokens: u32,
    #[serde(default)]
    pub tier: Tier,
    #[serde(default)]
    pub thinks: bool,
    /// GPUs (or whole machines) behind its slots; 0: their time is not reported.
    #[serde(default)]
    pub gpus: f64,
    /// Price of one of them for an hour, in any currency; 0: not reported.
    #[serde(default)]
    pub gpu_hour_cost: f64,
}

const fn default_context_tokens() -> u32 {
    8192
}

impl Section for Inference {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("max_queue", self.max_queue);
        check.not_zero("attempts", self.attempts);
        check.not_zero("breaker_failures", self.breaker_failures);
        check.not_zero("load_interval_ms", self.load_interval);
        check.not_zero("promote_after_ms", self.promote_after);
        check.between_0_and_1("hedge_budget", self.hedge_budget);
        check.not_zero("lanes.checkout", self.lanes.checkout);
        check.not_zero("lanes.order", self.lanes.order);
        check.not_zero("lanes.paid", self.lanes.paid);
        check.not_zero("lanes.browse", self.lanes.browse);
        check.each("backends", &self.backends, Backend::check);
        check.unique("backends", "name", &self.backends, |backend| &backend.name);
    }
}

impl Backend {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("slots", self.slots);
        let is_label = (1..=40).contains(&self.name.len());
        check.require("name", is_label, "must have 1 to 40 characters");
        check.require("url", is_http(&self.url), "must be an http:// or https:// address");
        for (key, value) in [("gpus", self.gpus), ("gpu_hour_cost", self.gpu_hour_cost)] {
            check.require(key, value.is_finite() && value >= 0.0, "must be 0 or more");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::tests::{assert_faults, load};

    #[test]
    fn lanes_have_the_shares_of_the_example_and_can_be_set_one_by_one() {
        assert_eq!(load("", &[]).unwrap().inference.lanes, Lanes::default());
        let file = "[inference.lanes]\norder = 6\n";
        let config = load(file, &[("RUSHDESK__INFERENCE__LANES__PAID", "5")]).unwrap();
        assert_eq!(config.inference.lanes, Lanes { order: 6, paid: 5, ..Lanes::default() });
        assert_faults("[inference.lanes]\npaid = 0", &[], &["inference.lanes.paid"]);
    }

    #[test]
    fn every_fault_of_every_backend_is_reported() {
        let backend = "[[inference.backends]]\nname = \"a\"\nkind = \"vllm\"\nmodel = \"m\"\n";
        let file = format!(
            "{backend}url = \"ftp://a\"\nslots = 0\n{backend}url = \"http://a\"\nslots = 1\n\
             gpus = -1\ngpu_hour_cost = nan\n"
        );
        let keys = [
            "inference.backends[0].url",
            "inference.backends[0].slots",
            "inference.backends[1].name: `a` is used twice",
            "inference.backends[1].gpus",
            "inference.backends[1].gpu_hour_cost",
        ];
        assert_faults(&file, &[], &keys);
    }
}
