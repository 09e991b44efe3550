//! Which origins a site allows: one origin, or all with one more label in front of a domain.

use reqwest::Url;

/// Schemes that name no page of a browser or a web view.
const NO_PAGES: [&str; 10] =
    ["about", "blob", "data", "file", "ftp", "javascript", "mailto", "view-source", "ws", "wss"];

/// An entry of `allowed_origins`. An origin is what a browser sends in `Origin` (RFC 6454): scheme,
/// host and port, without a path. Web views of apps have schemes of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPattern {
    /// `https://shop.example`, `http://localhost:3000`, `capacitor://localhost`.
    Exact(String),
    /// `https://*.shop.example`: exactly one label stands for the asterisk.
    OneLabel { scheme: String, domain: String },
}

impl OriginPattern {
    /// # Errors
    /// What is wrong with `text`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((scheme, host)) = text.split_once("://") else {
            return Err("is not an origin such as https://shop.example");
        };
        let Some(domain) = host.strip_prefix("*.") else {
            return match is_origin(text) {
                true => Ok(Self::Exact(text.to_owned())),
                false if text.contains('*') => Err(
                    "may have an asterisk only as the first label, as in https://*.shop.example",
                ),
                false => Err("is not an origin such as https://shop.example"),
            };
        };
        if !matches!(scheme, "http" | "https") || !is_origin(&format!("{scheme}://{domain}")) {
            return Err("is not a pattern such as https://*.shop.example");
        }
        // Everybody can have a name directly below a top-level domain.
        if !domain.contains('.') {
            return Err("needs two labels behind the asterisk, as in https://*.shop.example");
        }
        Ok(Self::OneLabel { scheme: scheme.to_owned(), domain: domain.to_owned() })
    }

    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Exact(own) => own == origin,
            Self::OneLabel { scheme, domain } => {
                let host = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
                let label = host.and_then(|host| host.strip_suffix(domain.as_str()));
                let label = label.and_then(|label| label.strip_suffix('.'));
                label.is_some_and(|label| !label.is_empty() && label.bytes().all(is_of_label))
            }
        }
    }
}

const fn is_of_label(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')
}

/// Scheme, host and port as a browser sends them.
fn is_origin(text: &str) -> bool {
    // A URL may have one in its host.
    let Some(url) = Url::parse(text).ok().filter(|_| !text.contains('*')) else { return false };
    match url.scheme() {
        "http" | "https" => url.origin().ascii_serialization() == text,
        scheme if NO_PAGES.contains(&scheme) => false,
        scheme => {
            let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
            let host = url.host_str().unwrap_or_default();
            let is_plain = host.bytes().all(|byte| is_of_label(byte) || byte == b'.');
            !host.is_empty() && is_plain && text == format!("{scheme}://{host}{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, origin: &str) -> bool {
        OriginPattern::parse(pattern).unwrap().matches(origin)
    }

    #[test]
    fn an_origin_is_written_as_browsers_and_web_views_send_it() {
        for own in [
            "https://shop.example",
            "http://localhost:3000",
            "https://xn--bcher-kva.example",
            "http://[::1]:8080",
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "app://shop.example",
            "chrome-extension://abcdefghijklmnop",
        ] {
            assert!(matches(own, own), "{own}");
            assert!(!matches(own, "https://other.example"), "{own}");
        }
        for other in [
            "https://shop.example/",
            "https://Shop.example",
            "https://shop.example:443",
            "https://bücher.example",
            "https://user@shop.example",
            "shop.example",
            "ftp://a",
            "file:///index.html",
            "data://x",
            "capacitor://",
            "capacitor://localhost/",
            "capacitor://Local Host",
            "null",
            "*",
            "",
        ] {
            assert!(OriginPattern::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn an_asterisk_stands_for_exactly_one_label() {
        let pattern = "https://*.shop.example";
        for own in
            ["https://www.shop.example", "https://de-at.shop.example", "https://a.shop.example"]
        {
            assert!(matches(pattern, own), "{own}");
        }
        for other in [
            "https://shop.example",
            "https://a.b.shop.example",
            "https://.shop.example",
            "https://evilshop.example",
            "https://shop.example.evil.example",
            "https://www.shop.example:8443",
            "http://www.shop.example",
            "https://evil.example/x.shop.example",
            "https://evil.example#.shop.example",
            "capacitor://www.shop.example",
        ] {
            assert!(!matches(pattern, other), "{other}");
        }
        assert!(matches("http://*.shop.example:3000", "http://www.shop.example:3000"));
    }

    #[test]
    fn a_pattern_that_could_never_match_or_matches_too_much_is_refused() {
        for other in [
            "https://*",
            "https://*.example",
            "https://*shop.example",
            "https://www.*.example",
            "https://*.*.shop.example",
            "*.shop.example",
            "capacitor://*.shop.example",
            "https://*.shop.example/",
        ] {
            assert!(OriginPattern::parse(other).is_err(), "{other}");
        }
    }
}
