//! The proof of work of a new visitor of a flooded site.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The `challenge` of a problem with the code `proof_required`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Challenge {
    pub token: String,
    pub bits: u32,
}

impl Challenge {
    /// The `proof` of the next request. Works on a thread of its own, so that the load goes on.
    ///
    /// # Errors
    /// If the thread ends.
    pub async fn solved(self) -> anyhow::Result<Value> {
        let work = tokio::task::spawn_blocking(move || {
            let nonce = nonce(&self.token, self.bits);
            json!({"challenge": self.token, "nonce": nonce})
        });
        Ok(work.await?)
    }
}

fn nonce(token: &str, bits: u32) -> String {
    let begun = Sha256::new().chain_update(token).chain_update(".");
    let fits = |nonce: &String| zeros(&begun.clone().chain_update(nonce).finalize()) >= bits;
    (0_u64..).map(|nonce| nonce.to_string()).find(fits).unwrap_or_default()
}

/// Zero bits at the beginning.
fn zeros(hash: &[u8]) -> u32 {
    let mut zeros = 0;
    for byte in hash {
        zeros += byte.leading_zeros();
        if *byte != 0 {
            break;
        }
    }
    zeros
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_gives_a_hash_that_begins_with_zeros() {
        for bits in [0, 1, 9, 12] {
            let hash = Sha256::digest(format!("token.{}", nonce("token", bits)));
            assert!(zeros(&hash) >= bits);
        }
        assert_eq!((zeros(&[0, 1]), zeros(&[0x80]), zeros(&[0, 0])), (15, 0, 16));
    }
}
