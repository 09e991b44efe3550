//! Headers that tell a browser what a response may do, on every response.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::config;

/// For data and errors, which are never documents: nothing runs, loads or frames them.
const DATA: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// For the API page, whose script adds inline styles.
const REFERENCE: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";
/// For pages that no other page shows: nothing from another origin, nothing inline.
pub const ALONE: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
    object-src 'none'; frame-ancestors 'none'";
/// Browser features that no page uses.
const NO_DEVICES: &str = "camera=(), geolocation=(), microphone=(), payment=()";
/// One year, as preload lists require. Subdomains are not included, since they are not ours.
const ONLY_HTTPS: &str = "max-age=31536000";

/// The policy of the chat page: nothing from another origin, nothing inline. `framers` are the
/// origins of the page's own shop, which may show it in a frame.
pub fn page_policy<'a>(framers: impl Iterator<Item = &'a str>) -> String {
    let mut policy = "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; \
        frame-ancestors 'self'"
        .to_owned();
    for origin in framers {
        policy.push(' ');
        policy.push_str(origin);
    }
    policy
}

/// Puts them into `headers`; a policy that a handler chose stays.
pub fn secure(headers: &mut HeaderMap, path: &str, server: Option<&config::Server>) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::PERMISSIONS_POLICY, NO_DEVICES),
        // Fetches with CORS are not concerned; images and scripts of other sites are.
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if server.is_some_and(config::Server::is_https) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_HTTPS));
    }
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            if path.starts_with("/docs/") { REFERENCE } else { DATA },
        ),
        (header::CACHE_CONTROL, "no-store, no-transform"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
