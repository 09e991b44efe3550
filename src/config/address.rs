//! Web addresses, as used in several sections.

use std::net::IpAddr;

use reqwest::Url;

pub(super) fn is_http(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// Whether the content cannot be changed on its way from there.
pub(super) fn is_safe(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| {
        let ip = || url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        let is_here = || ip().is_some_and(|ip: IpAddr| ip.is_loopback());
        url.scheme() == "https" || (url.scheme() == "http" && is_here())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fetched_without_tls_stays_on_this_machine() {
        for safe in ["https://id.example/keys", "http://127.0.0.1:8/keys", "http://[::1]/keys"] {
            assert!(is_safe(safe), "{safe}");
        }
        for other in ["http://id.example/keys", "http://10.0.0.1/keys", "file:///keys", "keys"] {
            assert!(!is_safe(other), "{other}");
        }
    }
}
