//! `[handoff]`: conversations that people take over.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::millis,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handoff {
    #[serde(rename = "wait_ms", deserialize_with = "millis")]
    pub wait: Duration,
    #[serde(rename = "away_after_ms", deserialize_with = "millis")]
    pub away_after: Duration,
    #[serde(rename = "give_back_after_ms", deserialize_with = "millis")]
    pub give_back_after: Duration,
}

impl Section for Handoff {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("wait_ms", self.wait.as_millis());
        check.not_zero("away_after_ms", self.away_after.as_millis());
        let is_later = self.give_back_after >= self.away_after;
        check.require("give_back_after_ms", is_later, "must be at least away_after_ms");
    }
}
