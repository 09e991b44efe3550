//! Staff who sign in with the shop's identity provider: a real one on a port of its own, which rotates its keys.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use actix_web::{HttpResponse, dev::ServerHandle, rt::test, web};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use reqwest::RequestBuilder;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};

use super::{harness::*, servers::served};

const RSA: &str = include_str!("../fixtures/oidc/rsa_2048.pem");
const SMALL_RSA: &str = include_str!("../fixtures/oidc/rsa_1024.pem");
const ED25519: &str = include_str!("../fixtures/oidc/ed25519.pem");
const ISSUER: &str = "https://id.shop.example";

fn der(pem: &str) -> Vec<u8> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap().secret_der().to_vec()
}

#[derive(Clone)]
struct Signer {
    id: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    fn rsa(id: &'static str, pem: &str) -> Self {
        let key = EncodingKey::from_rsa_der(&der(pem));
        Self { id, algorithm: Algorithm::RS256, key }
    }

    fn ed25519(id: &'static str) -> Self {
        let key = EncodingKey::from_ed_der(&der(ED25519));
        Self { id, algorithm: Algorithm::EdDSA, key }
    }

    /// A new key each time.
    fn p256(id: &'static str) -> Self {
        let der = rcgen::KeyPair::generate().unwrap().serialize_der();
        let key = EncodingKey::from_ec_der(&der);
        Self { id, algorithm: Algorithm::ES256, key }
    }

    fn public(&self) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap())
                .unwrap();
        jwk["kid"] = self.id.into();
        jwk["use"] = "sig".into();
        jwk
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).unwrap()
    }
}

#[derive(Clone, Default)]
struct Published {
    body: Arc<Mutex<(u16, String)>>,
    fetches: Arc<AtomicUsize>,
}

/// The provider's server.
struct Provider {
    published: Published,
    url: String,
    handle: ServerHandle,
}

async fn keys(published: web::Data<Published>) -> HttpResponse {
    published.fetches.fetch_add(1, SeqCst);
    let (status, body) = published.body.lock().unwrap().clone();
    HttpResponse::build(status.try_into().unwrap())
        .insert_header(("location", "/elsewhere"))
        .body(body)
}

impl Provider {
    async fn start(signers: &[&Signer]) -> Self {
        let published = Published::default();
        let data = web::Data::new(published.clone());
        let (url, handle) = served(move |config| {
            config
                .app_data(data.clone())
                .route("/keys", web::get().to(keys))
                .route("/elsewhere", web::get().to(async || "{\"keys\":[]}"));
        });
        let provider = Self { published, url: format!("{url}/keys"), handle };
        provider.publish(signers);
        provider
    }

    fn publish(&self, signers: &[&Signer]) {
        let keys: Vec<_> = signers.iter().map(|signer| signer.public()).collect();
        self.answer(200, &json!({ "keys": keys }).to_string());
    }

    fn answer(&self, status: u16, body: &str) {
        *self.published.body.lock().unwrap() = (status, body.to_owned());
    }

    fn fetches(&self) -> usize {
        self.published.fetches.load(SeqCst)
    }

    fn settings(&self) -> [(&'static str, String); 2] {
        let sites = "[{id=\"shop\",name=\"S\",site_key=\"pk_shop\"},{id=\"b\",name=\"B\",site_key=\"pk_b\"}]";
        let oidc = format!(
            "[{{site=\"shop\",issuer=\"{ISSUER}\",audience=\"rushdesk\",jwks_url=\"{}\",\
             role_claim=\"realm_access.roles\",admin=[\"boss\"],agent=[\"desk\"]}}]",
            self.url
        );
        [("sites", sites.to_owned()), ("auth.oidc", oidc)]
    }
}

fn now_s() -> i64 {
    rushdesk::clock::now().as_millis() / 1_000
}

fn claims(role: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": ["account", "rushdesk"], "sub": "ann", "exp": now_s() + 300,
        "iat": now_s(), "nbf": now_s(), "realm_access": {"roles": ["other", role]},
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn me(app: &TestApp, token: &str) -> RequestBuilder {
    app.holder(token).me()
}

async fn principal(app: &TestApp, token: &str) -> Value {
    ok(me(app, token)).await
}

#[test]
async fn staff_come_in_with_the_tokens_of_their_provider() {
    let (rsa, ec, ed) = (Signer::rsa("r", RSA), Signer::p256("e"), Signer::ed25519("d"));
    let provider = Provider::start(&[&rsa, &ec, &ed]).await;
    let app = TestApp::with(&provider.settings()).await;
    let mut seen = Vec::new();
    for signer in [&rsa, &ec, &ed] {
        let ann = principal(&app, &signer.sign(&claims("boss"))).await;
        assert_eq!((&ann["role"], &ann["site_id"]), (&json!("admin"), &json!("shop")));
        seen.push(ann["id"].clone());
    }
    assert!(seen.iter().all(|id| *id == seen[0]), "one person, one id: {seen:?}");
    let bob = with(claims("desk"), "sub", json!("bob"));
    let bob = principal(&app, &rsa.sign(&bob)).await;
    assert_eq!(bob["role"], "agent");
    assert_ne!(bob["id"], seen[0]);
    // What the role may do, it may do.
    let admin = app.holder(&ec.sign(&claims("boss")));
    sent(admin.create_key("backend")).await;
    let audit = ok(admin.audit()).await;
    assert_eq!(audit["items"][0]["actor_id"], seen[0]);
    let agent = app.holder(&ec.sign(&claims("desk")));
    refused(agent.keys(), 403, "forbidden").await;
    assert_eq!(provider.fetches(), 1, "keys are kept");
    app.stop().await;
    provider.handle.stop(false).await;
}

#[test]
async fn a_token_that_the_provider_did_not_mean_for_us_opens_nothing() {
    let (rsa, ec) = (Signer::rsa("r", RSA), Signer::p256("e"));
    let (small, stranger) = (Signer::rsa("small", SMALL_RSA), Signer::p256("e"));
    let provider = Provider::start(&[&rsa, &ec, &small]).await;
    let app = TestApp::with(&provider.settings()).await;
    let good = rsa.sign(&claims("boss"));
    principal(&app, &good).await;

    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let public_key = rsa.public()["n"].as_str().unwrap().to_owned();
    let hmac = |key: &[u8]| {
        let header = Header { kid: Some("r".to_owned()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims("boss"), &EncodingKey::from_secret(key)).unwrap()
    };
    let signature = good.rsplit('.').next().unwrap();
    let as_rsa = |claims: Value| rsa.sign(&claims);
    let now = now_s();
    let bad = [
        (
            "alg none",
            format!("{}.{}.", part(json!({"alg": "none", "kid": "r"})), part(claims("boss"))),
        ),
        ("no signature", format!("{}.", good.rsplit_once('.').unwrap().0)),
        ("HS256 with the public key", hmac(&URL_SAFE_NO_PAD.decode(&public_key).unwrap())),
        ("HS256 with the public key as text", hmac(public_key.as_bytes())),
        ("the algorithm of another key", {
            let header = part(json!({"alg": "ES256", "kid": "r"}));
            format!("{header}.{}.{signature}", part(with(claims("boss"), "sub", json!("eve"))))
        }),
        ("RS512", {
            let header = Header { kid: Some("r".to_owned()), ..Header::new(Algorithm::RS512) };
            encode(&header, &claims("boss"), &rsa.key).unwrap()
        }),
        ("other claims under the same signature", {
            let header = good.split('.').next().unwrap();
            format!("{header}.{}.{signature}", part(with(claims("boss"), "sub", json!("eve"))))
        }),
        ("a key of its own in the header", {
            let header = json!({"alg": "ES256", "kid": "e", "jwk": stranger.public(), "jku": "http://127.0.0.1:1/"});
            let signed = stranger.sign(&claims("boss"));
            format!("{}.{}", part(header), signed.split_once('.').unwrap().1)
        }),
        ("a stranger's key under a known name", stranger.sign(&claims("boss"))),
        ("an RSA key of 1024 bits", small.sign(&claims("boss"))),
        ("another audience", as_rsa(with(claims("boss"), "aud", json!("account")))),
        ("no audience", as_rsa(with(claims("boss"), "aud", Value::Null))),
        ("another issuer", as_rsa(with(claims("boss"), "iss", json!("https://evil.example")))),
        (
            "an issuer that begins alike",
            as_rsa(with(claims("boss"), "iss", json!(format!("{ISSUER}/")))),
        ),
        ("no end", as_rsa(with(claims("boss"), "exp", Value::Null))),
        ("an end in words", as_rsa(with(claims("boss"), "exp", json!("tomorrow")))),
        ("not yet", as_rsa(with(claims("boss"), "nbf", json!(now + 3_600)))),
        ("made in the future", as_rsa(with(claims("boss"), "iat", json!(now + 3_600)))),
        ("nobody", as_rsa(with(claims("boss"), "sub", json!("")))),
        ("a number for a person", as_rsa(with(claims("boss"), "sub", json!(7)))),
        ("an ID token with a nonce", as_rsa(with(claims("boss"), "nonce", json!("n")))),
        (
            "an ID token with the hash of its code",
            as_rsa(with(claims("boss"), "c_hash", json!("h"))),
        ),
        ("an ID token of Keycloak", as_rsa(with(claims("boss"), "typ", json!("ID")))),
        ("an ID token of Cognito", as_rsa(with(claims("boss"), "token_use", json!("id")))),
        (
            "an ID token that our page was given",
            as_rsa(with(claims("boss"), "azp", json!("rushdesk"))),
        ),
        ("a token of another type", {
            let header = Header {
                typ: Some("logout+jwt".to_owned()),
                kid: Some("r".to_owned()),
                ..Header::new(Algorithm::RS256)
            };
            encode(&header, &claims("boss"), &rsa.key).unwrap()
        }),
        ("too long", as_rsa(with(claims("boss"), "pad", json!("x".repeat(20_000))))),
    ];
    for (what, token) in bad {
        let (status, code, _) = problem(me(&app, &token).send().await.unwrap()).await;
        assert_eq!((status, code.as_str()), (401, "token_invalid"), "{what}");
    }
    refused(me(&app, &as_rsa(with(claims("boss"), "exp", json!(now - 60)))), 401, "token_expired")
        .await;
    for role in ["", "BOSS", "customer"] {
        refused(me(&app, &rsa.sign(&claims(role))), 403, "forbidden").await;
    }
    // Its people are of one site, whatever the token says.
    let cheating = with(with(claims("boss"), "site", json!("b")), "role", json!("server"));
    let ann = principal(&app, &rsa.sign(&cheating)).await;
    assert_eq!((&ann["site_id"], &ann["role"]), (&json!("shop"), &json!("admin")));
    app.stop().await;
    provider.handle.stop(false).await;
}

#[test]
async fn a_key_that_is_new_is_fetched_once_and_a_flood_of_unknown_ones_is_not_passed_on() {
    let (old, new) = (Signer::p256("2026-01"), Signer::p256("2026-02"));
    let provider = Provider::start(&[&old]).await;
    let app = TestApp::with(&provider.settings()).await;
    principal(&app, &old.sign(&claims("desk"))).await;
    provider.publish(&[&old, &new]);
    principal(&app, &new.sign(&claims("desk"))).await;
    principal(&app, &old.sign(&claims("desk"))).await;
    assert_eq!(provider.fetches(), 2);

    let begun = tokio::time::Instant::now();
    let stranger = Signer::p256("unknown").sign(&claims("boss"));
    let flood = (0..200).map(|_| me(&app, &stranger).send());
    for answer in futures_util::future::join_all(flood).await {
        assert_eq!(answer.unwrap().status(), 401);
    }
    // Three at once and one each ten seconds, over the whole life of the service.
    let most = 3 + usize::try_from(begun.elapsed().as_secs()).unwrap() / 10 + 2;
    assert!(provider.fetches() <= most, "{} fetches", provider.fetches());
    // Those who are known come in meanwhile.
    principal(&app, &new.sign(&claims("desk"))).await;
    app.stop().await;
    provider.handle.stop(false).await;
}

#[test]
async fn a_provider_that_fails_lets_nobody_in_and_says_so() {
    let signer = Signer::p256("e");
    let token = signer.sign(&claims("boss"));
    let large = format!("{{\"keys\":[],\"pad\":\"{}\"}}", "x".repeat(100_000));
    for (status, answer) in
        [(500, "{\"keys\":[]}"), (302, ""), (200, "<html>"), (200, large.as_str())]
    {
        let provider = Provider::start(&[]).await;
        provider.answer(status, answer);
        let app = TestApp::with(&provider.settings()).await;
        let problem = refused(me(&app, &token), 503, "dependency_unavailable").await;
        assert!(problem["retry_after_ms"].is_u64(), "{problem}");
        // Everybody else does not notice.
        let (_, session) = app.chatting().await;
        let mut socket = Socket::open(&app.holder(&token), &session, None).await;
        assert_eq!(socket.closed().await, (4503, "dependency_unavailable".to_owned()));
        provider.publish(&[&signer]);
        principal(&app, &token).await;
        // Keys that were fetched go on while it is away.
        provider.handle.stop(false).await;
        principal(&app, &token).await;
        app.stop().await;
    }
}

#[test]
async fn without_a_provider_its_tokens_open_nothing() {
    let app = TestApp::start().await;
    let token = Signer::p256("e").sign(&claims("boss"));
    refused(me(&app, &token), 401, "token_invalid").await;
    let order = json!({"service_level": 4});
    refused(app.holder(&token).set_modes(&order), 401, "token_invalid").await;
    app.stop().await;
}
