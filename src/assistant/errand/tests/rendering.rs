use serde_json::json;

use super::{super::*, object, order, shown};
use crate::domain::{Card, Language};

fn text(status: &str, change: serde_json::Value) -> String {
    let mut order = order(status);
    for (key, value) in change.as_object().unwrap() {
        order[key] = value.clone();
    }
    shown("order_status", json!({"order_number": "FJ-10234"}), &order, Language::En).text
}

#[test]
fn an_order_is_told_in_the_words_of_its_state() {
    for (status, change, said) in [
        (
            "processing",
            json!({}),
            "Your order FJ-10234 of 25 November is being prepared and has not been sent yet. It should arrive on 1 December.",
        ),
        (
            "shipped",
            json!({}),
            "Your order FJ-10234 was sent on 27 November with DHL and should arrive on 1 December. Tracking number: 00340434.",
        ),
        (
            "shipped",
            json!({"carrier": null, "tracking_number": null, "expected_at": null}),
            "Your order FJ-10234 was sent on 27 November.",
        ),
        (
            "shipped",
            json!({"expected_at": "2026-11-28"}),
            "Your order FJ-10234 was sent on 27 November with DHL and should have arrived on 28 November. It is late, and I am sorry about that. Tracking number: 00340434.",
        ),
        (
            "shipped",
            json!({"expected_at": "2027-01-02"}),
            "Your order FJ-10234 was sent on 27 November with DHL and should arrive on 2 January 2027. Tracking number: 00340434.",
        ),
        ("delivered", json!({}), "Your order FJ-10234 was delivered on 28 November."),
        ("cancelled", json!({}), "Your order FJ-10234 of 25 November was cancelled."),
        ("returned", json!({}), "Your order FJ-10234 came back to us as a return."),
        (
            "on_hold",
            json!({}),
            "I found your order FJ-10234 of 25 November. The shop calls its state “on_hold”.",
        ),
    ] {
        assert_eq!(text(status, change), said);
    }
}

#[test]
fn days_and_amounts_follow_the_language() {
    let order = order("shipped");
    for (language, day, total) in [
        (Language::De, "1. Dezember", "1.828,80\u{a0}€"),
        (Language::Fr, "1er décembre", "1828,80\u{a0}€"),
        (Language::Es, "1 de diciembre", "1.828,80\u{a0}€"),
        (Language::Pl, "1 grudnia", "1828,80\u{a0}€"),
        (Language::Nl, "1 december", "€\u{a0}1.828,80"),
        (Language::Zh, "12月1日", "€1,828.80"),
        (Language::Ja, "12月1日", "€1,828.80"),
        (Language::Ar, "1 ديسمبر", "1,828.80\u{a0}€"),
        (Language::En, "1 December", "€1,828.80"),
    ] {
        let Rendered { text, cards } = shown("order_status", json!({}), &order, language);
        assert!(text.contains(day), "{text}");
        let Card::Order(card) = &cards[0] else { panic!("{cards:?}") };
        assert!(card.fields.iter().any(|field| field.value == total), "{card:?}");
        assert_eq!(card.url.as_deref(), Some("https://dhl.example/t?n=00340434"));
    }
}

#[test]
fn orders_and_products_and_stores_are_listed() {
    let two = json!({"orders": [order("shipped"), order("delivered")]});
    let shown_orders = shown("order_list", json!({}), &two, Language::En);
    assert!(
        shown_orders.text.starts_with("Your newest orders:\n- FJ-10234 of 25 November: on its")
    );
    assert_eq!(shown_orders.cards.len(), 2);
    let none = shown("order_list", json!({}), &json!({"orders": []}), Language::En);
    assert_eq!(none.text, "There are no orders in your account yet.");

    let boots = json!({"products": [{"sku": "B", "name": "Bre Mid", "price": {"amount": "189.90", "currency": "EUR"},
        "url": "javascript:alert(1)", "stock": [{"size": "41", "quantity": 2}, {"size": "42", "quantity": 0}, {"size": "43", "quantity": 1}],
        "stores": [{"name": "Munich", "quantity": 2}, {"name": "Hamburg", "quantity": 0}]}]});
    let product = |size: &str| {
        shown("product_search", json!({"query": "boots", "size": size}), &boots, Language::En)
    };
    assert_eq!(
        product("42").text,
        "Bre Mid is not in stock in size 42. There are still: 41 and 43. It costs €189.90. In our stores: Munich."
    );
    assert_eq!(
        product("41").text,
        "Bre Mid is in stock in size 41 and costs €189.90. In our stores: Munich."
    );
    let Card::Product(card) = &product("41").cards[0] else { panic!() };
    assert_eq!(card.url, None);
    let nothing = json!({"products": []});
    let nothing = shown("product_search", json!({"query": "bicycle"}), &nothing, Language::En);
    assert_eq!(nothing.text, "I found no product for “bicycle”.");

    let store =
        json!({"stores": [{"name": "Munich", "address": "Isarblick 21", "hours": "Mon–Fri"}]});
    assert_eq!(
        shown("store_finder", json!({"near": "80331"}), &store, Language::En).text,
        "This is the nearest store: Munich, Isarblick 21. Opening hours: Mon–Fri."
    );
}

#[test]
fn what_can_go_back_is_listed_to_choose_from() {
    let options = json!({"number": "FJ-1", "returnable": true, "until": "2026-12-27",
        "items": [{"sku": "BRE-MID", "name": "Bre Mid", "quantity": 1, "size": "42"}]});
    let told = shown("return_check", json!({}), &options, Language::En).text;
    assert!(told.starts_with("You can send back your order FJ-1 until 27 December."), "{told}");
    assert!(told.contains("\n- Bre Mid (42) (BRE-MID)\n"), "{told}");
    let late = json!({"number": "FJ-1", "returnable": false, "reason": "too_late", "items": []});
    let late = shown("return_check", json!({}), &late, Language::En).text;
    assert_eq!(late, "The time for returning your order FJ-1 is over.");
}

#[test]
fn an_action_says_what_it_changes_and_what_it_did() {
    let arguments = object(json!({"order_number": "FJ-10234", "address": "[ADDRESS_1]",
        "skus": ["BRE-MID"], "reason": "too_small"}));
    let said = |tool| effect(tool, &arguments, Some(&order("processing")), Language::En);
    let (cancel, fields) = said("cancel_order");
    assert_eq!(
        cancel,
        "Order FJ-10234 (Vidde 2 and 2 × Bre Mid (42)) will be cancelled as a whole, and €1,828.80 will be paid back."
    );
    assert_eq!(fields.len(), 3);
    assert_eq!(
        said("change_address").0,
        "Order FJ-10234 will be sent to this address: [ADDRESS_1]"
    );
    assert_eq!(
        said("start_return").0,
        "A return will be registered for order FJ-10234: 2 × Bre Mid (42)."
    );
    // What is returned is told even if the order is not known.
    let blind = effect("start_return", &arguments, None, Language::En).0;
    assert_eq!(blind, "A return will be registered for order FJ-10234: BRE-MID.");

    let done =
        |tool, result| render(tool, &arguments, &result, super::TODAY, Language::En).unwrap();
    assert_eq!(
        done("cancel_order", json!({"refund": {"amount": "9.00", "currency": "EUR"}})).text,
        "Your order FJ-10234 is cancelled. €9.00 is paid back."
    );
    assert_eq!(
        done("start_return", json!({"return_number": "R-1", "label_url": "https://a.example/r.pdf", "until": "2026-12-27"})).text,
        "Your return is registered under the number R-1. Please send it until 27 December. Return label: https://a.example/r.pdf"
    );
}

#[test]
fn a_shop_cannot_place_links_or_marks_in_an_answer() {
    let mut hostile = order("shipped");
    hostile["carrier"] = json!("[DHL](https://evil.example) <b>\u{202e}x</b>");
    hostile["tracking_number"] = json!("1\n\n# now".to_owned() + &"9".repeat(400));
    hostile["tracking_url"] = json!("javascript:alert(1)");
    let Rendered { text, cards } = shown("order_status", json!({}), &hostile, Language::En);
    for sign in ["](", "<", "://", "\n", "\u{202e}"] {
        assert!(!text.contains(sign), "{sign:?} in {text}");
    }
    assert!(text.chars().count() < 400, "{text}");
    let Card::Order(card) = &cards[0] else { panic!() };
    assert_eq!(card.url, None);
    for shape in [json!(null), json!([]), json!({"number": "FJ-1"}), json!({"orders": 5})] {
        for tool in ["order_status", "order_list", "return_check", "product_search", "store_finder"]
        {
            let found = render(tool, &object(json!({})), &shape, super::TODAY, Language::En);
            assert_eq!(found, None, "{tool} {shape}");
        }
    }
}
