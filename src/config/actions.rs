//! `[actions]`: changes that shoppers confirm.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::{millis, seconds},
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actions {
    #[serde(rename = "valid_for_s", deserialize_with = "seconds")]
    pub valid_for: Duration,
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
    /// How long a confirmed change waits for a person.
    #[serde(rename = "approval_s", deserialize_with = "seconds")]
    pub approval: Duration,
    /// 0: no limit.
    pub per_shopper_a_day: u64,
    /// 0: no limit.
    pub per_site_a_day: u64,
    /// How long a one-time code counts that a shopper has typed.
    #[serde(rename = "code_holds_s", deserialize_with = "seconds")]
    pub code_holds: Duration,
}

impl Section for Actions {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("valid_for_s", self.valid_for.as_secs());
        check.not_zero("approval_s", self.approval.as_secs());
        check.not_zero("timeout_ms", self.timeout.as_millis());
    }
}
