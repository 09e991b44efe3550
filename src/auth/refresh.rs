//! Refresh tokens: opaque random text for the client, and a hash of it for the archive.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A new refresh token. The client gets `token`, and the archive stores `hash`.
pub struct RefreshToken {
    /// 256 random bits as url-safe base64, 43 characters.
    pub token: String,
    pub hash: String,
}

impl RefreshToken {
    pub fn generate() -> Self {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let hash = Self::hash(&token);
        Self { token, hash }
    }

    /// The archive's key for a token: SHA-256 in lowercase hex. A fast hash is enough for a random
    /// secret, because no dictionary contains 256 random bits.
    pub fn hash(token: &str) -> String {
        hex::encode(Sha256::digest(token))
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[refresh token]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_and_never_repeats() {
        let (one, two) = (RefreshToken::generate(), RefreshToken::generate());
        assert_eq!(RefreshToken::hash(&one.token), one.hash);
        assert_ne!(one.token, two.token);
        assert_ne!(one.hash, two.hash);
        assert_eq!((one.token.len(), one.hash.len()), (43, 64));
        assert!(!format!("{one:?}").contains(&one.token));
    }

    #[test]
    fn the_hash_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(RefreshToken::hash("abc"), known);
    }
}
