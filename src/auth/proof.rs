//! Proof of work: what a new visitor of a flooded site does before it gets a token, as in Hashcash
//! (Back, 2002).
//!
//! A challenge is a signed token, so nothing is kept while it is being solved. Who uses one up is
//! counted elsewhere.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::jwt::{AuthError, Tokens, check_expiry, hs256, is_kind, seconds};
use crate::domain::{Challenge, SiteId, Timestamp};

/// `typ` of challenges.
const KIND: &str = "proof+jwt";
/// `aud` of challenges; access tokens have another.
const AUDIENCE: &str = "proof";
/// How long a challenge may be solved.
const LIFE_S: i64 = 120;
/// Longest nonce, in bytes.
const MAX_NONCE: usize = 64;

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    site: SiteId,
    bits: u8,
    exp: i64,
    jti: String,
}

impl Tokens {
    /// A challenge for a new visitor of `site`.
    ///
    /// # Errors
    /// [`AuthError::Signing`].
    pub fn challenge(
        &self,
        site: &SiteId,
        bits: u8,
        now: Timestamp,
    ) -> Result<Challenge, AuthError> {
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            site: site.clone(),
            bits,
            exp: seconds(now).saturating_add(LIFE_S),
            jti: Uuid::new_v4().simple().to_string(),
        };
        let token = self.seal(KIND, &claims)?;
        Ok(Challenge { token, bits, expires_in_ms: LIFE_S.unsigned_abs() * 1000 })
    }

    /// The id of a challenge of `site` that `nonce` solves. It is to be used once.
    ///
    /// # Errors
    /// [`AuthError::Expired`] for a challenge that is otherwise solved.
    pub fn solved(
        &self,
        site: &SiteId,
        token: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<String, AuthError> {
        let mut validation = hs256();
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        let (claims, kind): (Claims, _) = self.unseal(token, &validation)?;
        let is_challenge = kind.is_some() && is_kind(kind.as_deref(), &[KIND]);
        if !is_challenge || claims.site != *site || !is_solution(token, nonce, claims.bits) {
            return Err(AuthError::Invalid);
        }
        check_expiry(claims.exp, now)?;
        Ok(claims.jti)
    }
}

/// A nonce for a challenge. It takes 2^bits hashes on average.
pub fn solve(token: &str, bits: u8) -> String {
    let begun = Sha256::new().chain_update(token).chain_update(".");
    let is_found =
        |nonce: &String| zeros(&begun.clone().chain_update(nonce).finalize()) >= bits.into();
    let mut nonces = (0_u64..).map(|nonce| nonce.to_string());
    nonces.find(is_found).unwrap_or_default()
}

fn is_solution(token: &str, nonce: &str, bits: u8) -> bool {
    let hash = Sha256::new().chain_update(token).chain_update(".").chain_update(nonce).finalize();
    nonce.len() <= MAX_NONCE && zeros(&hash) >= bits.into()
}

/// Zero bits at the beginning.
fn zeros(hash: &[u8]) -> u32 {
    let whole = hash.iter().take_while(|byte| **byte == 0).count();
    let rest = hash.get(whole).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(whole * 8).unwrap_or(u32::MAX) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Config, Secret, Sources},
        domain::{Principal, PrincipalId, Role},
    };

    const NOW: Timestamp = Timestamp::from_millis(1_793_000_000_000);

    fn tokens(secret: &str) -> Tokens {
        Tokens::new(&Config::load(&Sources::default()).unwrap().auth, &[Secret::new(secret)])
    }

    fn site(name: &str) -> SiteId {
        SiteId::parse(name).unwrap()
    }

    #[test]
    fn a_challenge_is_solved_for_its_site_in_its_time_and_by_work_only() {
        let ours = tokens("0123456789abcdef0123456789abcdef");
        let Challenge { token, bits, expires_in_ms } = ours.challenge(&site("a"), 10, NOW).unwrap();
        assert_eq!((bits, expires_in_ms), (10, 120_000));
        let nonce = solve(&token, bits);
        let id = ours.solved(&site("a"), &token, &nonce, NOW).unwrap();
        assert_eq!(id.len(), 32);
        let later = Timestamp::from_millis(NOW.as_millis() + 151_000);
        assert_eq!(ours.solved(&site("a"), &token, &nonce, later), Err(AuthError::Expired));
        let other = tokens("another secret, also with 32 bytes");
        let wrong = (0..).map(|n| n.to_string()).find(|n| !is_solution(&token, n, 10)).unwrap();
        let padded = format!("{nonce}{}", "0".repeat(MAX_NONCE));
        for (tokens, site_name, token, nonce) in [
            (&ours, "b", &*token, &*nonce),
            (&ours, "a", &token, &wrong),
            (&ours, "a", &token, &padded),
            (&ours, "a", "", ""),
            (&ours, "a", &token[1..], &nonce),
            (&other, "a", &token, &nonce),
        ] {
            let solved = tokens.solved(&site(site_name), token, nonce, NOW);
            assert_eq!(solved, Err(AuthError::Invalid));
        }
    }

    #[test]
    fn a_challenge_is_no_access_token_and_the_reverse() {
        let tokens = tokens("0123456789abcdef0123456789abcdef");
        let challenge = tokens.challenge(&site("a"), 1, NOW).unwrap().token;
        assert_eq!(tokens.verify(&challenge, NOW), Err(AuthError::Invalid));
        let principal =
            Principal { id: PrincipalId::new(), role: Role::Visitor, site_id: site("a") };
        let access = tokens.issue(&principal, NOW).unwrap();
        let solved = tokens.solved(&site("a"), &access, "", NOW);
        assert_eq!(solved, Err(AuthError::Invalid));
    }

    #[test]
    fn zero_bits_are_counted_from_the_beginning() {
        for (hash, expected) in
            [(&[0x80, 0][..], 0), (&[0x40], 1), (&[0, 0x01], 15), (&[0, 0], 16), (&[], 0)]
        {
            assert_eq!(zeros(hash), expected);
        }
    }
}
