//! What `rushdesk-load` is made of; a library so that its checkers can be tested against servers that lie.

pub mod bench;
pub mod capacity;
pub mod chaos;
pub mod proxy;
pub mod questions;
pub mod replay;
pub mod rig;
pub mod sim;
pub mod sse;
pub mod surge;

/// A builder of HTTP clients. reqwest comes without a TLS provider of its own here; one that is installed already stays.
pub fn http_client() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().http1_only()
}
