//! API keys for a shop's own backend: `rdk_<prefix>_<secret>`.
//!
//! The prefix is public: the archive finds a key by it, and operators see it in lists. The archive
//! stores only a SHA-256 of the whole key. A slow hash would protect secrets that people choose,
//! but this one is 256 random bits, which cannot be guessed at any speed. A fast hash also means
//! that a flood of wrong keys costs almost nothing.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const PREFIX_CHARS: usize = 12;
const SECRET_CHARS: usize = 43;

#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    prefix: String,
    secret: String,
}

impl ApiKey {
    pub fn generate() -> Self {
        Self {
            prefix: hex::encode(rand::random::<[u8; PREFIX_CHARS / 2]>()),
            secret: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()),
        }
    }

    /// `None` if `text` cannot be a key.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, secret) = text.strip_prefix("rdk_")?.split_once('_')?;
        let is_prefix = prefix.len() == PREFIX_CHARS
            && prefix.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let is_secret = secret.len() == SECRET_CHARS
            && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (is_prefix && is_secret)
            .then(|| Self { prefix: prefix.to_owned(), secret: secret.to_owned() })
    }

    /// The public part, 12 hex digits.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The whole key; it is shown only once, when it is created.
    pub fn expose(&self) -> String {
        format!("rdk_{}_{}", self.prefix, self.secret)
    }

    /// The form stored in the archive: SHA-256 in lowercase hex.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.expose()))
    }

    /// Whether `stored` is the hash of this key. The time taken does not depend on where the hashes
    /// differ.
    pub fn matches(&self, stored: &str) -> bool {
        self.hash().as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rdk_{}_[secret]", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_survives_its_text_and_fits_its_own_hash_only() {
        // Many keys are tried, because the secret may contain the separator.
        for _ in 0..200 {
            let key = ApiKey::generate();
            assert_eq!(ApiKey::parse(&key.expose()), Some(key.clone()));
            assert!(key.matches(&key.hash()));
            assert!(!ApiKey::generate().matches(&key.hash()));
            assert!(!key.matches(""));
        }
    }

    #[test]
    fn a_key_does_not_show_its_secret() {
        let key = ApiKey::generate();
        assert!(!format!("{key:?}").contains(&key.secret));
        assert!(!key.hash().contains(&key.secret));
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        let good = ApiKey::generate().expose();
        let long = format!("{good}x");
        let foreign = good.replacen("rdk_", "sk_", 1);
        let upper = good.replacen(&good[4..16], "ABCDEF012345", 1);
        for bad in ["", "rdk_", "rdk__", &good[..good.len() - 1], &long, &foreign, &upper] {
            assert_eq!(ApiKey::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,80}", tail in ".{0,60}") {
            let _ = ApiKey::parse(&text);
            prop_assert_eq!(ApiKey::parse(&format!("rdk_{tail}")).map(|key| key.expose()),
                ApiKey::parse(&format!("rdk_{tail}")).map(|_| format!("rdk_{tail}")));
        }
    }
}
