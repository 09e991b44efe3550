//! `[tools]`: what holds for the tools of all sites.

use std::net::IpAddr;

use reqwest::Url;
use serde::Deserialize;

use super::address;
use crate::{
    config::{
        check::{Check, Section},
        network::Network,
    },
    domain::is_public,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// Networks that are not public and that tools may reach.
    pub allowed_networks: Vec<Network>,
    /// Base address of the shop of the demo site; empty: it has none.
    pub demo_shop_url: String,
    /// Calls of one site to one target at the same time.
    pub calls_per_target: usize,
    /// Failures in a row that open the breaker of a target.
    pub breaker_failures: u32,
    /// Longest result that a turn gets.
    pub result_bytes: usize,
}

impl Tools {
    /// False for an address whose host is a number that tools may not call. A name is looked up
    /// with each call.
    pub fn allows(&self, address: &str) -> bool {
        // Places stand behind the host.
        let before_places = address.split('{').next().unwrap_or_default();
        let Ok(url) = Url::parse(before_places) else { return true };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).parse::<IpAddr>();
        let known = |ip| self.allowed_networks.iter().any(|network| network.contains(ip));
        host.map_or(true, |ip| is_public(ip) || known(ip))
    }
}

impl Section for Tools {
    fn check(&self, check: &mut Check<'_>) {
        if !self.demo_shop_url.is_empty() {
            address::base(&self.demo_shop_url, "demo_shop_url", check);
        }
        check.not_zero("calls_per_target", self.calls_per_target);
        check.not_zero("breaker_failures", self.breaker_failures);
        let enough = self.result_bytes >= 1024;
        check.require("result_bytes", enough, "must be at least 1024");
    }
}
