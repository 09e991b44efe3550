//! Calls, and what becomes of them.

use serde_json::json;

use super::{
    shop::{Then, say},
    *,
};
use crate::{
    domain::ActionId,
    tools::{CallError, Known, Output},
};

#[tokio::test]
async fn a_read_goes_to_the_shop_with_its_key_and_who_asks() {
    let shop = Shop::new(|_| say(200, r#"{"number":"FJ-1","status":"shipped"}"#)).await;
    let tools = tools(&shop, "");
    let found = tools.call(&order(&tools, "FJ-1", &customer("c-1")), None, soon()).await;
    assert_eq!(found, Ok(Output::Found(json!({"number": "FJ-1", "status": "shipped"}))));
    let guest = guest("anna@example.com");
    tools.call(&order(&tools, "FJ-1", &guest), None, soon()).await.unwrap();
    let postcode = Caller { proof: Some(Proof::Postcode("80331".into())), ..visitor() };
    tools.call(&order(&tools, "FJ-1", &postcode), None, soon()).await.unwrap();
    let list = prepared(&tools, "order_list", json!({"limit": 5}), &customer("c/1"));
    tools.call(&list, None, soon()).await.unwrap();
    let search = json!({"query": "rain & wind", "max_price": 99.5});
    let search = prepared(&tools, "product_search", search, &customer("c-1"));
    tools.call(&search, None, soon()).await.unwrap();
    let requests = shop.requests();
    assert!(requests[0].starts_with("GET /api/orders/FJ-1 HTTP/1.1\r\n"), "{}", requests[0]);
    for (request, who) in requests.iter().zip([
        "x-customer-id: c-1\r\n",
        "x-order-email: anna@example.com\r\n",
        "x-order-postcode: 80331\r\n",
        "x-customer-id: c/1\r\n",
        "",
    ]) {
        assert!(request.contains(who), "{request}");
        assert!(request.contains("authorization: Bearer the-key\r\n"), "{request}");
        assert!(request.contains("x-request-id: "), "{request}");
        assert!(request.contains("accept-encoding: identity\r\n"), "{request}");
        let told = request.matches("x-customer-id").count() + request.matches("x-order-").count();
        assert_eq!(told, usize::from(!who.is_empty()), "{request}");
    }
    assert!(requests[3].starts_with("GET /api/customers/c%2F1/orders?limit=5 "), "{}", requests[3]);
    let query = "GET /api/products?max_price=99.5&query=rain+%26+wind ";
    assert!(requests[4].starts_with(query), "{}", requests[4]);
}

#[tokio::test]
async fn what_was_shown_for_an_order_goes_before_the_customer() {
    let shop = Shop::new(|_| say(404, "")).await;
    let tools = tools(&shop, "");
    let both = Caller { proof: Some(Proof::Email("a@example.com".into())), ..customer("c-1") };
    let found = tools.call(&order(&tools, "FJ-1", &both), None, soon()).await;
    assert_eq!(found, Ok(Output::NotFound));
    let request = &shop.requests()[0];
    assert!(request.contains("x-order-email") && !request.contains("x-customer-id"), "{request}");
}

#[tokio::test]
async fn a_write_carries_its_key_and_its_arguments_and_is_not_repeated() {
    let shop = Shop::new(|_| say(200, r#"{"result":{"return_number":"R-1"}}"#)).await;
    let tools = tools(&shop, "");
    let arguments = json!({"order_number": "FJ-1", "skus": ["A", "B"]});
    let call = prepared(&tools, "start_return", arguments, &customer("c-1"));
    let key = ActionId::new();
    let done = tools.call(&call, Some(key), soon()).await;
    assert_eq!(done, Ok(Output::Found(json!({"return_number": "R-1"}))));
    let request = &shop.requests()[0];
    assert!(request.starts_with("POST /api/orders/FJ-1/returns HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("idempotency-key: {key}\r\n")), "{request}");
    assert!(request.ends_with(r#"{"skus":["A","B"]}"#), "what has no value is left out: {request}");
    assert_eq!(tools.call(&call, None, soon()).await, Err(CallError::Unavailable));
    assert_eq!(shop.calls(), 1, "without a key nothing is sent");
}

#[tokio::test]
async fn a_write_without_an_answer_is_in_doubt_and_a_read_is_not() {
    for then in [|| Then::Hang, || Then::Wait, || say(500, "{}"), || say(200, "no json")] {
        let shop = Shop::new(move |_| then()).await;
        let tools = tools(&shop, "");
        let (caller, deadline) = (customer("c-1"), || Instant::now() + Duration::from_millis(300));
        let written = tools.call(&cancel(&tools, &caller), Some(ActionId::new()), deadline()).await;
        assert_eq!(written, Err(CallError::InDoubt));
        let read = tools.call(&order(&tools, "FJ-1", &caller), None, deadline()).await;
        assert!(matches!(read, Err(CallError::Unavailable | CallError::BadAnswer)), "{read:?}");
        assert_eq!(shop.calls(), 2, "neither is repeated once it was sent");
    }
}

#[tokio::test]
async fn a_call_that_was_not_sent_is_certain() {
    let shop = Shop::new(|_| say(200, "{}")).await;
    let url = shop.url.clone();
    drop(shop);
    let tools = tools_at(&url, "");
    let caller = customer("c-1");
    // The connection is refused, and after three failures the breaker does not try.
    for _ in 0..4 {
        let written = tools.call(&cancel(&tools, &caller), Some(ActionId::new()), soon()).await;
        assert_eq!(written, Err(CallError::Unavailable));
    }
    let read = tools.call(&order(&tools, "FJ-1", &caller), None, soon()).await;
    assert_eq!(read, Err(CallError::Unavailable));
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_left() {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
    let shop = Shop::new(move |_| say(200, &large)).await;
    let tools = tools(&shop, "");
    let caller = customer("c-1");
    let read = tools.call(&order(&tools, "FJ-1", &caller), None, soon()).await;
    assert_eq!(read, Err(CallError::TooLarge));
    let written = tools.call(&cancel(&tools, &caller), Some(ActionId::new()), soon()).await;
    assert_eq!(written, Err(CallError::InDoubt));
}

#[tokio::test]
async fn a_target_that_fails_is_left_alone_and_asked_again_later() {
    let shop = Shop::new(|_| say(503, "{}")).await;
    let tools = tools(&shop, "");
    let caller = customer("c-1");
    for n in 0..10 {
        let call = order(&tools, &format!("FJ-{n}"), &caller);
        assert_eq!(tools.call(&call, None, soon()).await, Err(CallError::Unavailable));
    }
    assert_eq!(shop.calls(), 3);
    let status = tools.of(&site()).status();
    assert!(status.iter().all(|tool| tool.breaker_open), "one target");
    assert!(!serde_json::to_string(&status).unwrap().contains("the-key"));
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    let _ = tools.call(&order(&tools, "FJ-11", &caller), None, soon()).await;
    assert_eq!(shop.calls(), 4, "one call finds out");
}

#[tokio::test]
async fn calls_beyond_the_places_of_a_tool_are_busy_and_other_tools_are_not() {
    let shop = Shop::new(|request| match request.contains("/slow/") {
        true => Then::Wait,
        false => say(200, "{}"),
    })
    .await;
    let tools = tools(&shop, &own("slow", &shop, 2));
    let slow = |n: u32| prepared(&tools, "slow", json!({"n": n}), &visitor());
    let (one, two, three) = (slow(1), slow(2), slow(3));
    let other = order(&tools, "FJ-1", &customer("c-1"));
    let (_, _, three, other) = tokio::join!(
        tools.call(&one, None, soon()),
        tools.call(&two, None, soon()),
        tools.call(&three, None, soon()),
        tools.call(&other, None, soon()),
    );
    assert_eq!(three, Err(CallError::Busy));
    assert_eq!(other, Ok(Output::Found(json!({}))));
}

/// A tool of its own at `shop`.
fn own(name: &str, shop: &Shop, most: usize) -> String {
    let url = &shop.url;
    format!(
        "[[sites.tools]]\nname = \"{name}\"\ndescription = \"Any.\"\neffect = \"read\"\n\
         identity = \"nobody\"\nmax_calls = {most}\nurl = \"{url}/{name}/{{n}}\"\n\
         [sites.tools.parameters]\ntype = \"object\"\nrequired = [\"n\"]\n\
         properties.n = {{ type = \"integer\" }}\n"
    )
}

#[tokio::test]
async fn a_slow_target_costs_its_own_calls_only() {
    let slow = Shop::new(|_| Then::Wait).await;
    let fine = Shop::new(|_| say(200, "{}")).await;
    let tools = tools(&slow, &[own("slow", &slow, 100), own("fine", &fine, 100)].concat());
    let call = |tool: &str, n: u32| prepared(&tools, tool, json!({"n": n}), &visitor());
    let slow_calls: Vec<_> = (0..12).map(|n| call("slow", n)).collect();
    let slow_calls = slow_calls.iter().map(|call| tools.call(call, None, soon()));
    let fine_call = call("fine", 1);
    let (ended, found) = tokio::join!(
        futures_util::future::join_all(slow_calls),
        tools.call(&fine_call, None, soon())
    );
    let busy = ended.iter().filter(|ended| **ended == Err(CallError::Busy)).count();
    assert_eq!(busy, 4, "the target has eight places: {ended:?}");
    assert_eq!(slow.calls(), 8);
    assert_eq!(found, Ok(Output::Found(json!({}))));
}

#[tokio::test]
async fn the_shop_is_asked_what_became_of_a_write() {
    let shop = Shop::new(|request| match request.contains("/actions/") {
        true => say(200, r#"{"status":"done","result":{"a":1}}"#),
        false => Then::Hang,
    })
    .await;
    let tools = tools(&shop, "");
    let key = ActionId::new();
    let known = tools.outcome(&site(), "cancel_order", key, soon()).await;
    assert_eq!(known, Ok(Known::Done(json!({"a": 1}))));
    let request = &shop.requests()[0];
    assert!(request.starts_with(&format!("GET /api/actions/{key} ")), "{request}");
    assert!(request.contains("authorization: Bearer the-key"), "{request}");
    for gone in ["order_status", "no_tool"] {
        let known = tools.outcome(&site(), gone, key, soon()).await;
        assert_eq!(known, Err(CallError::Unavailable), "{gone}");
    }
    assert!(tools.of(&SiteId::parse("other").unwrap()).is_empty());
}
