//! Tokens from a shop's identity provider, for the shop's staff.
//!
//! Only asymmetric signatures are accepted, and the key decides the algorithm, whatever the token's
//! header says. So no key is found for an unsigned token, or for one signed with a public key used
//! as a shared secret. The functions are pure; keys are fetched elsewhere.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, TokenData, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    claims::Verified,
    jwt::{ACCESS, AuthError, check_begin, is_kind},
};
use crate::{
    config,
    domain::{Principal, PrincipalId, Role, Timestamp},
};

/// Longest token that is read, in bytes; providers may list all groups of a person.
const MAX_TOKEN: usize = 16_384;
/// How many keys of one provider are kept.
const MAX_KEYS: usize = 32;
/// 2048 bits; shorter moduli can be factored.
const MIN_RSA_BYTES: usize = 256;
const MAX_SUBJECT: usize = 256;

/// The unverified claims of a token: enough to find its key.
pub struct Claimed {
    pub issuer: String,
    key_id: Option<String>,
    algorithm: Algorithm,
}

impl Claimed {
    /// `None` if `token` is not of a kind that a provider signs.
    pub fn of(token: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Issuer {
            iss: String,
        }
        if token.len() > MAX_TOKEN {
            return None;
        }
        let header = decode_header(token).ok()?;
        // No extension is supported, so a token that requires one is refused.
        if header.crit.is_some() {
            return None;
        }
        let algorithm = header.alg;
        if !matches!(algorithm, Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA) {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let Issuer { iss } = serde_json::from_slice(&payload).ok()?;
        Some(Self { issuer: iss, key_id: header.kid, algorithm })
    }
}

/// The signing keys of a provider.
pub struct KeySet(Vec<Key>);

pub struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

impl KeySet {
    /// Reads a JWK set (RFC 7517). Keys that cannot be used here are skipped. `None` if it is not a
    /// set.
    pub fn parse(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let Set { keys } = serde_json::from_slice(json).ok()?;
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(keys.filter_map(|key| Key::new(&key)).take(MAX_KEYS).collect()))
    }

    /// The key that the token names. If it names none, the only key for its algorithm.
    pub fn find(&self, claimed: &Claimed) -> Option<&Key> {
        let mut fitting = self.0.iter().filter(|key| key.algorithm == claimed.algorithm);
        match &claimed.key_id {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

impl Key {
    fn new(jwk: &Jwk) -> Option<Self> {
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) => {
                let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
                let bytes = modulus.iter().skip_while(|byte| **byte == 0).count();
                (bytes >= MIN_RSA_BYTES).then_some((Algorithm::RS256, KeyAlgorithm::RS256))
            }
            AlgorithmParameters::EllipticCurve(ec) => {
                (ec.curve == EllipticCurve::P256).then_some((Algorithm::ES256, KeyAlgorithm::ES256))
            }
            AlgorithmParameters::OctetKeyPair(okp) => (okp.curve == EllipticCurve::Ed25519)
                .then_some((Algorithm::EdDSA, KeyAlgorithm::EdDSA)),
            // This includes shared secrets: a published secret proves nothing.
            _ => None,
        };
        let (algorithm, named) = algorithm?;
        let signs =
            jwk.common.public_key_use.as_ref().is_none_or(|u| *u == PublicKeyUse::Signature);
        let fits = jwk.common.key_algorithm.is_none_or(|other| other == named);
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        (signs && fits).then(|| Self { id: jwk.common.key_id.clone(), algorithm, decoding })
    }
}

/// Checks a token against its key.
///
/// # Errors
/// [`AuthError::Expired`] and [`AuthError::NoRole`] only for a token that is otherwise valid.
pub fn verify(
    provider: &config::Oidc,
    key: &Key,
    token: &str,
    now: Timestamp,
) -> Result<Verified, AuthError> {
    let mut validation = Validation::new(key.algorithm);
    validation.validate_exp = false;
    validation.set_issuer(&[&provider.issuer]);
    validation.set_audience(&[&provider.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let TokenData { header, claims, .. } =
        decode::<Map<String, Value>>(token, &key.decoding, &validation)
            .map_err(|_| AuthError::Invalid)?;
    if !is_access_token(header.typ.as_deref(), &claims, &provider.audience) {
        return Err(AuthError::Invalid);
    }
    let expires = claims.get("exp").and_then(instant).ok_or(AuthError::Invalid)?;
    for name in ["nbf", "iat"] {
        let Some(value) = claims.get(name) else { continue };
        let begins = instant(value).ok_or(AuthError::Invalid)?;
        check_begin(Some(begins), now)?;
    }
    let subject = claims.get("sub").and_then(Value::as_str).ok_or(AuthError::Invalid)?;
    if !(1..=MAX_SUBJECT).contains(&subject.len()) {
        return Err(AuthError::Invalid);
    }
    super::jwt::check_expiry(expires, now)?;
    let role = role(provider, &claims).ok_or(AuthError::NoRole)?;
    Ok(Verified {
        principal: Principal {
            id: person(provider, subject),
            role,
            site_id: provider.site.clone(),
        },
        expires_at: Timestamp::from_millis(expires.saturating_mul(1000)),
    })
}

/// Whether a token is meant for APIs. An ID token tells a client who signed in, and everybody whom
/// the client shows it to could use it here. RFC 9068 gives access tokens the `typ` `at+jwt`;
/// providers that do not follow it mark them, or their ID tokens, with claims.
fn is_access_token(typ: Option<&str>, claims: &Map<String, Value>, audience: &str) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // Keycloak names the kind in `typ`, Cognito in `token_use`.
    let kinds = [("typ", "bearer"), ("token_use", "access")];
    let other = |(name, access): &(&str, &str)| {
        claims
            .get(*name)
            .is_some_and(|_| !text(name).is_some_and(|k| k.eq_ignore_ascii_case(access)))
    };
    if !is_kind(typ, &[ACCESS, "JWT"]) || kinds.iter().any(other) {
        return false;
    }
    let is_named = typ.is_some_and(|typ| is_kind(Some(typ), &[ACCESS]))
        || kinds.iter().any(|(name, _)| claims.contains_key(*name));
    if is_named {
        return true;
    }
    // OpenID Connect Core, 2, 3.1.3.6 and 3.3.2.11: only ID tokens have these.
    let of_identity = ["nonce", "at_hash", "c_hash", "s_hash"];
    if of_identity.iter().any(|name| claims.contains_key(*name)) {
        return false;
    }
    // The client of an ID token is its audience. That of an access token may be, too, but then the
    // token says what it allows.
    let is_for_its_client = text("azp") == Some(audience);
    !is_for_its_client
        || ["scope", "scp", "client_id"].iter().any(|name| claims.contains_key(*name))
}

/// Seconds since the epoch; RFC 7519 allows fractions.
fn instant(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
}

/// The highest role that the claim grants.
fn role(provider: &config::Oidc, claims: &Map<String, Value>) -> Option<Role> {
    let found = claim(claims, &provider.role_claim)?;
    let has = |wanted: &[String]| match found {
        Value::String(text) => text.split_whitespace().any(|word| wanted.iter().any(|w| w == word)),
        Value::Array(list) => {
            list.iter().filter_map(Value::as_str).any(|word| wanted.iter().any(|w| w == word))
        }
        _ => false,
    };
    if has(&provider.admin) {
        return Some(Role::Admin);
    }
    has(&provider.agent).then_some(Role::Agent)
}

/// Finds a claim by its full name, which may be a URL, or else by a path of names with dots between
/// them.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

/// The same person gets the same id each time: a version 8 UUID of SHA-256 over site, issuer and
/// subject.
fn person(provider: &config::Oidc, subject: &str) -> PrincipalId {
    let mut hasher = Sha256::new();
    for part in [provider.site.as_str(), &provider.issuer, subject] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let hash: [u8; 32] = hasher.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    PrincipalId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests;
