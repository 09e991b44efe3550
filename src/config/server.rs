//! `[server]`: where this process listens, and how much load it accepts.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{
    check::{Check, Section},
    network::Network,
    spans::millis,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub workers: usize,
    pub data_dir: PathBuf,
    pub replica: String,
    pub public_url: String,
    pub max_body_bytes: usize,
    #[serde(rename = "request_timeout_ms", deserialize_with = "millis")]
    pub request_timeout: Duration,
    #[serde(rename = "write_timeout_ms", deserialize_with = "millis")]
    pub write_timeout: Duration,
    pub max_connections: usize,
    pub trusted_proxies: Vec<Network>,
    pub proxy_header: ProxyHeader,
    #[serde(rename = "drain_timeout_ms", deserialize_with = "millis")]
    pub drain_timeout: Duration,
    #[serde(rename = "heartbeat_ms", deserialize_with = "millis")]
    pub heartbeat: Duration,
    pub tls_cert: PathBuf,
    pub tls_key: PathBuf,
}

/// The header in which proxies name the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

impl Server {
    /// The certificate chain and its key, if this process handles TLS itself.
    pub fn tls(&self) -> Option<[PathBuf; 2]> {
        let both = !self.tls_cert.as_os_str().is_empty() && !self.tls_key.as_os_str().is_empty();
        both.then(|| [self.tls_cert.clone(), self.tls_key.clone()])
    }

    /// The address of the service for people, without a slash at its end.
    pub fn base_url(&self) -> String {
        if !self.public_url.is_empty() {
            return self.public_url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.tls().is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listen)
    }

    /// Whether shoppers connect by TLS, to this process or to a proxy in front of it.
    pub fn is_https(&self) -> bool {
        self.tls().is_some() || self.public_url.starts_with("https://")
    }
}

impl Section for Server {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("max_body_bytes", self.max_body_bytes);
        check.not_zero("max_connections", self.max_connections);
        check.require(
            "tls_cert",
            self.tls_cert.as_os_str().is_empty() == self.tls_key.as_os_str().is_empty(),
            "give it together with server.tls_key, or none of both",
        );
    }
}
