//! The demo shop over real sockets.

use std::{path::PathBuf, time::Duration};

use actix_web::{dev::ServerHandle, rt};
use reqwest::{Method, RequestBuilder, StatusCode};
use rushdesk_load::shop::{Args, start};
use serde_json::{Value, json};

const ANNA: (&str, &str) = ("X-Order-Email", "anna@example.com");
const BEN: (&str, &str) = ("X-Order-Email", "ben@example.com");

struct Shop {
    url: String,
    http: reqwest::Client,
    server: ServerHandle,
}

impl Shop {
    fn start() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Args)) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut args =
            Args { listen, key: None, journal: None, slow_ms: 20, orders: 0, pause_ms: 0 };
        change(&mut args);
        let (server, address) = start(args).unwrap();
        let handle = server.handle();
        rt::spawn(server);
        let http = rushdesk_load::http_client().timeout(Duration::from_secs(5)).build().unwrap();
        Self { url: format!("http://{address}"), http, server: handle }
    }

    fn call(&self, method: Method, path: &str, who: (&str, &str)) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).header(who.0, who.1)
    }

    async fn get(&self, path: &str, who: (&str, &str)) -> (StatusCode, Value) {
        let answer = self.call(Method::GET, path, who).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn cancel(&self, number: &str, key: &str) -> (StatusCode, Value) {
        let path = format!("/orders/{number}/cancel");
        let call = self.call(Method::POST, &path, ANNA).header("Idempotency-Key", key);
        let answer = call.json(&json!({})).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("rushdesk-{name}-{}.jsonl", uuid::Uuid::new_v4()));
    let _ = std::fs::remove_file(&path);
    path
}

/// An example of the page: a call, the status and the answer.
struct Example {
    call: String,
    status: u16,
    answer: Value,
}

fn examples() -> Vec<Example> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/shop-api.md");
    let text = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<(&str, &str)> =
        text.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect();
    let calls = blocks.iter().enumerate().filter(|(_, (kind, _))| *kind == "http");
    calls
        .map(|(at, (_, call))| {
            let (kind, answer) = blocks[at + 1];
            let status = kind.strip_prefix("json").unwrap().trim();
            Example {
                call: (*call).to_owned(),
                status: status.parse().unwrap_or(200),
                answer: serde_json::from_str(answer).unwrap(),
            }
        })
        .collect()
}

/// Equal but for days, which move, and names that the shop makes up.
fn assert_alike(found: &Value, told: &Value, call: &str) {
    let is_day = |value: &Value| {
        value.as_str().is_some_and(|text| {
            text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2
        })
    };
    let is_id =
        |value: &Value| value.as_str().is_some_and(|text| text.parse::<uuid::Uuid>().is_ok());
    match (found, told) {
        (Value::Object(a), Value::Object(b)) => {
            let keys =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            let (mut left, mut right) = (keys(a), keys(b));
            left.sort();
            right.sort();
            assert_eq!(left, right, "{call}");
            b.iter().for_each(|(key, value)| assert_alike(&a[key], value, call));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{call}");
            a.iter().zip(b).for_each(|(a, b)| assert_alike(a, b, call));
        }
        (a, b) if is_day(a) && is_day(b) => {}
        (a, b) if is_id(a) && is_id(b) => {}
        (a, b) => assert_eq!(a, b, "{call}"),
    }
}

#[actix_web::test]
async fn every_example_of_the_page_is_what_the_demo_shop_answers() {
    let shop = Shop::start();
    let examples = examples();
    assert!(examples.len() >= 11);
    for Example { call, status, answer } in examples {
        let (head, body) = call.split_once("\n\n").unwrap_or((&call, ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let mut request = shop
            .http
            .request(method.parse().unwrap(), format!("{}{path}", shop.url))
            .header("Content-Type", "application/json")
            .body(body.to_owned());
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let found = request.send().await.unwrap();
        assert_eq!(found.status(), status, "{call}");
        assert_alike(&found.json().await.unwrap(), &answer, &call);
    }
    shop.server.stop(false).await;
}

#[actix_web::test]
async fn what_is_not_yours_is_not_there() {
    let shop = Shop::start();
    let unknown = shop.get("/orders/FJ-99999", ANNA).await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
    for (path, who) in [
        ("/orders/FJ-10234", BEN),
        ("/orders/FJ-10234", ("X-Order-Postcode", "80331")),
        ("/orders/FJ-10234", ("X-Customer-Id", "c-1002")),
        ("/orders/FJ-10234", ("X-Other", "x")),
        ("/orders/FJ-10234/return-options", BEN),
        ("/customers/c-1001/orders", ("X-Customer-Id", "c-1002")),
    ] {
        assert_eq!(shop.get(path, who).await, unknown, "{path}");
    }
    // Who is signed in is not asked for an address, and cannot borrow one.
    let both = shop.call(Method::GET, "/orders/FJ-10234", ("X-Customer-Id", "c-1002"));
    let both = both.header(ANNA.0, ANNA.1).send().await.unwrap();
    assert_eq!(both.status(), StatusCode::NOT_FOUND);
    assert_eq!(shop.get("/orders/fj-10234", ("X-Order-Postcode", "18 055")).await.0, 200);
    shop.server.stop(false).await;
}

#[actix_web::test]
async fn an_action_is_done_once_and_survives_a_restart() {
    let journal = scratch("journal");
    let open = || Shop::with(|args| args.journal = Some(journal.clone()));
    let shop = open();
    let first = shop.cancel("FJ-10240", "k1").await;
    assert_eq!(first.0, 200);
    assert_eq!(shop.cancel("FJ-10240", "k1").await, first);
    assert_eq!(shop.cancel("FJ-10241", "k1").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let again = shop.cancel("FJ-10240", "k2").await;
    assert_eq!(again, (StatusCode::CONFLICT, json!({"reason": "already_cancelled"})));
    shop.server.stop(false).await;
    // A crash within a line.
    let text = std::fs::read_to_string(&journal).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains(r#""status":"done""#)).count(), 1);
    std::fs::write(&journal, text + r#"{"key":"k3","#).unwrap();

    let shop = open();
    assert_eq!(shop.cancel("FJ-10240", "k1").await, first);
    let known = shop.get("/actions/k1", ANNA).await.1;
    assert_eq!((&known["status"], &known["result"]), (&json!("done"), &first.1["result"]));
    assert_eq!(shop.get("/actions/k2", ANNA).await.1["status"], "failed");
    assert_eq!(shop.get("/orders/FJ-10240", ANNA).await.1["status"], "cancelled");
    assert_eq!(shop.cancel("FJ-10241", "k3").await.0, 200);
    shop.server.stop(false).await;
    std::fs::remove_file(&journal).unwrap();
}

#[actix_web::test]
async fn a_cancellation_is_taken_back_for_a_while_and_a_part_of_an_item_goes_back() {
    let file = scratch("reinstate");
    let shop = Shop::with(|args| args.journal = Some(file.clone()));
    let reinstate = async |shop: &Shop, number: &str, key: &str| {
        let call = shop.call(Method::POST, &format!("/orders/{number}/reinstate"), ANNA);
        let response = call.header("idempotency-key", key).json(&json!({})).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    shop.cancel("FJ-10240", "k1").await;
    shop.server.stop(false).await;
    let shop = Shop::with(|args| args.journal = Some(file.clone()));
    let done = reinstate(&shop, "FJ-10240", "k2").await;
    assert_eq!(done.0, 200, "{done:?}");
    assert_eq!(reinstate(&shop, "FJ-10240", "k2").await, done);
    let order = shop.get("/orders/FJ-10240", ANNA).await.1;
    assert_eq!((&order["status"], &order["can_cancel"]), (&json!("processing"), &json!(true)));
    let refused = |reason: &str| (StatusCode::CONFLICT, json!({ "reason": reason }));
    assert_eq!(reinstate(&shop, "FJ-10240", "k3").await, refused("not_cancelled"));
    assert_eq!(reinstate(&shop, "FJ-10238", "k4").await, refused("too_late"));
    assert_eq!(shop.cancel("FJ-10240", "k5").await.0, 200);
    let back = async |quantity: u32, key: &str| {
        let body = json!({"skus": ["GAS-230"], "quantity": quantity, "reason": "not_stated"});
        let call = shop.call(Method::POST, "/orders/FJ-10236/returns", ANNA);
        call.header("idempotency-key", key).json(&body).send().await.unwrap().status()
    };
    assert_eq!(back(3, "k6").await, 409);
    assert_eq!(back(1, "k7").await, 200);
    shop.server.stop(false).await;
    std::fs::remove_file(&file).unwrap();
}

#[actix_web::test]
async fn a_key_that_was_asked_for_too_early_is_refused_from_then_on() {
    let shop = Shop::start();
    assert_eq!(shop.get("/actions/late", ANNA).await.0, StatusCode::NOT_FOUND);
    let refused = shop.cancel("FJ-10240", "late").await;
    assert_eq!(refused, (StatusCode::CONFLICT, json!({"reason": "too_late"})));
    assert_eq!(shop.get("/orders/FJ-10240", ANNA).await.1["status"], "processing");
    assert_eq!(shop.get("/actions/late", ANNA).await.0, StatusCode::NOT_FOUND);
    shop.server.stop(false).await;
}

#[actix_web::test]
async fn an_order_number_selects_a_fault() {
    let shop = Shop::with(|args| args.slow_ms = 300);
    let began = tokio::time::Instant::now();
    assert_eq!(shop.get("/orders/FJ-90001", ANNA).await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(shop.get("/orders/FJ-90002", ANNA).await.0, 500);
    let hung = shop.call(Method::GET, "/orders/FJ-90003", ANNA).timeout(Duration::from_millis(300));
    assert!(hung.send().await.unwrap_err().is_timeout());
    let garbage = shop.call(Method::GET, "/orders/FJ-90005", ANNA).send().await.unwrap();
    assert!(garbage.json::<Value>().await.is_err());
    let huge = shop.call(Method::GET, "/orders/FJ-90006", ANNA).send().await.unwrap();
    assert!(huge.bytes().await.unwrap().len() > 10 << 20);
    let hostile = shop.get("/orders/FJ-90007", ANNA).await.1;
    assert!(hostile["tracking_url"].as_str().unwrap().starts_with("javascript:"));
    assert_eq!(shop.get("/orders/FJ-90009", ANNA).await.0, 429);

    let cut = shop.call(Method::POST, "/orders/FJ-90004/cancel", ANNA);
    let cut = cut.header("Idempotency-Key", "cut").json(&json!({})).send().await;
    let lost = match cut {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(lost);
    assert_eq!(shop.get("/actions/cut", ANNA).await.1["status"], "done");
    assert_eq!(shop.cancel("FJ-90008", "after").await.0, 500);
    assert_eq!(shop.get("/actions/after", ANNA).await.1["status"], "done");
    assert_eq!(shop.cancel("FJ-90002", "before").await.0, 500);
    assert_eq!(shop.get("/actions/before", ANNA).await.0, 404);
    shop.server.stop(false).await;
}

#[actix_web::test]
async fn only_callers_with_the_key_are_answered() {
    let shop = Shop::with(|args| args.key = Some("secret".into()));
    for path in ["/orders/FJ-10234", "/products?query=tent", "/stores", "/actions/k"] {
        assert_eq!(shop.get(path, ANNA).await.0, 401, "{path}");
    }
    let call = shop.call(Method::GET, "/orders/FJ-10234", ANNA).bearer_auth("secret");
    assert_eq!(call.send().await.unwrap().status(), 200);
    shop.server.stop(false).await;
}
