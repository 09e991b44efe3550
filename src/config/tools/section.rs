//! `[tools]`: what holds for the tools of all sites.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Names that the public internet does not have (RFC 6762, RFC 8375, and what ICANN reserves).
const PRIVATE: [&str; 8] =
    [".local", ".internal", ".home.arpa", ".lan", ".home", ".corp", ".intranet", ".private"];

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
    /// Why tools may not call the host of an address, as far as its spelling says so. Any other name
    /// is looked up with each call.
    pub fn out_of_reach(&self, address: &str) -> Option<&'static str> {
        // Places stand behind the host.
        let before_places = address.split('{').next().unwrap_or_default();
        let url = Url::parse(before_places).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?.trim_end_matches('.').to_lowercase();
        let known = |ip| self.allowed_networks.iter().any(|network| network.contains(ip));
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            let allowed = is_public(ip) || known(ip);
            return (!allowed).then_some("is a private or local address");
        }
        if host == "localhost" || host.ends_with(".localhost") {
            let own = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
            return (!own.into_iter().any(known)).then_some("is a name of this machine");
        }
        let private = !host.contains('.') || PRIVATE.iter().any(|end| host.ends_with(end));
        (private && self.allowed_networks.is_empty()).then_some("is a name of a private network")
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

#[cfg(test)]
mod tests {
    use crate::config::load::tests::load;

    #[test]
    fn a_name_that_can_only_be_local_is_out_of_reach_until_its_network_is_allowed() {
        let tools = |networks: &str| {
            load(&format!("[tools]\nallowed_networks = {networks}\n"), &[]).unwrap().tools
        };
        let (none, own) = (tools("[]"), tools("[\"127.0.0.0/8\"]"));
        let other = tools("[\"10.0.0.0/8\"]");
        for url in ["http://localhost/", "http://LOCALHOST.:80/a", "https://a.localhost/{b}"] {
            assert_eq!(none.out_of_reach(url), Some("is a name of this machine"), "{url}");
            assert_eq!(other.out_of_reach(url), Some("is a name of this machine"), "{url}");
            assert_eq!(own.out_of_reach(url), None, "{url}");
        }
        for url in ["http://redis/", "http://db.internal:1/", "http://nas.local./{x}"] {
            assert_eq!(none.out_of_reach(url), Some("is a name of a private network"), "{url}");
            assert_eq!(other.out_of_reach(url), None, "{url}");
        }
        for url in ["http://127.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/"] {
            assert_eq!(none.out_of_reach(url), Some("is a private or local address"), "{url}");
        }
        for url in ["https://shop.example/{a}", "https://8.8.8.8/", ""] {
            assert_eq!(none.out_of_reach(url), None, "{url}");
        }
    }
}
