//! Where a request came from, for the limits of blocks of addresses.
//!
//! A client can write any address into a header, so a header is read only if the connection comes
//! from a proxy that is configured, and only back to the last address that a configured proxy saw.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use actix_web::HttpRequest;
use tracing::warn;

use crate::{
    config::{Config, Network, ProxyHeader},
    domain::{AddressBlock, Principal, Role},
};

/// Proxies in a row that are looked at.
const MAX_HOPS: usize = 32;

/// The client's block of addresses; `None` if it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender(pub Option<AddressBlock>);

impl Sender {
    /// The block that a message of this caller counts for. A server of the shop speaks for many
    /// shoppers from one address, and has a key.
    pub fn of_caller(self, caller: &Principal) -> Option<AddressBlock> {
        self.0.filter(|_| caller.role != Role::Server)
    }
}

/// Finds the client behind the configured proxies. Clones share their warning.
#[derive(Clone)]
pub struct Senders {
    proxies: Arc<[Network]>,
    header: &'static str,
    v4: u8,
    v6: u8,
    has_warned: Arc<AtomicBool>,
}

impl Senders {
    pub fn new(config: &Config) -> Self {
        Self {
            proxies: config.server.trusted_proxies.clone().into(),
            header: match config.server.proxy_header {
                ProxyHeader::XForwardedFor => "x-forwarded-for",
                ProxyHeader::Forwarded => "forwarded",
            },
            v4: config.limits.ipv4_block,
            v6: config.limits.ipv6_block,
            has_warned: Arc::default(),
        }
    }

    pub fn of(&self, request: &HttpRequest) -> Sender {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let lines = request.headers().get_all(self.header);
        // A client may put anything in front of what the proxy wrote.
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let address = peer.and_then(|peer| self.client(peer, &lines));
        Sender(address.map(|address| AddressBlock::of(address, self.v4, self.v6)))
    }

    fn client(&self, peer: IpAddr, lines: &[impl AsRef<str>]) -> Option<IpAddr> {
        if !self.trusts(peer) {
            // Without a configured proxy, a private address may be that of one, and all shoppers
            // would share it.
            if !self.proxies.is_empty() || !is_private(peer) {
                return Some(peer);
            }
            if !lines.is_empty() && !self.has_warned.swap(true, Relaxed) {
                warn!("a proxy is not in server.trusted_proxies; limits by address do not apply");
            }
            return None;
        }
        let hops = lines.iter().rev().flat_map(|line| line.as_ref().rsplit(',')).take(MAX_HOPS);
        let mut client = None;
        for hop in hops {
            // A proxy may hide an address on purpose.
            let address = self.address(hop)?;
            client = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }

    fn address(&self, hop: &str) -> Option<IpAddr> {
        if self.header == "forwarded" {
            let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
            let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
            return address_of(node);
        }
        address_of(hop)
    }
}

/// An address with or without a port, brackets and quotes.
fn address_of(node: &str) -> Option<IpAddr> {
    let node = node.trim().trim_matches('"');
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse().ok();
    let address = address.or_else(|| Some(node.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Addresses that have no meaning outside one network (RFC 6890): a proxy may have one.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let is_shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            let is_local = v4.is_loopback() || v4.is_link_local() || v4 == Ipv4Addr::UNSPECIFIED;
            v4.is_private() || is_shared || is_local
        }
        IpAddr::V6(v6) => {
            let is_local = v6.is_loopback() || v6 == Ipv6Addr::UNSPECIFIED;
            v6.is_unique_local() || v6.is_unicast_link_local() || is_local
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn senders(proxies: &str, header: &str) -> Senders {
        let flags = vec![
            ("server.trusted_proxies".to_owned(), proxies.to_owned()),
            ("server.proxy_header".to_owned(), header.to_owned()),
        ];
        Senders::new(&Config::load(&Sources { flags, ..Sources::default() }).unwrap())
    }

    fn client(senders: &Senders, peer: &str, lines: &[&str]) -> Option<String> {
        senders.client(peer.parse().unwrap(), lines).map(|address| address.to_string())
    }

    #[test]
    fn only_what_a_configured_proxy_saw_is_believed() {
        let senders = senders("[\"10.0.0.0/8\", \"2001:db8:f::/48\"]", "x-forwarded-for");
        for (peer, lines, expected) in [
            // A client that connects directly, and lies.
            ("203.0.113.7", &["198.51.100.1"][..], Some("203.0.113.7")),
            ("192.168.1.1", &["198.51.100.1"], Some("192.168.1.1")),
            // Behind one proxy, behind two, and with lies in front.
            ("10.0.0.1", &["203.0.113.7"], Some("203.0.113.7")),
            ("10.0.0.1", &["203.0.113.7, 10.0.0.2"], Some("203.0.113.7")),
            ("10.0.0.1", &["1.1.1.1, 10.9.9.9, 203.0.113.7, 10.0.0.2"], Some("203.0.113.7")),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.7", "10.0.0.2"], Some("203.0.113.7")),
            ("10.0.0.1", &["garbage, 203.0.113.7:4711"], Some("203.0.113.7")),
            ("10.0.0.1", &["\"unclosed, [2001:db8::1]:80"], Some("2001:db8::1")),
            ("2001:db8:f::1", &["2001:db8::1"], Some("2001:db8::1")),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], Some("203.0.113.7")),
            // A client within the trusted network, and a proxy that says nothing or hides it.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], Some("10.0.0.3")),
            ("10.0.0.1", &[], None),
            ("10.0.0.1", &["203.0.113.7, unknown"], None),
            ("10.0.0.1", &["203.0.113.7, "], None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(client(&senders, peer, lines), expected, "{peer} {lines:?}");
        }
        let long = "10.0.0.2, ".repeat(10_000) + "10.0.0.2";
        assert_eq!(client(&senders, "10.0.0.1", &[&long]).as_deref(), Some("10.0.0.2"));
    }

    #[test]
    fn the_other_header_is_not_read_even_from_a_proxy() {
        let senders = senders("[\"10.0.0.1\"]", "forwarded");
        for (lines, expected) in [
            (&["for=203.0.113.7"][..], Some("203.0.113.7")),
            (
                &["for=1.1.1.1, proto=https; For=\"[2001:db8::1]:4711\";by=10.0.0.1"],
                Some("2001:db8::1"),
            ),
            (&["for=1.1.1.1", "FOR = \"203.0.113.7:80\""], Some("203.0.113.7")),
            (&["for=1.1.1.1, for=_hidden"], None),
            (&["for=1.1.1.1, by=10.0.0.1"], None),
            (&["203.0.113.7"], None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(client(&senders, "10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn without_a_proxy_a_public_address_counts_and_a_private_one_does_not() {
        let senders = senders("[]", "x-forwarded-for");
        for private in [
            "127.0.0.1",
            "10.1.1.1",
            "192.168.0.9",
            "172.16.0.1",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
        ] {
            assert_eq!(client(&senders, private, &["203.0.113.7"]), None, "{private}");
        }
        for public in ["203.0.113.7", "100.128.0.1", "2001:db8::1"] {
            assert_eq!(client(&senders, public, &["198.51.100.1"]).as_deref(), Some(public));
        }
    }
}
