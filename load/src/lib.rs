//! The parts of `rushdesk-load`, as a library, so that its checkers can be tested against servers
//! that lie.

pub mod bench;
pub mod capacity;
pub mod chaos;
pub mod proof;
pub mod proxy;
pub mod questions;
pub mod replay;
pub mod rig;
pub mod shop;
pub mod sim;
pub mod sse;
pub mod surge;

/// A builder of HTTP clients. reqwest has no TLS provider of its own here, so one is installed
/// unless there already is one.
pub fn http_client() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().http1_only()
}
