//! `[limits]`: how many requests one visitor and one site may send.

use serde::Deserialize;

use super::check::{Check, Section};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub visitor_messages_per_hour: u32,
    pub visitor_burst: u32,
    pub site_messages_per_second: u32,
    pub site_burst: u32,
    pub site_logins_per_second: u32,
    pub max_keys: usize,
}

impl Section for Limits {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("visitor_messages_per_hour", self.visitor_messages_per_hour);
        check.not_zero("visitor_burst", self.visitor_burst);
        check.not_zero("site_messages_per_second", self.site_messages_per_second);
        check.not_zero("site_burst", self.site_burst);
        check.not_zero("site_logins_per_second", self.site_logins_per_second);
    }
}
