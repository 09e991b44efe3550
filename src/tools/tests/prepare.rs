//! What is not called.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::{config::Identity, tools::Refused};

static TOOLS: LazyLock<Tools> = LazyLock::new(|| tools_at("http://127.0.0.1:9/api", ""));

fn refused(tool: &str, arguments: Value, caller: &Caller) -> Refused {
    let toolbox = TOOLS.of(&site());
    toolbox.get(tool).unwrap().prepare(arguments, caller).unwrap_err()
}

#[test]
fn arguments_that_do_not_fit_the_schema_are_refused_and_not_repaired() {
    let caller = customer("c-1");
    for (tool, arguments) in [
        ("order_status", json!({})),
        ("order_status", json!({"order_number": 10234})),
        ("order_status", json!({"order_number": null})),
        ("order_status", json!({"order_number": ["FJ-1"]})),
        ("order_status", json!({"order_number": ""})),
        ("order_status", json!({"order_number": "x".repeat(41)})),
        ("order_status", json!({"order_number": "FJ-1", "customer_id": "c-2"})),
        ("order_status", json!({"order_number": "FJ-1", "customer.id": "c-2"})),
        ("order_status", json!("FJ-1")),
        ("order_status", json!([])),
        ("order_status", Value::Null),
        ("order_list", json!({"limit": "5"})),
        ("order_list", json!({"limit": 5.5})),
        ("order_list", json!({"limit": 21})),
        ("product_search", json!({"query": "tent", "max_price": "100"})),
        ("start_return", json!({"order_number": "FJ-1", "skus": "A"})),
        ("start_return", json!({"order_number": "FJ-1", "skus": [1]})),
        ("start_return", json!({"order_number": "FJ-1", "skus": []})),
        ("product_search", json!({"query": "x".repeat(20_000)})),
    ] {
        match refused(tool, arguments.clone(), &caller) {
            Refused::Schema(faults) => assert!(!faults.is_empty(), "{arguments}"),
            Refused::Identity(_) => panic!("{arguments}"),
        }
    }
}

#[test]
fn a_fault_says_where_it_is_and_quotes_nothing() {
    let secret = "anna@example.com".repeat(5);
    let arguments = json!({"order_number": secret, "limit": secret});
    let Refused::Schema(faults) = refused("order_status", arguments, &customer("c-1")) else {
        panic!()
    };
    let text = faults.join("\n");
    assert!(text.contains("/order_number"), "{text}");
    assert!(!text.contains("anna"), "{text}");
}

#[test]
fn a_lower_level_is_told_which_one_is_needed() {
    let number = json!({"order_number": "FJ-1"});
    let nobody = refused("order_status", number.clone(), &visitor());
    assert_eq!(nobody, Refused::Identity(Identity::Order));
    let guest_lists = refused("order_list", json!({}), &guest("a@example.com"));
    assert_eq!(guest_lists, Refused::Identity(Identity::Customer));
    let toolbox = TOOLS.of(&site());
    for caller in [guest("a@example.com"), customer("c-1")] {
        toolbox.get("order_status").unwrap().prepare(number.clone(), &caller).unwrap();
    }
    toolbox.get("store_finder").unwrap().prepare(json!({}), &visitor()).unwrap();
}

#[test]
fn an_argument_that_would_lead_elsewhere_or_break_a_header_is_refused() {
    for number in [".", "..", "\u{2024}."] {
        let refusal = refused_or_path(number);
        // What is no dot of the address stays one piece of it.
        assert!(refusal.is_none_or(|path| path.starts_with("/api/orders/%E2")), "{number}");
    }
    let number = json!({"order_number": "FJ-1"});
    for email in ["a@example.com\r\nx-customer-id: c-2", "a\n@example.com", "a\0@example.com"] {
        let refusal = refused("order_status", number.clone(), &guest(email));
        assert!(matches!(refusal, Refused::Schema(_)), "{email:?}");
    }
    let refusal = refused("order_status", number, &customer("c-1\r\nhost: a"));
    assert!(matches!(refusal, Refused::Schema(_)));
    let refusal = refused("order_list", json!({}), &customer(""));
    assert!(matches!(refusal, Refused::Schema(_)));
    let refusal = refused("order_list", json!({}), &customer(".."));
    assert!(matches!(refusal, Refused::Schema(_)));
}

fn refused_or_path(number: &str) -> Option<String> {
    let toolbox = TOOLS.of(&site());
    let arguments = json!({"order_number": number});
    let prepared = toolbox.get("order_status").unwrap().prepare(arguments, &customer("c-1"));
    prepared.ok().map(|prepared| prepared.request.url.path().to_owned())
}

#[test]
fn every_other_argument_is_one_piece_of_the_path() {
    for (number, piece) in [
        ("FJ-10234", "FJ-10234"),
        ("a/../../customers/c-2", "a%2F..%2F..%2Fcustomers%2Fc-2"),
        ("..%2f..", "..%252f.."),
        ("%2e%2e", "%252e%252e"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a\\..\\b", "a%5C..%5Cb"),
        ("a\r\nHost: b", "a%0D%0AHost%3A%20b"),
        ("\u{0}", "%00"),
        ("{customer.id}", "%7Bcustomer.id%7D"),
        ("@evil.example", "%40evil.example"),
        (" ", "%20"),
        ("ü", "%C3%BC"),
    ] {
        assert_eq!(refused_or_path(number).unwrap(), format!("/api/orders/{piece}"), "{number:?}");
    }
}

#[test]
fn no_argument_leaves_its_place() {
    let toolbox = TOOLS.of(&site());
    let tool = toolbox.get("order_status").unwrap();
    let text = proptest::string::string_regex("(?s)(.|[./%\\\\?#@:]|%2e){1,12}").unwrap();
    proptest::proptest!(|(number in text)| {
        let prepared = tool.prepare(json!({"order_number": number}), &customer("c-1"));
        let Ok(prepared) = prepared else { return Ok(()) };
        let url = &prepared.request.url;
        assert!(url.as_str().starts_with("http://127.0.0.1:9/api/orders/"), "{url}");
        let piece = url.path().strip_prefix("/api/orders/").unwrap();
        let meant = percent_encoding::percent_decode_str(piece).decode_utf8().unwrap();
        assert_eq!(meant, number);
        assert!(!piece.contains('/') && url.query().is_none() && url.fragment().is_none(), "{url}");
    });
}
