use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::SiteId;

fn provider() -> config::Oidc {
    config::Oidc {
        site: SiteId::parse("shop").unwrap(),
        issuer: "https://id.shop.example".into(),
        audience: "rushdesk".into(),
        jwks_url: "https://id.shop.example/keys".into(),
        role_claim: "roles".into(),
        admin: vec!["boss".into()],
        agent: vec!["desk".into(), "floor".into()],
    }
}

fn role_of(role_claim: &str, claims: Value) -> Option<Role> {
    let provider = config::Oidc { role_claim: role_claim.into(), ..provider() };
    role(&provider, claims.as_object().unwrap())
}

#[test]
fn the_highest_role_of_a_claim_counts_wherever_the_claim_lies() {
    for (name, claims, expected) in [
        ("roles", json!({"roles": "desk"}), Some(Role::Agent)),
        ("roles", json!({"roles": "floor boss"}), Some(Role::Admin)),
        ("roles", json!({"roles": ["x", "boss", "desk"]}), Some(Role::Admin)),
        ("roles", json!({"roles": ["BOSS", "bosses", "desk boss", 1, null]}), None),
        ("roles", json!({"roles": {"boss": true}}), None),
        ("roles", json!({"groups": ["boss"]}), None),
        ("realm_access.roles", json!({"realm_access": {"roles": ["desk"]}}), Some(Role::Agent)),
        (
            "https://shop.example/roles",
            json!({"https://shop.example/roles": ["desk"]}),
            Some(Role::Agent),
        ),
        ("a.b", json!({"a.b": "boss", "a": {"b": "desk"}}), Some(Role::Admin)),
        ("a.b", json!({"a": "desk"}), None),
    ] {
        assert_eq!(role_of(name, claims.clone()), expected, "{name} of {claims}");
    }
}

#[test]
fn an_id_token_of_any_provider_is_no_access_token() {
    let is_access =
        |typ, claims: Value| is_access_token(typ, claims.as_object().unwrap(), "rushdesk");
    for (typ, claims) in [
        (None, json!({})),
        (Some("JWT"), json!({"azp": "console"})),
        (Some("at+jwt"), json!({"nonce": "n"})),
        (Some("application/AT+JWT"), json!({})),
        // Keycloak before version 24 puts the nonce into access tokens, too.
        (Some("JWT"), json!({"typ": "Bearer", "azp": "rushdesk", "nonce": "n"})),
        (Some("JWT"), json!({"token_use": "access", "client_id": "c"})),
        (Some("JWT"), json!({"azp": "rushdesk", "scp": "desk"})),
        (Some("JWT"), json!({"azp": "rushdesk", "scope": "openid"})),
    ] {
        assert!(is_access(typ, claims.clone()), "{typ:?} {claims}");
    }
    for (typ, claims) in [
        (Some("JWT"), json!({"nonce": "n"})),
        (None, json!({"at_hash": "h"})),
        (Some("JWT"), json!({"c_hash": "h", "scope": "openid"})),
        (Some("JWT"), json!({"s_hash": "h"})),
        (Some("JWT"), json!({"azp": "rushdesk"})),
        (Some("JWT"), json!({"typ": "ID"})),
        (Some("JWT"), json!({"typ": "Refresh"})),
        (Some("JWT"), json!({"typ": null})),
        (Some("at+jwt"), json!({"typ": "ID"})),
        (Some("JWT"), json!({"token_use": "id"})),
        (Some("id+jwt"), json!({})),
        (Some("logout+jwt"), json!({})),
        (Some("secevent+jwt"), json!({"typ": "Bearer"})),
        (Some(""), json!({})),
    ] {
        assert!(!is_access(typ, claims.clone()), "{typ:?} {claims}");
    }
}

#[test]
fn a_person_is_the_same_each_time_and_another_elsewhere() {
    let one = person(&provider(), "ann");
    assert_eq!(one, person(&provider(), "ann"));
    assert_eq!(one.0.get_version_num(), 8);
    let other_site = config::Oidc { site: SiteId::parse("other").unwrap(), ..provider() };
    let other_issuer = config::Oidc { issuer: "https://id.shop.exampl".into(), ..provider() };
    assert_ne!(one, person(&provider(), "bob"));
    assert_ne!(one, person(&other_site, "ann"));
    assert_ne!(one, person(&other_issuer, "eann"));
}

#[test]
fn keys_of_no_use_are_passed_over_and_a_set_that_is_none_is_refused() {
    let set = json!({"keys": [
        {"kty": "oct", "k": "AAAA", "alg": "HS256"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}, {"kty": "new"}, 7, null, {},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "enc"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "good"},
    ]});
    let keys = KeySet::parse(set.to_string().as_bytes()).unwrap();
    let ids: Vec<_> = keys.0.iter().map(|key| key.id.as_deref()).collect();
    assert_eq!(ids, [Some("good")]);
    for bad in ["", "[]", "{}", "{\"keys\":{}}", "<html>"] {
        assert!(KeySet::parse(bad.as_bytes()).is_none(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_token_and_no_set_of_keys_makes_it_panic(
        token in "[A-Za-z0-9_.=-]{0,200}", set in any::<Vec<u8>>(), text in "\\PC{0,200}",
    ) {
        let _ = (Claimed::of(&token), Claimed::of(&text));
        let _ = (KeySet::parse(&set), KeySet::parse(text.as_bytes()));
    }
}
