//! IP addresses of both versions.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

pub(super) fn find(text: &str, found: &mut impl FnMut(Range<usize>)) {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '_');
    let mut at = 0;
    while let Some(start) = text[at..].find(part).map(|n| at + n) {
        let end = text[start..].find(|c| !part(c)).map_or(text.len(), |n| start + n);
        let token = text[start..end].trim_end_matches(['.', ':']);
        let before = text[..start].chars().next_back();
        let attached = matches!(before, Some('-' | '/')) && !text[..start].ends_with("//");
        if !attached && let Some(length) = address(token) {
            found(start..start + length);
        }
        at = end;
    }
}

/// Length of the address at the start of a word; a port may follow a version 4 address.
fn address(token: &str) -> Option<usize> {
    let v4 = token.split(':').next().unwrap_or(token);
    if v4.parse::<Ipv4Addr>().is_ok() {
        return Some(v4.len());
    }
    // Short ones such as "::1" or "a::b" name no person, and are often code.
    let groups = token.split(':').filter(|group| !group.is_empty()).count();
    (groups >= 3 && token.parse::<Ipv6Addr>().is_ok()).then_some(token.len())
}
