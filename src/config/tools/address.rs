//! Addresses of a declaration. Every fault says what to do.

use reqwest::Url;

use super::template::Template;
use crate::config::check::Check;

/// A base address: scheme, host, and perhaps a path.
pub(super) fn base(address: &str, key: &str, check: &mut Check<'_>) {
    let fault = match Url::parse(address) {
        Ok(url) => fault_of(&url, address),
        Err(_) => Some("must be an address such as https://shop.example/api"),
    };
    check.require(key, fault.is_none(), fault.unwrap_or_default());
}

fn fault_of(url: &Url, text: &str) -> Option<&'static str> {
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Some("must begin with http:// or https:// and a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must have no user or password: set a header");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("must have no `?` and no `#`: use `query`");
    }
    let path = text.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    if path.is_some_and(|path| path != url.path()) || text.contains('\\') {
        return Some("must have a path without `.` and `..`, percent-encoded where needed");
    }
    None
}

/// Scheme, host and port stand in the declaration, and only the path may have places.
pub(super) fn template(text: &str, key: &str, check: &mut Check<'_>) -> Option<Template> {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(fault) => {
            check.require(key, false, fault);
            return None;
        }
    };
    let path = text.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let authority = text.len() - path.map_or(0, |(_, path)| path.len());
    if text.find('{').is_some_and(|at| at < authority) {
        check.require(key, false, "may have places in its path only");
        return None;
    }
    // Any value will do.
    base(&template.filled(|_| Some("x".to_owned())).unwrap_or_default(), key, check);
    Some(template)
}
