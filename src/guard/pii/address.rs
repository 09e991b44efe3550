//! IP addresses of both versions.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use super::{context::Context, vocabulary::Class};

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '_');
    let mut at = 0;
    // Both versions have dots or colons.
    while let Some(sign) = text[at..].find(['.', ':']).map(|n| at + n) {
        let start = text[at..sign]
            .rfind(|c| !part(c))
            .map_or(at, |n| at + n + text[at + n..].chars().next().map_or(1, char::len_utf8));
        let end = text[sign..].find(|c| !part(c)).map_or(text.len(), |n| sign + n);
        at = end;
        let token = text[start..end].trim_end_matches(['.', ':']);
        // "app-2.4.1.0"
        let attached = text[..start]
            .strip_suffix(['-', '/'])
            .is_some_and(|before| before.ends_with(char::is_alphabetic));
        if !attached
            && let Some((after, length)) = address(token)
            && !is_version(token, start, context)
        {
            found(start + after..start + after + length);
        }
    }
}

/// Words that are typed right before an address.
const LABELS: [&str; 4] = ["ipv4", "ip", "host", "server"];
/// What is typed right behind a version.
const RELEASES: [&str; 6] = ["a", "b", "alpha", "beta", "rc", "dev"];

/// "version 2.4.1.0"
fn is_version(token: &str, start: usize, context: &Context<'_>) -> bool {
    !token.contains(':')
        && (context.adjacent(start) == Some(Class::Version)
            || context.called_after(start + token.len()) == Some(Class::Version))
}

/// Start and length of the address in a word; a port or a word may follow a version 4 address, and
/// a label may stand before it ("ip:1.2.3.4").
fn address(token: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    for part in token.split(':') {
        let label = LABELS.iter().find(|label| part.starts_with(*label)).map_or(0, |l| l.len());
        let digits = part[label..].trim_end_matches(|c: char| c.is_alphabetic() || c == '_');
        let release = RELEASES.contains(&&part[label + digits.len()..]);
        if digits.parse::<Ipv4Addr>().is_ok()
            && !release
            && token[..at].chars().all(|c| !c.is_ascii_digit())
        {
            return Some((at + label, digits.len()));
        }
        at += part.len() + 1;
    }
    let token = token.trim_end_matches(|c: char| c.is_alphabetic() && !c.is_ascii_hexdigit());
    // Short ones such as "::1" or "a::b" name no person, and are often code.
    let groups = token.split(':').filter(|group| !group.is_empty()).count();
    (groups >= 3 && token.parse::<Ipv6Addr>().is_ok()).then_some((0, token.len()))
}
