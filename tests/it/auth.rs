//! Who may come in, as whom, and for how long.

use actix_web::rt::test;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::harness::*;

const SIGNING: &str = "the-signing-key-of-these-tests-58b1d0e4";
const IDENTITY: &str = "the-identity-key-of-this-shop-7f3c9a21";

/// A site of its own besides the demo.
fn shop() -> (&'static str, String) {
    let site = format!(
        "[{{id=\"shop\",name=\"S\",site_key=\"pk_shop\",\
         allowed_origins=[\"https://shop.example\"],identity_secret=\"{IDENTITY}\"}}]"
    );
    ("sites", site)
}

fn now_s() -> i64 {
    rushdesk::clock::now().as_millis() / 1_000
}

fn signed(algorithm: Algorithm, claims: &Value, key: &str) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

impl TestApp {
    async fn granted(&self, what: &str, data: Value) -> Value {
        ok(self.auth(what, &data)).await
    }
}

fn customer(email: &str, password: &str) -> Value {
    json!({"site_key": "pk_demo", "email": email, "password": password})
}

fn refresh_of(tokens: &Value) -> Value {
    json!({"refresh_token": tokens["refresh_token"]})
}

#[test]
async fn a_visitor_gets_tokens_in_the_shape_of_the_contract() {
    let app = TestApp::start().await;
    let response = app.auth("visitor", &json!({"site_key": "pk_demo"})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("no-store"));
    let tokens = body(response).await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(tokens["principal"]["role"], "visitor");
    assert_eq!(tokens["principal"]["site_id"], "demo");
    assert!(tokens["refresh_token"].as_str().unwrap().len() >= 32);
    let me = ok(app.signed_in(&tokens).me()).await;
    assert_eq!(me, tokens["principal"]);
    let other = app.granted("visitor", json!({"site_key": "pk_demo", "locale": "de"})).await;
    assert_ne!(other["principal"]["id"], tokens["principal"]["id"]);
    app.stop().await;
}

#[test]
async fn a_site_key_that_nobody_has_opens_nothing() {
    let app = TestApp::start().await;
    for key in ["pk_nobody", "", "pk_demo ", "PK_DEMO", "' or 1=1 --", &"x".repeat(10_000)] {
        refused(app.auth("visitor", &json!({ "site_key": key })), 404, "not_found").await;
        for what in ["login", "register"] {
            let body = with(customer("a@b.example", "correct horse"), "site_key", json!(key));
            refused(app.auth(what, &body), 404, "not_found").await;
        }
        let body = json!({"site_key": key, "identity_token": "x.y.z"});
        refused(app.auth("identify", &body), 404, "not_found").await;
    }
    app.stop().await;
}

#[test]
async fn a_customer_registers_signs_in_refreshes_and_signs_out() {
    let app = TestApp::start().await;
    let registered = app.granted("register", customer("Eva@Example.com", "correct horse")).await;
    assert_eq!(registered["principal"]["role"], "customer");
    let signed_in = app.granted("login", customer(" eva@example.COM ", "correct horse")).await;
    assert_eq!(signed_in["principal"], registered["principal"]);
    let refreshed = app.granted("refresh", refresh_of(&signed_in)).await;
    assert_eq!(refreshed["principal"], registered["principal"]);
    assert_ne!(refreshed["refresh_token"], signed_in["refresh_token"]);
    app.signed_in(&refreshed).session().await;
    let out = app.auth("logout", &refresh_of(&refreshed)).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    refused(app.auth("refresh", &refresh_of(&refreshed)), 401, "token_invalid").await;
    // The other sign-in of the same customer goes on.
    app.granted("refresh", refresh_of(&registered)).await;
    app.stop().await;
}

#[test]
async fn a_registration_that_cannot_be_is_refused_with_its_fields() {
    let app = TestApp::start().await;
    for (email, password, field) in [
        ("not an address", "correct horse", "email"),
        ("a@b", "correct horse", "email"),
        ("", "correct horse", "email"),
        ("a\0@b.example", "correct horse", "email"),
        ("a@b.example", "short", "password"),
        ("a@b.example", "", "password"),
        ("a@b.example", &"x".repeat(257), "password"),
    ] {
        let request = app.auth("register", &customer(email, password));
        let problem = refused(request, 422, "schema_violation").await;
        assert_eq!(problem["field_errors"][0]["field"], field, "{problem}");
        assert!(!problem.to_string().contains(password) || password.is_empty(), "{problem}");
    }
    app.stop().await;
}

#[test]
async fn a_taken_address_is_registered_again_by_nobody_and_its_password_signs_in() {
    let app = TestApp::start().await;
    let eva = app.granted("register", customer("eva@example.com", "correct horse")).await;
    for email in ["eva@example.com", "EVA@example.com", " eva@example.com "] {
        let wrong = customer(email, "another horse");
        let told = refused(app.auth("register", &wrong), 401, "token_invalid").await;
        let of_login = refused(app.auth("login", &wrong), 401, "token_invalid").await;
        assert_eq!(essence(told), essence(of_login), "it is what a sign-in says");
        let again = app.granted("register", customer(email, "correct horse")).await;
        assert_eq!(again["principal"], eva["principal"]);
    }
    app.granted("login", customer("eva@example.com", "correct horse")).await;
    let other = customer("eva@example.com", "another horse");
    refused(app.auth("login", &other), 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn signing_in_never_says_whether_the_address_exists() {
    let app = TestApp::start().await;
    app.granted("register", customer("eva@example.com", "correct horse")).await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("eva@example.com", "wrong password"),
        ("nobody@example.com", "wrong password"),
        ("nobody@example.com", "correct horse"),
        ("not an address", "correct horse"),
        ("eva@example.com", ""),
        ("nobody@example.com", ""),
    ] {
        let problem = refused(app.auth("login", &customer(email, password)), 401, "token_invalid");
        answers.push(essence(problem.await));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    app.stop().await;
}

#[test]
async fn an_account_of_one_shop_does_not_open_another() {
    let app = TestApp::with(&[shop()]).await;
    app.granted("register", customer("eva@example.com", "correct horse")).await;
    let elsewhere =
        with(customer("eva@example.com", "correct horse"), "site_key", json!("pk_shop"));
    refused(app.auth("login", &elsewhere), 401, "token_invalid").await;
    // The same address may have an account of its own there.
    let other = app.granted("register", elsewhere).await;
    assert_eq!(other["principal"]["site_id"], "shop");
    app.stop().await;
}

#[test]
async fn a_refresh_token_that_comes_twice_ends_its_whole_family() {
    let app = TestApp::start().await;
    let first = app.granted("visitor", json!({"site_key": "pk_demo"})).await;
    let second = app.granted("refresh", refresh_of(&first)).await;
    let third = app.granted("refresh", refresh_of(&second)).await;
    assert_eq!(third["principal"], first["principal"]);
    refused(app.auth("refresh", &refresh_of(&first)), 401, "token_invalid").await;
    refused(app.auth("refresh", &refresh_of(&third)), 401, "token_invalid").await;
    for token in ["", "x", &"x".repeat(10_000), "a'b", "\0"] {
        let body = json!({ "refresh_token": token });
        refused(app.auth("refresh", &body), 401, "token_invalid").await;
    }
    app.stop().await;
}

#[test]
async fn eight_refreshes_of_one_token_at_once_are_one_success() {
    let app = TestApp::start().await;
    let tokens = app.granted("visitor", json!({"site_key": "pk_demo"})).await;
    let refresh = || app.auth("refresh", &refresh_of(&tokens)).send();
    let answers = futures_util::future::join_all((0..8).map(|_| refresh())).await;
    let mut statuses: Vec<u16> =
        answers.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
    app.stop().await;
}

#[test]
async fn an_expired_refresh_token_says_so() {
    let app = TestApp::with(&[("auth.refresh_ttl_s", "0".to_owned())]).await;
    let tokens = app.granted("visitor", json!({"site_key": "pk_demo"})).await;
    refused(app.auth("refresh", &refresh_of(&tokens)), 401, "token_expired").await;
    app.stop().await;
}

#[test]
async fn signing_out_is_idempotent_and_ends_every_token_of_the_family() {
    let app = TestApp::start().await;
    let first = app.granted("visitor", json!({"site_key": "pk_demo"})).await;
    let second = app.granted("refresh", refresh_of(&first)).await;
    let unknown = json!({"refresh_token": "nobody's"});
    for body in [refresh_of(&first), refresh_of(&second), refresh_of(&second), unknown] {
        let out = app.auth("logout", &body).send().await.unwrap();
        assert_eq!(out.status(), StatusCode::NO_CONTENT);
    }
    refused(app.auth("refresh", &refresh_of(&second)), 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn an_access_token_that_is_not_ours_opens_nothing() {
    let app = TestApp::with(&[("auth.jwt_secret", SIGNING.to_owned())]).await;
    let claims = || {
        json!({
            "iss": "rushdesk", "aud": "rushdesk", "sub": uuid::Uuid::now_v7(), "site": "demo",
            "role": "admin", "iat": now_s(), "exp": now_s() + 900, "jti": "x",
        })
    };
    let ours = |claims: &Value| signed(Algorithm::HS256, claims, SIGNING);
    let good = ours(&claims());
    let me = |token: &str| app.get("/v1/auth/me").bearer_auth(token);
    assert_eq!(status_of(me(&good)).await, StatusCode::OK, "the control");

    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let unsigned = format!("{}.{}.", part(json!({"alg": "none"})), part(claims()));
    let body_swapped = {
        let mut parts = good.split('.');
        let (head, _, mac) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
        format!("{head}.{}.{mac}", part(claims()))
    };
    let bad = [
        ("alg none", unsigned),
        ("another body under the same signature", body_swapped),
        ("another key", signed(Algorithm::HS256, &claims(), IDENTITY)),
        ("another algorithm", signed(Algorithm::HS512, &claims(), SIGNING)),
        ("another audience", ours(&with(claims(), "aud", json!("other")))),
        ("another issuer", ours(&with(claims(), "iss", json!("other")))),
        ("a role that does not exist", ours(&with(claims(), "role", json!("root")))),
        ("no role", ours(&with(claims(), "role", Value::Null))),
        ("no end", ours(&with(claims(), "exp", Value::Null))),
        ("made in the future", ours(&with(claims(), "iat", json!(now_s() + 3_600)))),
        ("expired, of another key", {
            signed(Algorithm::HS256, &with(claims(), "exp", json!(1)), IDENTITY)
        }),
        ("garbage", "garbage".to_owned()),
        ("dots", "...".to_owned()),
        ("nothing", String::new()),
        ("a key that nobody made", format!("rdk_0123456789ab_{}", "x".repeat(43))),
        ("60 KB", "x".repeat(60_000)),
        ("60 KB, signed", ours(&with(claims(), "pad", json!("x".repeat(45_000))))),
    ];
    for (what, token) in bad {
        let response = me(&token).send().await.unwrap();
        assert_eq!(response.headers().get("www-authenticate").unwrap(), "Bearer", "{what}");
        let (status, code, problem) = problem(response).await;
        assert_eq!((status, code.as_str()), (401, "token_invalid"), "{what}");
        assert!(token.len() < 10 || !problem.to_string().contains(&token), "{what}");
    }
    let expired = ours(&with(claims(), "exp", json!(now_s() - 60)));
    refused(me(&expired), 401, "token_expired").await;
    refused(app.get("/v1/auth/me"), 401, "token_invalid").await;
    let basic = app.get("/v1/auth/me").header("authorization", "Basic YTpi");
    refused(basic, 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn a_token_of_a_megabyte_is_refused_and_harms_nobody() {
    let app = TestApp::start().await;
    let huge = "x".repeat(1 << 20);
    // The head of a request is bounded before anybody looks into it; the connection may end first.
    if let Ok(response) = app.get("/v1/auth/me").bearer_auth(&huge).send().await {
        assert!(matches!(response.status().as_u16(), 400 | 401 | 431), "{}", response.status());
    }
    let visitor = app.visitor().await;
    visitor.session().await;
    app.stop().await;
}

fn identity(subject: &str, ends_in_s: i64, key: &str) -> Value {
    let claims = json!({"iss": "shop", "sub": subject, "exp": now_s() + ends_in_s});
    json!({"site_key": "pk_shop", "identity_token": signed(Algorithm::HS256, &claims, key)})
}

#[test]
async fn a_shopper_whom_the_shop_vouches_for_is_the_same_customer_each_time() {
    let app = TestApp::with(&[shop()]).await;
    let first = app.granted("identify", identity("customer-7", 600, IDENTITY)).await;
    assert_eq!(first["principal"]["role"], "customer");
    assert_eq!(first["principal"]["site_id"], "shop");
    let again = app.granted("identify", identity("customer-7", 60, IDENTITY)).await;
    assert_eq!(again["principal"], first["principal"]);
    let other = app.granted("identify", identity("customer-8", 600, IDENTITY)).await;
    assert_ne!(other["principal"]["id"], first["principal"]["id"]);
    let at_once = || app.granted("identify", identity("customer-9", 600, IDENTITY));
    let many = futures_util::future::join_all((0..5).map(|_| at_once())).await;
    assert!(many.iter().all(|one| one["principal"] == many[0]["principal"]), "{many:?}");
    let session = app.signed_in(&first).session().await;
    let read = |who: &Value| app.signed_in(who).view(&session);
    sent(read(&again)).await;
    refused(read(&other), 404, "not_found").await;
    app.stop().await;
}

#[test]
async fn an_identity_that_the_shop_did_not_sign_is_refused() {
    let app = TestApp::with(&[shop()]).await;
    for (body, code) in [
        (identity("customer-7", 600, SIGNING), "token_invalid"),
        (identity("customer-7", 600, ""), "token_invalid"),
        (identity("customer-7", -60, IDENTITY), "token_expired"),
        (identity("customer-7", 100_000, IDENTITY), "token_invalid"),
        (identity("", 600, IDENTITY), "token_invalid"),
        (with(identity("x", 600, IDENTITY), "identity_token", json!("a.b.c")), "token_invalid"),
        // The demo shop has no secret: nobody can vouch for anybody there.
        (with(identity("x", 600, ""), "site_key", json!("pk_demo")), "token_invalid"),
        (with(identity("x", 600, IDENTITY), "site_key", json!("pk_demo")), "token_invalid"),
    ] {
        refused(app.auth("identify", &body), 401, code).await;
    }
    let mut token = identity("customer-7", 600, IDENTITY)["identity_token"].take();
    let as_access = app.get("/v1/auth/me").bearer_auth(token.take().as_str().unwrap());
    refused(as_access, 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn signing_in_shows_nothing_of_the_anonymous_use_before_it_and_the_other_way_round() {
    let app = TestApp::start().await;
    let anonymous = app.visitor().await;
    let before = anonymous.session().await;
    anonymous.ask(&before, "What is the price guarantee?").await;
    let tokens = app.granted("register", customer("eva@example.com", "correct horse")).await;
    let eva = app.signed_in(&tokens);
    let own = eva.session().await;
    eva.ask(&own, "Do you deliver on Saturdays?").await;

    for (who, mine, theirs) in [(&eva, &own, &before), (&anonymous, &before, &own)] {
        assert_eq!(who.session_ids().await, [mine.as_str()]);
        refused(who.history(theirs), 404, "not_found").await;
    }
    app.stop().await;
}

#[test]
async fn a_key_of_the_shops_server_works_until_it_is_revoked() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = admin.create_key("backend").send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let made = body(made).await;
    let server = app.holder(made["key"].as_str().unwrap());
    let me = ok(server.me()).await;
    assert_eq!((&me["role"], &me["site_id"]), (&json!("server"), &json!("demo")));
    let session = server.session().await;
    server.ask(&session, "What is the price guarantee?").await;
    // Keys are for admins only, not for keys.
    refused(server.keys(), 403, "forbidden").await;

    sent(admin.create_key("next")).await;
    refused(admin.create_key("third"), 409, "conflict").await;
    let listed = ok(admin.keys()).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(&server.token), "a key is shown once");

    let id = made["id"].as_str().unwrap();
    assert_eq!(status_of(admin.revoke_key(id)).await, StatusCode::NO_CONTENT);
    refused(server.me(), 401, "token_invalid").await;
    refused(admin.revoke_key(id), 404, "not_found").await;
    sent(admin.create_key("third")).await;
    for name in [String::new(), "x".repeat(101)] {
        refused(admin.create_key(&name), 422, "schema_violation").await;
    }
    app.stop().await;
}

#[test]
async fn the_rooms_of_operators_are_closed_to_shoppers() {
    let app = TestApp::start().await;
    let visitor = app.visitor().await;
    let tokens = app.granted("register", customer("eva@example.com", "correct horse")).await;
    let eva = app.signed_in(&tokens);
    let id = uuid::Uuid::now_v7();
    for (method, path, body) in [
        (Method::GET, "/v1/admin/cache".to_owned(), Value::Null),
        (Method::POST, "/v1/admin/cache/purge".to_owned(), json!({"all": true})),
        (Method::GET, "/v1/admin/keys".to_owned(), Value::Null),
        (Method::POST, "/v1/admin/keys".to_owned(), json!({"name": "mine"})),
        (Method::DELETE, format!("/v1/admin/keys/{id}"), Value::Null),
        (Method::GET, "/v1/admin/audit".to_owned(), Value::Null),
        (Method::GET, "/v1/admin/backends".to_owned(), Value::Null),
        (Method::GET, "/v1/admin/guard/decisions".to_owned(), Value::Null),
        (Method::GET, "/v1/knowledge/documents".to_owned(), Value::Null),
        (Method::GET, "/v1/knowledge/documents/returns".to_owned(), Value::Null),
        (Method::PUT, "/v1/knowledge/documents/x".to_owned(), json!({"title": "X", "text": "x"})),
        (Method::DELETE, "/v1/knowledge/documents/returns".to_owned(), Value::Null),
    ] {
        for who in [&visitor, &eva] {
            refused(who.request(method.clone(), &path).json(&body), 403, "forbidden").await;
        }
        refused(app.request(method, &path).json(&body), 401, "token_invalid").await;
    }
    app.stop().await;
}

#[test]
async fn a_page_of_another_website_gets_nothing() {
    let app = TestApp::with(&[shop()]).await;
    let body = json!({"site_key": "pk_shop"});
    let allowed = app.granted("visitor", body.clone()).await;
    let shopper = app.signed_in(&allowed);
    for origin in ["https://evil.example", "https://shop.example.evil.example", "null", ""] {
        let from = |request: RequestBuilder| request.header("origin", origin);
        refused(from(app.auth("visitor", &body)), 403, "origin_not_allowed").await;
        refused(from(shopper.sessions()), 403, "origin_not_allowed").await;
        let response = from(shopper.sessions()).send().await.unwrap();
        assert!(!response.headers().contains_key("access-control-allow-origin"), "{origin}");
    }
    // An origin that one shop allows is still a stranger to another.
    let demo = app.auth("visitor", &json!({"site_key": "pk_demo"}));
    refused(demo.header("origin", "https://shop.example"), 403, "origin_not_allowed").await;
    app.stop().await;
}

#[test]
async fn a_page_of_the_shop_may_call_and_may_read_what_it_needs() {
    let app = TestApp::with(&[shop()]).await;
    let origin = "https://shop.example";
    let visitor = app.auth("visitor", &json!({"site_key": "pk_shop"})).header("origin", origin);
    let response = visitor.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()["access-control-allow-origin"], origin);
    let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap().to_owned();
    for name in ["x-request-id", "retry-after", "idempotency-replayed"] {
        assert!(exposed.to_lowercase().contains(name), "{exposed}");
    }
    let tokens = body(response).await;
    let path = format!("/v1/sessions/{}", uuid::Uuid::now_v7());
    let request = app.signed_in(&tokens).get(&path).header("origin", origin);
    let missing = request.send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(missing.headers()["access-control-allow-origin"], origin, "errors can be read too");
    app.stop().await;
}

#[test]
async fn a_preflight_passes_for_the_shop_and_for_nobody_else() {
    let app = TestApp::with(&[shop()]).await;
    let path = format!("/v1/sessions/{}/messages", uuid::Uuid::now_v7());
    let preflight = |origin: &str| {
        app.request(Method::OPTIONS, &path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,idempotency-key")
    };
    let response = preflight("https://shop.example").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["access-control-allow-origin"], "https://shop.example");
    let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
    for name in ["authorization", "idempotency-key", "last-event-id"] {
        assert!(allowed.to_lowercase().contains(name), "{allowed}");
    }
    assert!(response.headers()["vary"].to_str().unwrap().to_lowercase().contains("origin"));
    let other = preflight("https://evil.example").send().await.unwrap();
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    let (status, code, _) = problem(other).await;
    assert_eq!((status, code.as_str()), (403, "origin_not_allowed"));
    app.stop().await;
}
