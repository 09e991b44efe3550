//! Tools that admins wrote.

use std::{collections::HashMap, sync::Arc};

use serde_json::json;

use super::{shop::say, *};
use crate::tools::{Output, Written};

fn hours(url: &str, enabled: bool) -> Written {
    let declaration = json!({
        "description": "When people answer.", "effect": "read", "identity": "nobody",
        "url": format!("{url}/hours"), "headers": {"x-api-key": "secret"},
    });
    Written { name: "hours".into(), enabled, declaration: Some(declaration) }
}

fn off(name: &str) -> Written {
    Written { name: name.into(), enabled: false, declaration: None }
}

fn take_over(tools: &Tools, written: Vec<Written>) {
    tools.take_over(HashMap::from([(site(), written)]));
}

#[tokio::test]
async fn a_tool_that_an_admin_wrote_is_called_like_the_others() {
    let shop = Shop::new(|_| say(200, r#"{"open":"9"}"#)).await;
    let tools = tools(&shop, "");
    assert!(tools.of(&site()).get("hours").is_none());
    take_over(&tools, vec![hours(&shop.url, true)]);
    let call = prepared(&tools, "hours", json!({}), &visitor());
    assert_eq!(tools.call(&call, None, soon()).await, Ok(Output::Found(json!({"open": "9"}))));
    assert!(shop.requests()[0].contains("x-api-key: secret\r\n"), "{}", shop.requests()[0]);
    let first = Arc::clone(tools.of(&site()).get("hours").unwrap());
    take_over(&tools, vec![hours(&shop.url, true), off("order_list")]);
    let toolbox = tools.of(&site());
    assert!(Arc::ptr_eq(&first, toolbox.get("hours").unwrap()), "what did not change stays");
    assert!(toolbox.get("order_list").is_none(), "one of the configuration is switched off");
    take_over(&tools, vec![hours(&shop.url, false)]);
    let toolbox = tools.of(&site());
    assert!(toolbox.get("hours").is_none() && toolbox.get("order_list").is_some());
}

#[tokio::test]
async fn a_row_that_cannot_be_used_is_left_out() {
    let shop = Shop::new(|_| say(200, "{}")).await;
    let tools = tools(&shop, "");
    let count = tools.of(&site()).iter().count();
    let mut newer = hours(&shop.url, true);
    newer.declaration = Some(json!({"colour": "red"}));
    let shadow = Written { name: "order_status".into(), ..hours("http://127.0.0.1:1", true) };
    take_over(&tools, vec![newer, shadow]);
    let toolbox = tools.of(&site());
    assert_eq!(toolbox.iter().count(), count);
    assert!(toolbox.get("order_status").unwrap().description.contains("state of one order"));
}

#[tokio::test]
async fn an_admin_does_not_reach_what_only_the_operator_may() {
    let shop = Shop::new(|_| say(200, "{}")).await;
    let tools = tools(&shop, "");
    let private = shop.url.replace("127.0.0.1", "127.0.0.2");
    take_over(&tools, vec![hours(&private, true)]);
    let call = prepared(&tools, "hours", json!({}), &visitor());
    assert!(tools.call(&call, None, soon()).await.is_err());
    assert_eq!(shop.calls(), 0);
}
