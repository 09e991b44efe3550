//! Whose results are whose, and how often an order may be guessed.

use serde_json::json;

use super::{
    shop::{Then, say},
    *,
};
use crate::{
    domain::ActionId,
    tools::{CallError, Output},
};

fn kept(answer: &str) -> impl Fn(&str) -> Then + Send + Sync + use<> {
    let answer = answer.to_owned();
    move |_| say(200, &answer)
}

#[tokio::test]
async fn equal_reads_at_the_same_time_are_one_and_its_result_stays_for_seconds() {
    let shop = Shop::new(kept("{}")).await;
    shop.places.forget_permits(1_000);
    let tools = tools(&shop, "");
    let caller = customer("c-1");
    let calls: Vec<_> = (0..50).map(|_| order(&tools, "FJ-1", &caller)).collect();
    let calls = calls.iter().map(|call| tools.call(call, None, soon()));
    let open = async {
        while shop.calls() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        shop.places.add_permits(1_000);
    };
    let (found, ()) = tokio::join!(futures_util::future::join_all(calls), open);
    assert!(found.iter().all(|found| *found == Ok(Output::Found(json!({})))));
    tools.call(&order(&tools, "FJ-1", &caller), None, soon()).await.unwrap();
    assert_eq!(shop.calls(), 1);
    tools.call(&order(&tools, "FJ-2", &caller), None, soon()).await.unwrap();
    assert_eq!(shop.calls(), 2);
}

#[tokio::test]
async fn a_result_is_never_somebody_elses() {
    let shop = Shop::new(kept("{}")).await;
    let tools = tools(&shop, "");
    let one = visitor();
    let with = |customer: Option<&str>, proof: Option<Proof>| Caller {
        customer: customer.map(|id| Customer { id: id.into(), email: None }),
        proof,
        ..one.clone()
    };
    let email = |email: &str| Some(Proof::Email(email.into()));
    let callers = [
        with(Some("c-1"), None),
        with(Some("c-2"), None),
        with(None, email("a@example.com")),
        with(None, email("b@example.com")),
        with(None, Some(Proof::Postcode("a@example.com".into()))),
        with(Some("c-1"), email("a@example.com")),
        customer("c-1"),
        guest("a@example.com"),
    ];
    for (asked, caller) in callers.iter().enumerate() {
        tools.call(&order(&tools, "FJ-1", caller), None, soon()).await.unwrap();
        assert_eq!(shop.calls(), asked + 1, "{caller:?}");
    }
    for caller in &callers {
        tools.call(&order(&tools, "FJ-1", caller), None, soon()).await.unwrap();
    }
    assert_eq!(shop.calls(), callers.len(), "each has its own for a while");
}

#[tokio::test]
async fn what_has_no_owner_is_shared() {
    let shop = Shop::new(kept(r#"{"stores":[]}"#)).await;
    let tools = tools(&shop, "");
    for caller in [visitor(), customer("c-1"), guest("a@example.com"), visitor()] {
        let call = prepared(&tools, "store_finder", json!({"near": "Munich"}), &caller);
        tools.call(&call, None, soon()).await.unwrap();
    }
    assert_eq!(shop.calls(), 1);
}

#[tokio::test]
async fn a_write_makes_the_service_ask_again() {
    let shop = Shop::new(kept("{}")).await;
    let tools = tools(&shop, "");
    let (caller, other) = (customer("c-1"), customer("c-2"));
    for caller in [&caller, &other] {
        tools.call(&order(&tools, "FJ-1", caller), None, soon()).await.unwrap();
    }
    tools.call(&cancel(&tools, &caller), Some(ActionId::new()), soon()).await.unwrap();
    tools.call(&order(&tools, "FJ-1", &caller), None, soon()).await.unwrap();
    assert_eq!(shop.calls(), 4);
    tools.call(&order(&tools, "FJ-1", &other), None, soon()).await.unwrap();
    assert_eq!(shop.calls(), 4, "others keep theirs");
}

#[tokio::test]
async fn errors_are_not_kept() {
    let shop = Shop::new(|_| say(429, "{}")).await;
    let tools = tools(&shop, "");
    let call = order(&tools, "FJ-1", &customer("c-1"));
    for asked in 1..=3 {
        assert_eq!(tools.call(&call, None, soon()).await, Err(CallError::Busy));
        assert_eq!(shop.calls(), asked);
    }
}

fn too_many() -> Result<Output, CallError> {
    Ok(Output::Refused { reason: "too_many_tries".into() })
}

#[tokio::test]
async fn a_visitor_who_guesses_waits_and_a_right_guess_looks_the_same() {
    let shop = Shop::new(|request| match request.contains("FJ-9") {
        true => say(200, "{}"),
        false => say(404, "{}"),
    })
    .await;
    let tools = tools(&shop, "");
    let caller = guest("a@example.com");
    let ask = |number: &str| order(&tools, number, &caller);
    for number in ["FJ-1", "FJ-2", "FJ-3"] {
        assert_eq!(tools.call(&ask(number), None, soon()).await, Ok(Output::NotFound));
    }
    // Not asked, so nobody learns that FJ-9 is right.
    for number in ["FJ-4", "FJ-9"] {
        assert_eq!(tools.call(&ask(number), None, soon()).await, too_many(), "{number}");
    }
    assert_eq!(shop.calls(), 3);
    let other = order(&tools, "FJ-9", &guest("a@example.com"));
    assert_eq!(tools.call(&other, None, soon()).await, Ok(Output::Found(json!({}))));
    let signed_in = order(&tools, "FJ-5", &customer("c-1"));
    assert_eq!(tools.call(&signed_in, None, soon()).await, Ok(Output::NotFound), "shows nothing");
}

#[tokio::test]
async fn one_order_is_not_guessed_by_many_visitors() {
    let shop = Shop::new(|_| say(404, "{}")).await;
    let tools = tools(&shop, "");
    for n in 0..3 {
        let caller = Caller { proof: Some(Proof::Postcode(format!("8033{n}"))), ..visitor() };
        let found = tools.call(&order(&tools, "FJ-1", &caller), None, soon()).await;
        assert_eq!(found, Ok(Output::NotFound));
    }
    for (n, number) in ["FJ-1", "fj-1", " FJ-1 "].into_iter().enumerate() {
        let caller = Caller { proof: Some(Proof::Postcode(format!("8034{n}"))), ..visitor() };
        let found = tools.call(&order(&tools, number, &caller), None, soon()).await;
        assert_eq!(found, too_many(), "{number}");
    }
    // Another tool, and other arguments, are other ways to the same order.
    let address = json!({"order_number": "FJ-1", "address": "Street 1, Munich"});
    let change = prepared(&tools, "change_address", address, &guest("a@example.com"));
    assert_eq!(tools.call(&change, Some(ActionId::new()), soon()).await, too_many());
    assert_eq!(shop.calls(), 3);
}

#[tokio::test]
async fn right_guesses_and_those_that_nobody_checked_are_free() {
    let shop = Shop::new(|_| say(200, "{}")).await;
    let tools = tools(&shop, "");
    let caller = guest("a@example.com");
    for n in 0..9 {
        let found = tools.call(&order(&tools, &format!("FJ-{n}"), &caller), None, soon()).await;
        assert_eq!(found, Ok(Output::Found(json!({}))));
    }
    let away = Shop::new(|_| say(429, "{}")).await;
    let tools = super::tools(&away, "");
    for n in 0..9 {
        let found = tools.call(&order(&tools, &format!("FJ-{n}"), &caller), None, soon()).await;
        assert_eq!(found, Err(CallError::Busy));
    }
}
