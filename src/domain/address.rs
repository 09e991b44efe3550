//! The block of addresses that a request came from.

use std::{fmt, net::IpAddr};

/// The network of a client: what limits by address count. Addresses are personal data, so `Debug`
/// does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressBlock {
    network: IpAddr,
    prefix: u8,
}

impl AddressBlock {
    /// The block of an address whose first `v4` or `v6` bits are the same. An IPv4 address that is
    /// written as IPv6 (RFC 4291, 2.5.5.2) is an IPv4 address.
    pub fn of(address: IpAddr, v4: u8, v6: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let kept = u32::MAX.checked_shl(32 - u32::from(v4.min(32))).unwrap_or(0);
                Self { network: IpAddr::V4((address.to_bits() & kept).into()), prefix: v4 }
            }
            IpAddr::V6(address) => {
                let kept = u128::MAX.checked_shl(128 - u32::from(v6.min(128))).unwrap_or(0);
                Self { network: IpAddr::V6((address.to_bits() & kept).into()), prefix: v6 }
            }
        }
    }

    /// For the name of a counter: `203.0.113.7/32`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.network, self.prefix)
    }
}

impl fmt::Debug for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[address block]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> String {
        AddressBlock::of(address.parse().unwrap(), 32, 64).name()
    }

    #[test]
    fn a_block_is_one_ipv4_address_or_one_ipv6_network() {
        assert_eq!(block("203.0.113.7"), "203.0.113.7/32");
        assert_eq!(block("::ffff:203.0.113.7"), "203.0.113.7/32");
        assert_eq!(block("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(block("2001:db8:1:2:ffff::1"), block("2001:db8:1:2::9"));
        assert_ne!(block("2001:db8:1:3::1"), block("2001:db8:1:2::1"));
    }

    #[test]
    fn any_length_of_a_block_works_and_debug_shows_no_address() {
        let of = |v4, v6| {
            ["203.0.113.7", "2001:db8::1"]
                .map(|address| AddressBlock::of(address.parse().unwrap(), v4, v6).name())
        };
        assert_eq!(of(24, 48), ["203.0.113.0/24", "2001:db8::/48"]);
        assert_eq!(of(0, 0), ["0.0.0.0/0", "::/0"]);
        assert_eq!(of(32, 128), ["203.0.113.7/32", "2001:db8::1/128"]);
        let block = AddressBlock::of("203.0.113.7".parse().unwrap(), 32, 64);
        assert_eq!(format!("{block:?}"), "[address block]");
    }
}
