//! Checks the target. A rehearsal against another owner's service would be an attack, so only local
//! and private targets are allowed without confirmation.

use std::net::IpAddr;

use anyhow::{Context as _, ensure};
use reqwest::Url;

/// The target's address without a trailing slash.
///
/// # Errors
/// If it is not an `http(s)` address, cannot be resolved, or is public and `is_mine` is false.
pub async fn check(target: &str, is_mine: bool) -> anyhow::Result<String> {
    let url = Url::parse(target).with_context(|| format!("--target {target} is not a URL"))?;
    ensure!(
        matches!(url.scheme(), "http" | "https"),
        "--target must begin with http:// or https://"
    );
    let host = url.host_str().context("--target has no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<IpAddr> = tokio::net::lookup_host((bare, port))
        .await
        .with_context(|| format!("cannot resolve {host}"))?
        .map(|address| address.ip())
        .collect();
    ensure!(!addresses.is_empty(), "{host} has no address");
    let is_near = addresses.iter().all(|address| is_private(*address));
    ensure!(
        is_near || is_mine,
        "{host} is not on this machine or in a private network: add --yes-this-is-mine if you may put load on it"
    );
    Ok(target.trim_end_matches('/').to_owned())
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_public_address_needs_a_word() {
        for near in
            ["http://127.0.0.1:80/", "http://10.1.2.3", "https://[::1]:8", "http://[fd00::1]"]
        {
            assert_eq!(check(near, false).await.unwrap(), near.trim_end_matches('/'));
        }
        for far in ["http://203.0.113.9", "https://[2001:db8::1]"] {
            let error = check(far, false).await.unwrap_err().to_string();
            assert!(error.contains("--yes-this-is-mine"), "{error}");
            assert!(check(far, true).await.is_ok());
        }
        for bad in ["localhost:8080", "ftp://127.0.0.1", "nonsense"] {
            assert!(check(bad, true).await.is_err(), "{bad}");
        }
    }
}
