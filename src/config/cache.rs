//! `[cache]`: answers that are shared between shoppers.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::seconds,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    pub enabled: bool,
    #[serde(rename = "ttl_s", deserialize_with = "seconds")]
    pub ttl: Duration,
    #[serde(rename = "stale_s", deserialize_with = "seconds")]
    pub stale: Duration,
    pub max_entries: usize,
    pub max_bytes: usize,
    pub threshold: f32,
    pub confirmations: usize,
    pub entries_per_visitor: usize,
}

impl Section for Cache {
    fn check(&self, check: &mut Check<'_>) {
        check.between_0_and_1("threshold", self.threshold);
        let possible = (1..=8).contains(&self.confirmations);
        check.require("confirmations", possible, "must lie between 1 and 8");
        check.not_zero("entries_per_visitor", self.entries_per_visitor);
    }
}
