use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::decode_header;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    config::{Auth, Secret},
    domain::{PrincipalId, Role, SiteId},
};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const OURS: &str = "rushdesk";
const NOW: Timestamp = Timestamp::from_millis(1_793_000_000_000);
const NOW_S: i64 = 1_793_000_000;

fn auth() -> Auth {
    Auth {
        operator_sites: Vec::new(),
        oidc: Vec::new(),
        jwt_secret: Secret::default(),
        jwt_secret_file: Default::default(),
        issuer: "rushdesk".into(),
        audience: "rushdesk".into(),
        access_ttl: Duration::from_secs(900),
        refresh_ttl: Duration::from_secs(1),
        reset_ttl: Duration::from_secs(1),
        password_workers: 1,
    }
}

fn secret(bytes: &[u8]) -> Secret {
    Secret::new(str::from_utf8(bytes).unwrap())
}

fn tokens() -> Tokens {
    Tokens::new(&auth(), &[secret(SECRET)])
}

fn principal() -> Principal {
    let site_id = SiteId::parse("shop").unwrap();
    Principal { id: PrincipalId::new(), role: Role::Customer, site_id }
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + seconds * 1000)
}

fn signed(header: &Header, claims: &Value, secret: &[u8]) -> String {
    encode(header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn hs256_signed(claims: &Value) -> String {
    signed(&Header::new(Algorithm::HS256), claims, SECRET)
}

fn claims() -> Value {
    json!({
        "iss": "rushdesk", "aud": "rushdesk", "sub": PrincipalId::new(), "site": "shop",
        "role": "visitor", "iat": NOW_S, "exp": NOW_S + 900, "jti": "x",
    })
}

fn identity_claims() -> Value {
    json!({ "iss": "shop", "sub": "customer-7", "email": "a@b.example", "exp": NOW_S + 600 })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn an_issued_token_names_its_principal_and_its_end() {
    let principal = principal();
    let token = tokens().issue(&principal, NOW).unwrap();
    let expected = Verified { principal, expires_at: after(900) };
    assert_eq!(tokens().verify(&token, NOW), Ok(expected));
}

#[test]
fn two_tokens_of_one_second_differ() {
    let (tokens, principal) = (tokens(), principal());
    assert_ne!(tokens.issue(&principal, NOW), tokens.issue(&principal, NOW));
}

#[test]
fn a_token_expires_after_its_life_and_the_leeway() {
    let token = tokens().issue(&principal(), NOW).unwrap();
    assert!(tokens().verify(&token, after(929)).is_ok());
    assert_eq!(tokens().verify(&token, after(930)), Err(AuthError::Expired));
}

#[test]
fn a_token_from_the_future_is_invalid() {
    let token = tokens().issue(&principal(), NOW).unwrap();
    assert!(tokens().verify(&token, after(-30)).is_ok());
    assert_eq!(tokens().verify(&token, after(-31)), Err(AuthError::Invalid));
}

#[test]
fn the_claims_of_these_tests_are_good_to_begin_with() {
    assert!(tokens().verify(&hs256_signed(&claims()), NOW).is_ok());
    assert!(verify_identity(SECRET, OURS, &hs256_signed(&identity_claims()), NOW).is_ok());
}

#[test]
fn a_token_of_another_kind_or_for_somebody_else_is_refused() {
    let of_kind = |typ: Option<&str>, claims: &Value| {
        let header = Header { typ: typ.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        signed(&header, claims, SECRET)
    };
    for (typ, is_access, is_identity) in [
        (None, true, true),
        (Some("JWT"), true, true),
        (Some("at+jwt"), true, false),
        (Some("application/AT+JWT"), true, false),
        (Some("id+jwt"), false, false),
        (Some("proof+jwt"), false, false),
        (Some(""), false, false),
    ] {
        let token = of_kind(typ, &claims());
        assert_eq!(tokens().verify(&token, NOW).is_ok(), is_access, "{typ:?}");
        let token = of_kind(typ, &identity_claims());
        let identity = verify_identity(SECRET, OURS, &token, NOW);
        assert_eq!(identity.is_ok(), is_identity, "{typ:?}");
    }
    let issued = tokens().issue(&principal(), NOW).unwrap();
    assert_eq!(decode_header(&issued).unwrap().typ.as_deref(), Some("at+jwt"));
    for (aud, is_for_us) in [
        (json!("rushdesk"), true),
        (json!(["shop", "rushdesk"]), true),
        (json!("shop"), false),
        (json!(["shop", "billing"]), false),
        (json!([]), false),
        (json!(7), false),
    ] {
        let token = hs256_signed(&with(identity_claims(), "aud", aud.clone()));
        assert_eq!(verify_identity(SECRET, OURS, &token, NOW).is_ok(), is_for_us, "{aud}");
    }
}

#[test]
fn another_algorithm_is_refused_even_with_the_right_key() {
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = signed(&Header::new(algorithm), &claims(), SECRET);
        assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Invalid), "{algorithm:?}");
    }
}

#[test]
fn an_unsigned_token_is_refused() {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = hs256_signed(&claims()).rsplit('.').next().unwrap().to_owned();
    for algorithm in ["none", "None", "NONE", ""] {
        for signature in ["", &signature] {
            let header = part(&json!({ "alg": algorithm, "typ": "JWT" }));
            let token = format!("{header}.{}.{signature}", part(&claims()));
            assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Invalid));
            assert_eq!(verify_identity(SECRET, OURS, &token, NOW), Err(AuthError::Invalid));
        }
    }
}

#[test]
fn a_token_of_another_key_is_invalid_and_does_not_even_say_that_it_expired() {
    let other = Tokens::new(&auth(), &[Secret::new("another-key-another-key-another-k")]);
    let token = other.issue(&principal(), NOW).unwrap();
    assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Invalid));
    assert_eq!(tokens().verify(&token, after(100_000)), Err(AuthError::Invalid));
}

#[test]
fn another_issuer_or_audience_is_invalid() {
    for name in ["iss", "aud"] {
        for value in [json!("other"), json!(""), json!(["rushdesk"]), json!(["other"])] {
            let token = hs256_signed(&with(claims(), name, value));
            assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Invalid), "{name}");
        }
    }
}

#[test]
fn every_claim_is_required_and_has_its_type() {
    for name in ["iss", "aud", "sub", "site", "role", "iat", "exp", "jti"] {
        let missing = hs256_signed(&without(claims(), name));
        assert_eq!(tokens().verify(&missing, NOW), Err(AuthError::Invalid), "{name}");
        for value in [json!(null), json!({}), json!([]), json!(true), json!("NaN!"), json!(1.5)] {
            let is_free_text = matches!(name, "jti") && value.is_string();
            let token = hs256_signed(&with(claims(), name, value.clone()));
            let outcome = tokens().verify(&token, NOW);
            assert_eq!(outcome.is_ok(), is_free_text, "{name} = {value}");
        }
    }
}

#[test]
fn extreme_times_neither_pass_nor_overflow() {
    for (exp, expected) in [
        (i64::MIN, Some(AuthError::Expired)),
        (-1, Some(AuthError::Expired)),
        (0, Some(AuthError::Expired)),
        (i64::MAX, None),
    ] {
        let token = hs256_signed(&with(claims(), "exp", json!(exp)));
        let outcome = tokens().verify(&token, NOW).err();
        // The library itself refuses anything that is not a natural number.
        assert!(outcome == expected || (exp < 0 && outcome == Some(AuthError::Invalid)), "{exp}");
    }
    let token = hs256_signed(&with(identity_claims(), "exp", json!(i64::MAX)));
    assert_eq!(verify_identity(SECRET, OURS, &token, NOW), Err(AuthError::Invalid));
}

#[test]
fn a_huge_token_is_refused_even_if_it_is_signed() {
    let token = hs256_signed(&with(claims(), "pad", json!("x".repeat(MAX_TOKEN))));
    assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Invalid));
    let begun = tokio::time::Instant::now();
    assert_eq!(tokens().verify(&"a.".repeat(5_000_000), NOW), Err(AuthError::Invalid));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn an_identity_is_what_the_shop_signed() {
    let identity = verify_identity(SECRET, OURS, &hs256_signed(&identity_claims()), NOW).unwrap();
    assert_eq!((identity.iss.as_str(), identity.sub.as_str()), ("shop", "customer-7"));
    assert_eq!(identity.email.as_deref(), Some("a@b.example"));
    assert!(!format!("{identity:?}").contains("b.example"));
    let bare = hs256_signed(&without(identity_claims(), "email"));
    assert_eq!(verify_identity(SECRET, OURS, &bare, NOW).unwrap().email, None);
}

#[test]
fn an_identity_token_needs_its_claims_and_a_near_end() {
    let refused =
        |claims: Value| verify_identity(SECRET, OURS, &hs256_signed(&claims), NOW).unwrap_err();
    for name in ["iss", "sub", "exp"] {
        assert_eq!(refused(without(identity_claims(), name)), AuthError::Invalid, "{name}");
        assert_eq!(refused(with(identity_claims(), name, json!([]))), AuthError::Invalid);
    }
    for name in ["iss", "sub"] {
        assert_eq!(refused(with(identity_claims(), name, json!(""))), AuthError::Invalid);
        let long = json!("x".repeat(MAX_NAME + 1));
        assert_eq!(refused(with(identity_claims(), name, long)), AuthError::Invalid);
    }
    assert_eq!(refused(with(identity_claims(), "email", json!(7))), AuthError::Invalid);
    let ends = |exp: i64| with(identity_claims(), "exp", json!(exp));
    assert_eq!(refused(ends(NOW_S - 30)), AuthError::Expired);
    assert_eq!(refused(ends(NOW_S + 3631)), AuthError::Invalid);
    assert!(verify_identity(SECRET, OURS, &hs256_signed(&ends(NOW_S + 3600)), NOW).is_ok());
}

#[test]
fn an_identity_token_of_the_future_or_with_a_critical_header_is_invalid() {
    let refused = |claims: Value| verify_identity(SECRET, OURS, &hs256_signed(&claims), NOW);
    for name in ["iat", "nbf"] {
        for time in [json!(NOW_S + 31), json!(i64::MAX), json!(1e300), json!("x"), json!([])] {
            let claims = with(identity_claims(), name, time.clone());
            assert_eq!(refused(claims), Err(AuthError::Invalid), "{name}: {time}");
        }
        for time in [json!(NOW_S + 30), json!(NOW_S as f64 + 0.5), json!(0), json!(null)] {
            let claims = with(identity_claims(), name, time.clone());
            assert!(refused(claims).is_ok(), "{name}: {time}");
        }
    }
    let header = Header { crit: Some(vec!["exp".into()]), ..Header::new(Algorithm::HS256) };
    let token = signed(&header, &identity_claims(), SECRET);
    assert_eq!(verify_identity(SECRET, OURS, &token, NOW), Err(AuthError::Invalid));
    let token = signed(&header, &claims(), SECRET);
    assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Invalid));
}

#[test]
fn an_identity_token_says_when_it_was_issued_or_could_have_been() {
    let issued = |claims: Value| {
        verify_identity(SECRET, OURS, &hs256_signed(&claims), NOW).unwrap().issued_from
    };
    let at = |second: i64| Timestamp::from_millis(second * 1_000);
    assert_eq!(issued(with(identity_claims(), "iat", json!(NOW_S - 7))), at(NOW_S - 7));
    let claims = with(without(identity_claims(), "iat"), "exp", json!(NOW_S + 60));
    assert_eq!(issued(claims), at(NOW_S + 60 - 3_630));
}

#[test]
fn a_shorter_life_ends_tokens_that_were_issued_for_a_longer_one() {
    let long = with(with(claims(), "iat", json!(NOW_S - 1_000)), "exp", json!(NOW_S + 1_000));
    assert_eq!(tokens().verify(&hs256_signed(&long), NOW), Err(AuthError::Expired));
    let young = with(with(claims(), "iat", json!(NOW_S)), "exp", json!(NOW_S + 100_000));
    let verified = tokens().verify(&hs256_signed(&young), NOW).unwrap();
    assert_eq!(verified.expires_at, Timestamp::from_millis((NOW_S + 900) * 1_000));
}

#[test]
fn a_shop_without_a_real_secret_cannot_name_anybody() {
    for secret in [b"".as_slice(), b"short"] {
        let token = signed(&Header::new(Algorithm::HS256), &identity_claims(), secret);
        assert_eq!(verify_identity(secret, OURS, &token, NOW), Err(AuthError::Invalid));
    }
}

#[test]
fn an_identity_token_is_not_an_access_token() {
    let token = hs256_signed(&identity_claims());
    assert_eq!(tokens().verify(&token, NOW), Err(AuthError::Invalid));
}

proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(text in ".{0,300}", parts in "[A-Za-z0-9_=.-]{0,200}") {
        for token in [&text, &parts, &format!("{parts}.{text}.{parts}")] {
            prop_assert_eq!(tokens().verify(token, NOW), Err(AuthError::Invalid));
            prop_assert_eq!(verify_identity(SECRET, OURS, token, NOW), Err(AuthError::Invalid));
        }
    }

    #[test]
    fn one_changed_byte_makes_a_token_invalid(at in 0usize..10_000, byte in "[A-Za-z0-9_.-]") {
        let token = hs256_signed(&claims());
        let mut changed = token.clone().into_bytes();
        let at = at % changed.len();
        changed[at] = byte.as_bytes()[0];
        let changed = String::from_utf8(changed).unwrap();
        prop_assume!(changed != token);
        prop_assert_eq!(tokens().verify(&changed, NOW), Err(AuthError::Invalid));
    }
}

#[test]
fn a_secret_that_is_replaced_is_accepted_until_it_is_taken_away() {
    let (tokens, principal) = (tokens(), principal());
    let next = Secret::new("another-secret-of-thirty-two-bytes-or-more");
    let old_token = tokens.issue(&principal, NOW).unwrap();
    // First all replicas accept the new secret, then it signs, then the old one is removed.
    tokens.replace_secrets(&[secret(SECRET), next.clone()]);
    let still_old = tokens.issue(&principal, NOW).unwrap();
    tokens.replace_secrets(&[next.clone(), secret(SECRET)]);
    let new_token = tokens.issue(&principal, NOW).unwrap();
    for token in [&old_token, &still_old, &new_token] {
        assert_eq!(tokens.verify(token, NOW).unwrap().principal, principal);
    }
    tokens.replace_secrets(&[next]);
    assert_eq!(tokens.verify(&old_token, NOW).unwrap_err(), AuthError::Invalid);
    assert_eq!(tokens.verify(&still_old, NOW).unwrap_err(), AuthError::Invalid);
    assert_eq!(tokens.verify(&new_token, NOW).unwrap().principal, principal);
}
