//! `[limits]`: how many requests one visitor, one site and one block of addresses may send.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::seconds,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub visitor_messages_per_hour: u32,
    pub visitor_burst: u32,
    pub visitor_refreshes_per_hour: u32,
    pub visitor_sessions_per_hour: u32,
    pub visitor_reads_per_minute: u32,
    pub site_sessions_per_second: u32,
    pub site_reads_per_second: u32,
    pub site_messages_per_second: u32,
    pub site_burst: u32,
    pub site_visitors_per_second: u32,
    pub site_free_visitors_per_second: u32,
    pub site_logins_per_second: u32,
    pub site_refreshes_per_second: u32,
    pub address_messages_per_minute: u32,
    pub address_visitors_per_minute: u32,
    pub address_logins_per_minute: u32,
    pub address_refreshes_per_minute: u32,
    pub address_sessions_per_minute: u32,
    pub address_reads_per_minute: u32,
    pub ipv4_block: u8,
    pub ipv6_block: u8,
    pub account_guesses: u32,
    #[serde(rename = "account_longest_wait_s", deserialize_with = "seconds")]
    pub account_longest_wait: Duration,
    pub proof_bits: u8,
    pub max_keys: usize,
}

impl Section for Limits {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("visitor_messages_per_hour", self.visitor_messages_per_hour);
        check.not_zero("visitor_burst", self.visitor_burst);
        check.not_zero("visitor_refreshes_per_hour", self.visitor_refreshes_per_hour);
        check.not_zero("visitor_sessions_per_hour", self.visitor_sessions_per_hour);
        check.not_zero("visitor_reads_per_minute", self.visitor_reads_per_minute);
        check.not_zero("site_sessions_per_second", self.site_sessions_per_second);
        check.not_zero("site_reads_per_second", self.site_reads_per_second);
        check.not_zero("address_sessions_per_minute", self.address_sessions_per_minute);
        check.not_zero("address_reads_per_minute", self.address_reads_per_minute);
        check.not_zero("site_messages_per_second", self.site_messages_per_second);
        check.not_zero("site_burst", self.site_burst);
        check.not_zero("site_visitors_per_second", self.site_visitors_per_second);
        check.not_zero("site_free_visitors_per_second", self.site_free_visitors_per_second);
        check.not_zero("site_logins_per_second", self.site_logins_per_second);
        check.not_zero("site_refreshes_per_second", self.site_refreshes_per_second);
        check.not_zero("address_messages_per_minute", self.address_messages_per_minute);
        check.not_zero("address_visitors_per_minute", self.address_visitors_per_minute);
        check.not_zero("address_logins_per_minute", self.address_logins_per_minute);
        check.not_zero("address_refreshes_per_minute", self.address_refreshes_per_minute);
        let v4 = (8..=32).contains(&self.ipv4_block);
        check.require("ipv4_block", v4, "must lie between 8 and 32");
        let v6 = (16..=128).contains(&self.ipv6_block);
        check.require("ipv6_block", v6, "must lie between 16 and 128");
        check.not_zero("account_guesses", self.account_guesses);
        check.not_zero("account_longest_wait_s", self.account_longest_wait);
        // Each bit doubles the work; 28 bits take a browser minutes.
        let bits = (1..=28).contains(&self.proof_bits);
        check.require("proof_bits", bits, "must lie between 1 and 28");
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::assert_faults;

    #[test]
    fn a_limit_that_lets_nobody_in_or_everybody_is_refused() {
        let file = "[limits]\nsite_visitors_per_second = 0\nipv4_block = 33\nipv6_block = 0\n\
             account_guesses = 0\naccount_longest_wait_s = 0\nproof_bits = 60\n";
        let keys = [
            "limits.site_visitors_per_second",
            "limits.ipv4_block",
            "limits.ipv6_block",
            "limits.account_guesses",
            "limits.account_longest_wait_s",
            "limits.proof_bits",
        ];
        assert_faults(file, &[], &keys);
    }
}
