//! Accounts: one address in many spellings, customers of several issuers, and new passwords.

use actix_web::rt::test;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::RequestBuilder;
use rushdesk::domain::Role;
use serde_json::{Value, json};

use super::harness::*;

const IDENTITY: &str = "the-identity-key-of-this-shop-7f3c9a21";
const PASSWORD: &str = "correct horse";
const NEW: &str = "battery staple";

fn customer(email: &str, password: &str) -> Value {
    json!({"site_key": "pk_demo", "email": email, "password": password})
}

fn refresh_of(tokens: &Value) -> Value {
    json!({"refresh_token": tokens["refresh_token"]})
}

#[test]
async fn one_address_in_many_spellings_is_one_account() {
    let app = TestApp::start().await;
    for spellings in [
        ["zoë@example.com", "ZOE\u{308}@EXAMPLE.COM", " zoe\u{308}@ｅｘａｍｐｌｅ．ｃｏｍ "],
        ["fish@example.com", "ﬁSH＠example.com", "𝐟𝐢𝐬𝐡@Example.Com"],
        ["юзер@пример.рф", "ЮЗЕР@XN--E1AFMKFD.xn--p1ai", "юзер@ПРИМЕР。рф"],
        ["strasse@example.com", "straße@example.com", "STRAẞE@example.com"],
    ] {
        let eva = ok(app.auth("register", &customer(spellings[0], PASSWORD))).await;
        for email in spellings {
            refused(app.auth("register", &customer(email, NEW)), 401, "token_invalid").await;
            let again = ok(app.auth("login", &customer(email, PASSWORD))).await;
            assert_eq!(again["principal"], eva["principal"], "{email}");
        }
    }
    app.stop().await;
}

#[test]
async fn an_address_with_what_nobody_sees_is_refused() {
    let app = TestApp::start().await;
    ok(app.auth("register", &customer("eva@example.com", PASSWORD))).await;
    for hidden in
        ["\u{200b}", "\u{200d}", "\u{ad}", "\u{202e}", "\u{2066}", "\u{feff}", "\u{e0061}"]
    {
        for email in [format!("e{hidden}va@example.com"), format!("eva@exam{hidden}ple.com")] {
            let problem =
                refused(app.auth("register", &customer(&email, PASSWORD)), 422, "schema_violation")
                    .await;
            assert_eq!(problem["field_errors"][0]["field"], "email", "{problem}");
            refused(app.auth("login", &customer(&email, PASSWORD)), 401, "token_invalid").await;
        }
    }
    app.stop().await;
}

fn now_s() -> i64 {
    rushdesk::clock::now().as_millis() / 1_000
}

fn identity(claims: Value, typ: Option<&str>) -> Value {
    let mut all = json!({"iss": "shop", "sub": "7", "exp": now_s() + 600});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let header = Header { typ: typ.map(str::to_owned), ..Header::new(Algorithm::HS256) };
    let token = encode(&header, &all, &EncodingKey::from_secret(IDENTITY.as_bytes())).unwrap();
    json!({"site_key": "pk_shop", "identity_token": token})
}

fn shop() -> (&'static str, String) {
    let site =
        format!("[{{id=\"shop\",name=\"S\",site_key=\"pk_shop\",identity_secret=\"{IDENTITY}\"}}]");
    ("sites", site)
}

#[test]
async fn two_issuers_that_use_the_same_name_have_two_customers() {
    let app = TestApp::with(&[shop()]).await;
    let from = |iss: &str| app.auth("identify", &identity(json!({"iss": iss}), Some("JWT")));
    let at_once = join_all((0..6).map(|n| ok(from(["web", "till"][n % 2])))).await;
    let id = |n: usize| &at_once[n]["principal"]["id"];
    assert_eq!((id(0), id(1)), (id(2), id(3)), "an issuer knows its own");
    assert_ne!(id(0), id(1));
    let web = app.signed_in(&at_once[0]);
    let session = web.session().await;
    refused(app.signed_in(&at_once[1]).view(&session), 404, "not_found").await;
    sent(app.signed_in(&at_once[2]).view(&session)).await;
    app.stop().await;
}

#[test]
async fn a_token_of_another_kind_or_for_somebody_else_names_no_customer() {
    let app = TestApp::with(&[shop()]).await;
    for (claims, typ) in [
        (json!({}), Some("JWT")),
        (json!({}), None),
        (json!({"aud": "rushdesk"}), Some("JWT")),
        (json!({"aud": ["billing", "rushdesk"]}), Some("JWT")),
    ] {
        ok(app.auth("identify", &identity(claims, typ))).await;
    }
    for (claims, typ) in [
        (json!({}), Some("at+jwt")),
        (json!({}), Some("logout+jwt")),
        (json!({"aud": "billing"}), Some("JWT")),
        (json!({"aud": []}), Some("JWT")),
    ] {
        refused(app.auth("identify", &identity(claims, typ)), 401, "token_invalid").await;
    }
    app.stop().await;
}

#[test]
async fn a_token_of_another_time_or_with_a_header_that_must_be_understood_names_no_customer() {
    let app = TestApp::with(&[shop()]).await;
    let now = now_s();
    for claims in [
        json!({"iat": now, "nbf": now}),
        json!({"iat": now + 20, "nbf": now + 20}),
        json!({"iat": now as f64 + 0.5, "exp": now + 3_600}),
        json!({"iat": null}),
    ] {
        ok(app.auth("identify", &identity(claims, None))).await;
    }
    for claims in [
        json!({"nbf": now + 60}),
        json!({"iat": now + 60}),
        json!({"iat": 4_000_000_000_i64}),
        json!({"iat": 1e300}),
        json!({"iat": "now"}),
        json!({"nbf": []}),
        json!({"exp": now + 86_400}),
        json!({"exp": 4_000_000_000_i64}),
    ] {
        let body = identity(claims.clone(), None);
        let problem = refused(app.auth("identify", &body), 401, "token_invalid").await;
        assert!(problem["detail"].is_string(), "{claims}");
    }
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::HS256) };
    let claims = json!({"iss": "shop", "sub": "7", "exp": now + 600});
    let token = encode(&header, &claims, &EncodingKey::from_secret(IDENTITY.as_bytes())).unwrap();
    let body = json!({"site_key": "pk_shop", "identity_token": token});
    refused(app.auth("identify", &body), 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn an_identity_token_from_before_an_erasure_brings_nobody_back() {
    let data = tempfile::tempdir().unwrap();
    let app = TestApp::in_folder(data, &[shop()]).await;
    let now = now_s();
    let old = identity(json!({"iat": now}), None);
    let undated = identity(json!({}), None);
    let first = ok(app.auth("identify", &old)).await;
    let id = first["principal"]["id"].as_str().unwrap();
    ok(app.signed_in(&first).erase_customer(id)).await;
    let app = TestApp::in_folder(app.stop().await, &[shop()]).await;
    for token in [&old, &undated] {
        let problem = refused(app.auth("identify", token), 401, "token_invalid").await;
        assert!(problem["detail"].as_str().unwrap().contains("was erased"), "{problem}");
    }
    // Somebody else, and the same person later.
    ok(app.auth("identify", &identity(json!({"iat": now, "sub": "8"}), None))).await;
    let again = ok(app.auth("identify", &identity(json!({"iat": now_s() + 2}), None))).await;
    assert_ne!(again["principal"]["id"], id);
    refused(app.auth("identify", &old), 401, "token_invalid").await;
    app.stop().await;
}

fn change(who: &Shopper, current: &str, new: &str) -> RequestBuilder {
    who.post("/v1/auth/password").json(&json!({"current_password": current, "new_password": new}))
}

#[test]
async fn a_customer_sets_a_new_password_and_every_other_sign_in_ends() {
    let app = TestApp::start().await;
    let first = ok(app.auth("register", &customer("eva@example.com", PASSWORD))).await;
    let second = ok(app.auth("login", &customer("eva@example.com", PASSWORD))).await;
    let bob = ok(app.auth("register", &customer("bob@example.com", PASSWORD))).await;
    let eva = app.signed_in(&second);
    let wrong = refused(change(&eva, "wrong password", NEW), 422, "schema_violation").await;
    assert_eq!(wrong["field_errors"][0]["field"], "current_password", "{wrong}");
    let short = refused(change(&eva, PASSWORD, "short"), 422, "schema_violation").await;
    assert_eq!(short["field_errors"][0]["field"], "new_password", "{short}");
    let changed = ok(change(&eva, PASSWORD, NEW)).await;
    assert_eq!(changed["principal"], first["principal"]);
    for old in [&first, &second] {
        refused(app.auth("refresh", &refresh_of(old)), 401, "token_invalid").await;
    }
    ok(app.auth("refresh", &refresh_of(&changed))).await;
    ok(app.auth("refresh", &refresh_of(&bob))).await;
    refused(app.auth("login", &customer("eva@example.com", PASSWORD)), 401, "token_invalid").await;
    ok(app.auth("login", &customer("eva@example.com", NEW))).await;
    app.stop().await;
}

#[test]
async fn the_current_password_cannot_be_guessed_with_a_stolen_token() {
    let app = TestApp::with(&[("limits.account_guesses", "3".to_owned())]).await;
    let tokens = ok(app.auth("register", &customer("eva@example.com", PASSWORD))).await;
    let eva = app.signed_in(&tokens);
    for _ in 0..3 {
        refused(change(&eva, "wrong password", NEW), 422, "schema_violation").await;
    }
    refused(change(&eva, PASSWORD, NEW), 429, "rate_limited").await;
    refused(app.auth("login", &customer("eva@example.com", PASSWORD)), 429, "rate_limited").await;
    app.stop().await;
}

#[test]
async fn who_has_no_password_here_cannot_set_one() {
    let app = TestApp::with(&[shop()]).await;
    let identified = ok(app.auth("identify", &identity(json!({}), None))).await;
    for who in [app.visitor().await, app.signed_in(&identified)] {
        refused(change(&who, PASSWORD, NEW), 403, "forbidden").await;
    }
    app.stop().await;
}

fn link(who: &Shopper, email: &str) -> RequestBuilder {
    who.post("/v1/admin/users/reset").json(&json!({ "email": email }))
}

fn reset(app: &TestApp, token: &Value, password: &str) -> RequestBuilder {
    let body = json!({"site_key": "pk_demo", "reset_token": token, "new_password": password});
    app.auth("reset", &body)
}

#[test]
async fn a_link_sets_a_new_password_once_and_ends_every_sign_in() {
    let app = TestApp::with(&[("limits.account_guesses", "2".to_owned())]).await;
    let admin = app.admin().await;
    let eva = ok(app.auth("register", &customer("Eva@example.com", PASSWORD))).await;
    let earlier = ok(link(&admin, "eva@example.com")).await;
    let made = ok(link(&admin, " EVA@example.com ")).await;
    let (token, text) = (&made["reset_token"], made["link"].as_str().unwrap());
    assert_eq!(text, format!("{}/reset#pk_demo/{}", app.link_base(), token.as_str().unwrap()));
    // Whoever forgot the password has guessed before.
    for _ in 0..3 {
        status_of(app.auth("login", &customer("eva@example.com", "wrong password"))).await;
    }
    refused(reset(&app, &earlier["reset_token"], NEW), 401, "token_invalid").await;
    let short = refused(reset(&app, token, "short"), 422, "schema_violation").await;
    assert_eq!(short["field_errors"][0]["field"], "new_password", "{short}");
    let at_once = join_all((0..6).map(|_| status_of(reset(&app, token, NEW)))).await;
    assert_eq!(at_once.iter().filter(|status| **status == 204).count(), 1, "{at_once:?}");
    for bad in [token.clone(), json!(""), json!("x".repeat(43)), json!("x".repeat(10_000))] {
        refused(reset(&app, &bad, PASSWORD), 401, "token_invalid").await;
    }
    refused(app.auth("refresh", &refresh_of(&eva)), 401, "token_invalid").await;
    // The account is open again, with the new password only.
    ok(app.auth("login", &customer("eva@example.com", NEW))).await;
    refused(app.auth("login", &customer("eva@example.com", PASSWORD)), 401, "token_invalid").await;
    let audit = ok(admin.audit()).await;
    let entry = &audit["items"][0];
    assert_eq!(
        (&entry["action"], &entry["target"]),
        (&json!("user.reset"), &eva["principal"]["id"])
    );
    assert!(!audit.to_string().contains("example.com"), "{audit}");
    app.stop().await;
}

#[test]
async fn a_link_is_for_accounts_that_its_maker_may_reset_and_ends() {
    let settings = [shop(), ("auth.reset_ttl_s", "1".to_owned())];
    let app = TestApp::with(&settings).await;
    let admin = app.admin().await;
    ok(app.auth("register", &customer("eva@example.com", PASSWORD))).await;
    app.staff("demo", Role::Agent, "desk@example.com").await;
    let key = ok(admin.create_key("backend")).await;
    let server = app.holder(key["key"].as_str().unwrap());
    ok(link(&admin, "desk@example.com")).await;
    ok(link(&server, "eva@example.com")).await;
    // A stolen key of the server must not become one of the staff.
    refused(link(&server, "desk@example.com"), 404, "not_found").await;
    refused(link(&admin, "nobody@example.com"), 404, "not_found").await;
    refused(link(&admin, "no address"), 422, "schema_violation").await;
    let elsewhere = app.staff("shop", Role::Admin, "boss@example.com").await;
    refused(link(&elsewhere, "eva@example.com"), 404, "not_found").await;
    // A link of one shop is none of another.
    let made = ok(link(&admin, "eva@example.com")).await;
    let body =
        json!({"site_key": "pk_shop", "reset_token": made["reset_token"], "new_password": NEW});
    refused(app.auth("reset", &body), 401, "token_invalid").await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    refused(reset(&app, &made["reset_token"], NEW), 401, "token_invalid").await;
    ok(app.auth("login", &customer("eva@example.com", PASSWORD))).await;
    app.stop().await;
}

#[test]
async fn the_page_of_a_link_is_there_and_is_framed_by_nobody() {
    let app = TestApp::start().await;
    let page = sent(app.get("/reset")).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let html = page.text().await.unwrap();
    for asset in ["reset.js", "reset.css", "base.css"] {
        assert!(html.contains(asset), "{html}");
        sent(app.get(&format!("/assets/{asset}"))).await;
    }
    app.stop().await;
}
