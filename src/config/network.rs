//! A network of addresses.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl Network {
    /// An IPv4 address that is written as IPv6 is an IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.parse::<IpAddr>().map(|address| address.to_canonical().into());
        let network = address.or_else(|_| text.parse());
        network.map(Self).map_err(|_| {
            format!("`{text}` is no network such as 10.0.0.0/8 and no address such as 10.1.2.3")
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::{assert_faults, load};

    #[test]
    fn networks_and_addresses_are_read_and_contain_what_they_should() {
        let file = "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\", \"::ffff:192.0.2.1\", \"2001:db8::/32\"]";
        let proxies = load(file, &[]).unwrap().server.trusted_proxies;
        let trusts = |address: &str| {
            let address = address.parse().unwrap();
            proxies.iter().any(|network| network.contains(address))
        };
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "::1", "192.0.2.1", "2001:db8:9::1"] {
            assert!(trusts(inside), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.2", "::2", "2001:db9::1"] {
            assert!(!trusts(outside), "{outside}");
        }
        for bad in ["10.0.0.0/33", "proxy.example", "10.0.0", ""] {
            let file = format!("[server]\ntrusted_proxies = [\"{bad}\"]");
            assert_faults(&file, &[], &["server.trusted_proxies"]);
        }
        assert_faults("[server]\nproxy_header = \"via\"", &[], &["server.proxy_header"]);
    }
}
