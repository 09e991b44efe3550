//! Ways to say things that were misread once.

use serde_json::{Value, json};

use super::{super::*, called, formats, planned};
use crate::domain::Language;

fn returnable() -> Value {
    json!({"number": "FJ-10247", "returnable": true, "items": [
        {"sku": "BRE-MID", "name": "Fjellheim Bre Mid", "quantity": 1, "size": "41"},
        {"sku": "MUG", "name": "Enamel mug", "quantity": 3},
    ]})
}

/// What becomes of a message that begins a return, once it is known what can go back.
fn begun(text: &str) -> Option<Value> {
    let calls = called(planned(&[], text));
    assert_eq!(calls[0].tool, "return_check", "{text}");
    let named = calls[0].named.as_ref().unwrap();
    let change = chosen(&calls[0], named, &returnable(), Language::En, &formats())?;
    assert_eq!((change.tool, &change.proof), ("start_return", &calls[0].proof));
    Some(Value::Object(change.arguments))
}

#[test]
fn items_that_are_named_at_once_are_not_asked_for_again() {
    let skus = |text: &str| begun(text).map(|arguments| arguments["skus"].clone());
    for (text, expected) in [
        ("I want to return the mug from order FJ-10247, [EMAIL_1]", json!(["MUG"])),
        ("return everything in FJ-10247, [EMAIL_1]", json!(["BRE-MID", "MUG"])),
        ("please return everything except the mugs of FJ-10247, [EMAIL_1]", json!(["BRE-MID"])),
    ] {
        assert_eq!(skus(text), Some(expected), "{text}");
    }
    for text in ["return my order FJ-10247, [EMAIL_1]", "I return FJ-10247 in 2 days, [EMAIL_1]"] {
        assert_eq!(begun(text), None, "{text}: which items?");
    }
    let small = begun("the mugs of FJ-10247 are too small, I want to return them, [EMAIL_1]");
    assert_eq!(small.unwrap()["reason"], "too_small");
    // The proof comes later, and the items still count.
    let text = "I want to return the mug from order FJ-10247";
    let Some(Errand::Ask { text: asked, .. }) = planned(&[], text) else { panic!("no question") };
    let calls = called(planned(&[(text, Some(&asked))], "[EMAIL_1]"));
    assert!(calls[0].named.as_ref().unwrap().text.contains("mug"));
}

#[test]
fn a_quantity_in_a_return_is_that_of_its_item() {
    let quantity = |text: &str| begun(text).unwrap().get("quantity").cloned();
    for (text, expected) in [
        ("send back 2 of the 3 mugs of order FJ-10247, [EMAIL_1]", Some(2)),
        ("I want to return 1 mug from order FJ-10247, [EMAIL_1]", Some(1)),
        ("I want to return the 3 mugs from order FJ-10247, [EMAIL_1]", None),
        ("return the mugs that I got 2 days ago in FJ-10247, [EMAIL_1]", None),
        ("return the 2 mugs and the bre mid of FJ-10247, [EMAIL_1]", None),
    ] {
        assert_eq!(quantity(text), expected.map(Value::from), "{text}");
    }
    let list = "You can send it back:\n- Bre Mid (41) (BRE-MID)\n- 3 × Enamel mug (MUG)\n\
        Which of them do you want to return? Write their names, or “all” for all of them.";
    let earlier = [("return FJ-10247, [EMAIL_1]", Some(list))];
    let calls = called(planned(&earlier, "2 of the 3 mugs"));
    assert_eq!((calls[0].tool, &calls[0].arguments["quantity"]), ("start_return", &json!(2)));
    let arguments = calls[0].arguments.clone();
    let (said, _) = effect("start_return", &arguments, Some(&returnable()), Language::En);
    assert!(said.contains("2 × Enamel mug"), "{said}");
}

#[test]
fn an_address_in_place_of_another_one_is_the_new_one() {
    for text in [
        "the address of FJ-10240 should be 12 Mill Lane, Bristol BS1 4DJ instead of 3 Oak Road, Leeds LS1 2AB. [EMAIL_1]",
        "[EMAIL_1] change the address of FJ-10240 to 12 Mill Lane, Bristol BS1 4DJ instead of 3 Oak Road, Leeds LS1 2AB",
    ] {
        let calls = called(planned(&[], text));
        assert_eq!(calls[0].tool, "change_address", "{text}");
        assert_eq!(calls[0].arguments["address"], "12 Mill Lane, Bristol BS1 4DJ", "{text}");
    }
}

#[test]
fn a_store_is_found_by_its_town_and_by_whether_it_is_open() {
    for text in [
        "which shop in Graz is open",
        "which shop in Graz is open today?",
        "is the store in Graz open now",
    ] {
        let calls = called(planned(&[], text));
        assert_eq!(
            (calls[0].tool, &calls[0].arguments["near"]),
            ("store_finder", &json!("Graz")),
            "{text}"
        );
    }
}

#[test]
fn a_corrected_postcode_replaces_the_first_one() {
    let first = "where is FJ-10255?";
    let Some(Errand::Ask { text: asked, .. }) = planned(&[], first) else { panic!("no question") };
    let proof =
        |earlier: &[(&str, Option<&str>)], text| called(planned(earlier, text))[0].proof.clone();
    let not_found = Reply::NotFound.text(Language::En);
    let earlier = [(first, Some(asked.as_str())), ("8010", Some(not_found))];
    for text in ["sorry, 8020", "8020", "I meant 8020", "no, postcode 8020"] {
        let code = Some(Proof::Postcode("8020".into()));
        assert_eq!(proof(&earlier, text), code, "{text}");
    }
    let earlier = [("where is FJ-10255? postcode 8010", Some(not_found))];
    assert_eq!(proof(&earlier, "sorry, 8020"), Some(Proof::Postcode("8020".into())));
}

#[test]
fn anger_without_a_number_is_asked_for_it() {
    for text in [
        "WHERE THE HELL IS MY PACKAGE???",
        "this is ridiculous, my order still has not arrived!!",
        "I am furious, three weeks and still no sign of my parcel",
        "you idiots lost my order",
        "my order never came, this is a joke",
    ] {
        let errand = planned(&[], text);
        let asks = matches!(&errand, Some(Errand::Ask { wanted: Wanted::OrderAndProof, .. }));
        assert!(asks, "{text}: {errand:?}");
    }
}
