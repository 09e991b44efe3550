//! `[brownout]`: when the service level changes, and what each level means.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::{millis, millis_of_each},
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brownout {
    /// Queue age at which the service rises to each of the levels 1 to 4.
    #[serde(rename = "climb_ms", deserialize_with = "millis_of_each")]
    pub climb: [Duration; 4],
    #[serde(rename = "dwell_ms", deserialize_with = "millis")]
    pub dwell: Duration,
    #[serde(rename = "calm_ms", deserialize_with = "millis")]
    pub calm: Duration,
    /// Longest predicted wait that a turn accepts at each of the levels 0 to 4.
    #[serde(rename = "longest_wait_ms", deserialize_with = "millis_of_each")]
    pub longest_wait: [Duration; 5],
    #[serde(rename = "room_ms", deserialize_with = "millis")]
    pub room: Duration,
    pub short_answer_tokens: u32,
    pub tickets: bool,
    pub tickets_at_once: usize,
}

impl Section for Brownout {
    fn check(&self, check: &mut Check<'_>) {
        check.require(
            "climb_ms",
            self.climb.is_sorted() && !self.climb[0].is_zero(),
            "must ascend from more than 0",
        );
        check.not_zero("short_answer_tokens", self.short_answer_tokens);
        check.not_zero("tickets_at_once", self.tickets_at_once);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::assert_faults;

    #[test]
    fn levels_are_climbed_to_one_after_the_other() {
        for climb in ["[1000, 500, 2000, 3000]", "[0, 500, 2000, 3000]", "[1000, 2000]"] {
            let file = format!("[brownout]\nclimb_ms = {climb}");
            assert_faults(&file, &[], &["brownout.climb_ms"]);
        }
    }
}
