//! Refresh tokens and links for new passwords: opaque random text for the client, and a hash of it
//! for the archive.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

const CHARS: usize = 43;

/// A new token. The client gets `token`, and the archive stores `hash`.
pub struct OpaqueToken {
    /// 256 random bits as url-safe base64, 43 characters.
    pub token: String,
    pub hash: String,
}

impl OpaqueToken {
    pub fn generate() -> Self {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let hash = Self::hash(&token);
        Self { token, hash }
    }

    /// Whether `text` has the form of a token. Other text is refused without asking the archive.
    pub fn is_form_of(text: &str) -> bool {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        text.len() == CHARS && text.bytes().all(is_part)
    }

    /// The archive's key for a token: SHA-256 in lowercase hex. A fast hash is enough for a random
    /// secret, because no dictionary contains 256 random bits.
    pub fn hash(token: &str) -> String {
        hex::encode(Sha256::digest(token))
    }
}

impl std::fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[opaque token]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_and_never_repeats() {
        let (one, two) = (OpaqueToken::generate(), OpaqueToken::generate());
        assert_eq!(OpaqueToken::hash(&one.token), one.hash);
        assert_ne!(one.token, two.token);
        assert_ne!(one.hash, two.hash);
        assert!(OpaqueToken::is_form_of(&one.token));
        assert!(!OpaqueToken::is_form_of(&one.hash) && !OpaqueToken::is_form_of(&"'".repeat(43)));
        assert_eq!(one.hash.len(), 64);
        assert!(!format!("{one:?}").contains(&one.token));
    }

    #[test]
    fn the_hash_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(OpaqueToken::hash("abc"), known);
    }
}
