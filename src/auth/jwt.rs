//! Signed tokens: our access tokens, and the identity tokens of a shop's server.
//!
//! Only HS256 is accepted, whatever a token's header says. The library checks the form and the
//! signature. Times are compared here with a `now` that is passed in, so that they can be tested.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::claims::{AccessClaims, Identity, IdentityClaims, Verified};
use crate::{
    config,
    domain::{Principal, Timestamp},
};

/// Longest token that is read, in bytes; ours have about 400. Longer ones are refused before they
/// are parsed.
const MAX_TOKEN: usize = 4096;
/// Clocks of two replicas, or of a shop and a replica, differ by a few seconds. A larger difference
/// is an error in the clock.
pub(super) const LEEWAY_S: i64 = 30;
/// An identity token is made for one page view. If it lived for days, it would be a password in a
/// web page.
const MAX_IDENTITY_LIFE_S: i64 = 3600;
/// After this time no identity token that was issued before is accepted.
pub const MAX_IDENTITY_LIFE: Duration =
    Duration::from_secs((MAX_IDENTITY_LIFE_S + 2 * LEEWAY_S).unsigned_abs());
/// Shortest secret that a shop may sign with; with an empty one, anyone could sign.
const MIN_SECRET: usize = 32;
/// Longest `iss` and `sub` of an identity token, in bytes; a column has room for as many.
const MAX_NAME: usize = 255;
/// `typ` of access tokens (RFC 9068). `JWT`, or none, is a token of any kind; its claims decide.
pub(super) const ACCESS: &str = "at+jwt";
const ANY: &str = "JWT";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It was valid once.
    #[error("token expired")]
    Expired,
    #[error("token invalid")]
    Invalid,
    /// Valid, but its issuer gives this person no role here.
    #[error("token has no role")]
    NoRole,
    /// Only from [`Tokens::issue`]: the claims could not be signed.
    #[error("token could not be signed")]
    Signing,
}

/// Creates and checks access tokens. Every replica must have the same secrets.
pub struct Tokens {
    issuer: String,
    audience: String,
    life_s: i64,
    keys: ArcSwap<Keys>,
    validation: Validation,
}

/// The key that signs, and all keys that are accepted.
struct Keys {
    signing: EncodingKey,
    checking: Vec<DecodingKey>,
}

impl Keys {
    fn of(secrets: &[config::Secret]) -> Self {
        let bytes = |secret: &config::Secret| secret.expose().as_bytes().to_vec();
        Self {
            signing: EncodingKey::from_secret(&secrets.first().map(bytes).unwrap_or_default()),
            checking: secrets.iter().map(|s| DecodingKey::from_secret(&bytes(s))).collect(),
        }
    }
}

impl Tokens {
    /// The first of `secrets` signs, and all are accepted. Each has at least 32 bytes; this was
    /// checked when they were read.
    pub fn new(auth: &config::Auth, secrets: &[config::Secret]) -> Self {
        let mut validation = hs256();
        validation.set_audience(&[&auth.audience]);
        validation.set_issuer(&[&auth.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self {
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            life_s: i64::try_from(auth.access_ttl.as_secs()).unwrap_or(i64::MAX),
            keys: ArcSwap::from_pointee(Keys::of(secrets)),
            validation,
        }
    }

    /// From now on the first secret signs new tokens, and tokens of all of them are accepted.
    pub fn replace_secrets(&self, secrets: &[config::Secret]) {
        self.keys.store(Arc::new(Keys::of(secrets)));
    }

    /// A token that lives for `auth.access_ttl_s`.
    ///
    /// # Errors
    /// [`AuthError::Signing`], which no principal is known to cause.
    pub fn issue(&self, principal: &Principal, now: Timestamp) -> Result<String, AuthError> {
        let iat = seconds(now);
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: principal.id,
            site: principal.site_id.clone(),
            role: principal.role,
            iat,
            exp: iat.saturating_add(self.life_s),
            jti: Uuid::new_v4().simple().to_string(),
        };
        self.seal(ACCESS, &claims)
    }

    /// Signs claims of a kind of token.
    pub(super) fn seal(&self, kind: &str, claims: &impl Serialize) -> Result<String, AuthError> {
        let header = Header { typ: Some(kind.to_owned()), ..Header::new(Algorithm::HS256) };
        encode(&header, claims, &self.keys.load().signing).map_err(|_| AuthError::Signing)
    }

    /// The claims of a token that one of the secrets signed, and its `typ`.
    pub(super) fn unseal<T: DeserializeOwned>(
        &self,
        token: &str,
        validation: &Validation,
    ) -> Result<(T, Option<String>), AuthError> {
        let keys = self.keys.load();
        let mut opened = keys.checking.iter().map(|key| open(token, key, validation));
        opened.find_map(Result::ok).ok_or(AuthError::Invalid)
    }

    /// # Errors
    /// [`AuthError::Expired`] only for a token that is otherwise valid.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, AuthError> {
        let (claims, kind): (AccessClaims, _) = self.unseal(token, &self.validation)?;
        if !is_kind(kind.as_deref(), &[ACCESS, ANY]) {
            return Err(AuthError::Invalid);
        }
        // A token that was issued for longer, before `auth.access_ttl_s` became shorter, ends, too.
        let exp = claims.exp.min(claims.iat.saturating_add(self.life_s));
        check_expiry(exp, now)?;
        check_begin(Some(claims.iat), now)?;
        Ok(Verified {
            principal: Principal { id: claims.sub, role: claims.role, site_id: claims.site },
            expires_at: Timestamp::from_millis(exp.saturating_mul(1000)),
        })
    }
}

/// Checks a token that a shop's server signed with its `identity_secret`. Such tokens are exchanged
/// only between one shop and this service, so they need no `aud`; one that has it must be for
/// `audience`. An access token (`typ` `at+jwt`) is none.
///
/// # Errors
/// [`AuthError::Invalid`] also if the secret is too short to be one, or the token would live for
/// more than an hour or is not valid yet.
pub fn verify_identity(
    secret: &[u8],
    audience: &str,
    token: &str,
    now: Timestamp,
) -> Result<Identity, AuthError> {
    if secret.len() < MIN_SECRET {
        return Err(AuthError::Invalid);
    }
    let mut validation = hs256();
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    let key = DecodingKey::from_secret(secret);
    let (claims, kind): (IdentityClaims, _) = open(token, &key, &validation)?;
    let is_for_us = claims.aud.as_ref().is_none_or(|aud| aud.has(audience));
    if !is_for_us || !is_kind(kind.as_deref(), &[ANY]) {
        return Err(AuthError::Invalid);
    }
    check_expiry(claims.exp, now)?;
    check_begin(claims.iat, now)?;
    check_begin(claims.nbf, now)?;
    let latest = seconds(now).saturating_add(MAX_IDENTITY_LIFE_S + LEEWAY_S);
    let named = |name: &str| (1..=MAX_NAME).contains(&name.len());
    if claims.exp > latest || !named(&claims.iss) || !named(&claims.sub) {
        return Err(AuthError::Invalid);
    }
    let earliest = claims.exp.saturating_sub(MAX_IDENTITY_LIFE_S + LEEWAY_S);
    let issued_from = Timestamp::from_millis(claims.iat.unwrap_or(earliest).saturating_mul(1000));
    Ok(Identity { iss: claims.iss, sub: claims.sub, email: claims.email, issued_from })
}

/// Whether `typ` is one of `kinds` (RFC 7515, 4.1.9: a prefix `application/` and the case mean
/// nothing). Without one a token may be of any kind.
pub(super) fn is_kind(typ: Option<&str>, kinds: &[&str]) -> bool {
    let Some(typ) = typ else { return true };
    let typ = typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    kinds.iter().any(|kind| kind.eq_ignore_ascii_case(typ))
}

/// The library's own check of the times is off; [`check_expiry`] does it.
pub(super) fn hs256() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation
}

fn open<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    validation: &Validation,
) -> Result<(T, Option<String>), AuthError> {
    if token.len() > MAX_TOKEN {
        return Err(AuthError::Invalid);
    }
    let data = decode(token, key, validation).map_err(|_| AuthError::Invalid)?;
    check_header(&data.header)?;
    Ok((data.claims, data.header.typ))
}

/// RFC 7515, 4.1.11: a header that must be understood and is not makes a token invalid. None is
/// understood here.
fn check_header(header: &Header) -> Result<(), AuthError> {
    if header.crit.is_some() { Err(AuthError::Invalid) } else { Ok(()) }
}

/// Refuses a token that was issued, or becomes valid, in the future (`iat`, `nbf`).
pub(super) fn check_begin(begins: Option<i64>, now: Timestamp) -> Result<(), AuthError> {
    let latest = seconds(now).saturating_add(LEEWAY_S);
    if begins.is_some_and(|begins| begins > latest) { Err(AuthError::Invalid) } else { Ok(()) }
}

pub(super) fn check_expiry(exp: i64, now: Timestamp) -> Result<(), AuthError> {
    if exp.saturating_add(LEEWAY_S) <= seconds(now) { Err(AuthError::Expired) } else { Ok(()) }
}

pub(super) const fn seconds(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests;
