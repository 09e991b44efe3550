//! Parts of an order, and parts of an address.

use serde_json::{Value, json};

use super::{super::*, called, planned};
use crate::assistant::errand::address::parts;

const LIST: &str = "You can send it back:\n- Fjellheim Bre Mid (41) (BRE-MID)\n\
    - 3 × Hiking socks (39-42) (SOCKS)\n- Fjellheim Storm (L) (STORM)\n\
    Which of them do you want to return? Write their names, or “all” for all of them.";

fn returned(text: &str) -> Option<Errand> {
    planned(&[("return FJ-10247, [EMAIL_1]", Some(LIST))], text)
}

fn skus(text: &str) -> Value {
    called(returned(text))[0].arguments["skus"].clone()
}

#[test]
fn an_item_that_is_left_out_is_not_returned() {
    for (text, skus) in [
        ("my order but not the socks", json!(["BRE-MID", "STORM"])),
        ("everything except the socks", json!(["BRE-MID", "STORM"])),
        ("all but the socks and the storm", json!(["BRE-MID"])),
        ("the storm, not the socks", json!(["STORM"])),
        ("not the socks, the storm", json!(["STORM"])),
        ("not the socks but the storm", json!(["STORM"])),
        ("all without 2", json!(["BRE-MID", "STORM"])),
        ("only the socks", json!(["SOCKS"])),
        ("everything", json!(["BRE-MID", "SOCKS", "STORM"])),
    ] {
        assert_eq!(self::skus(text), skus, "{text}");
    }
    // What is left out is not known, so "everything" is not everything.
    assert!(!matches!(returned("everything except the blue one"), Some(Errand::Call(calls))
        if calls[0].arguments.contains_key("skus")));
}

#[test]
fn an_item_that_is_called_otherwise_is_looked_for_in_the_shop() {
    let pick = |text| called(returned(text))[0].pick.clone().unwrap();
    let jacket = pick("the jacket please");
    assert_eq!((jacket.queries.as_slice(), jacket.except), (&["jacket".to_owned()][..], false));
    let found = |skus: &[&str]| vec![skus.iter().map(ToString::to_string).collect::<Vec<_>>()];
    assert_eq!(jacket.resolve(&found(&["STORM", "DUN"])), Some(vec!["STORM".to_owned()]));
    assert_eq!(jacket.resolve(&found(&["DUN"])), None);
    assert_eq!(jacket.resolve(&[]), None);
    let others = pick("all except the jacket");
    assert!(others.except);
    let kept = others.resolve(&found(&["STORM"])).unwrap();
    assert_eq!(kept, ["BRE-MID", "SOCKS"]);
    let both = pick("the socks and the jacket");
    assert_eq!(both.resolve(&found(&["STORM"])).unwrap(), ["SOCKS", "STORM"]);
    let without = pick("the jacket but not the socks");
    assert_eq!(without.resolve(&found(&["STORM"])).unwrap(), ["STORM"]);
}

#[test]
fn yes_means_the_only_item_and_none_of_several() {
    let one = "You can send it back:\n- Fjellheim Dun (M) (DUN)\nDo you want to send it back?";
    let earlier = [("return FJ-10248, [EMAIL_1]", Some(one))];
    assert_eq!(called(planned(&earlier, "yes"))[0].arguments["skus"], json!(["DUN"]));
    assert!(declined(planned(&earlier, "no")));
    // It is asked again which of them.
    assert_eq!(called(returned("yes"))[0].tool, "return_check");
}

fn declined(errand: Option<Errand>) -> bool {
    matches!(errand, Some(Errand::Ask { wanted: Wanted::Nothing, .. }))
}

#[test]
fn a_reason_that_follows_the_items_is_a_new_return_with_the_reason() {
    let offer = "A return will be registered for order FJ-10247: Hiking socks.\n\nShall I do that?";
    let earlier = [("return FJ-10247, [EMAIL_1]", Some(LIST)), ("the socks", Some(offer))];
    let calls = called(planned(&earlier, "they are too big"));
    assert_eq!(
        (calls[0].tool, &calls[0].arguments["reason"]),
        ("start_return", &json!("too_large"))
    );
    assert_eq!(calls[0].arguments["skus"], json!(["SOCKS"]));
}

#[test]
fn a_part_of_an_order_is_not_cancelled() {
    for text in [
        "cancel only the headlamp of FJ-10241, [EMAIL_1]",
        "cancel everything except the mats in FJ-10241, [EMAIL_1]",
        "cancel the headlamp from order FJ-10241, [EMAIL_1]",
    ] {
        let asked = planned(&[], text);
        let Some(Errand::Ask { wanted: Wanted::Whole, text: whole, .. }) = asked else {
            panic!("{text}: {asked:?}")
        };
        let earlier = [(text, Some(whole.as_str()))];
        assert_eq!(called(planned(&earlier, "yes"))[0].tool, "cancel_order", "{text}");
        assert!(declined(planned(&earlier, "no")));
    }
    for text in
        ["cancel my order FJ-10240 please, [EMAIL_1]", "cancel the tent, order FJ-10240, [EMAIL_1]"]
    {
        assert_eq!(called(planned(&[], text))[0].tool, "cancel_order", "{text}");
    }
}

#[test]
fn a_corrected_postcode_is_no_order() {
    let not_found = Reply::NotFound.text(crate::domain::Language::En);
    let earlier = [("where is FJ-10246?", None), ("80332", Some(not_found))];
    let asked = planned(&[], "where is FJ-10246?");
    let Some(Errand::Ask { text, .. }) = asked else { panic!("{asked:?}") };
    let earlier = [(earlier[0].0, Some(text.as_str())), earlier[1]];
    let call = |text| called(planned(&earlier, text)).remove(0);
    assert_eq!(call("sorry, 80331").proof, Some(Proof::Postcode("80331".into())));
    assert_eq!(call("sorry, 80331").arguments["order_number"], "FJ-10246");
    assert_eq!(call("sorry, 10264").arguments["order_number"], "FJ-10264");
}

#[test]
fn what_an_address_lacks_is_known() {
    for (text, street, postcode, town) in [
        ("Lindenweg 4, 80331 München", true, true, true),
        ("PLZ 6020", false, true, false),
        ("80331 München", false, true, true),
        ("Lindenweg 4", true, false, false),
        ("Lindenweg 4, München", true, false, true),
        ("Lindenweg 4, 80331", true, true, false),
        ("14 rue des Lilas, 69003 Lyon", true, true, true),
        ("14 rue des Lilas 69003 Lyon", true, true, true),
        ("Calle Mayor 15, 28013 Madrid", true, true, true),
        ("Via Garibaldi 22, 20121 Milano", true, true, true),
        ("Rua Augusta 8, 1100-053 Lisboa", true, true, true),
        ("Keizersgracht 120, 1015 CX Amsterdam", true, true, true),
        ("ul. Długa 7, 31-147 Kraków", true, true, true),
        ("12 Mill Lane, Bristol BS1 4DJ", true, true, true),
        ("10 Downing Street London SW1A 2AA", true, true, true),
        ("10 Downing Street", true, false, false),
        ("東京都渋谷区神宮前1-2-3 150-0001", true, true, true),
        ("北京市朝阳区建国路88号 100022", true, true, true),
        ("北京市朝阳区建国路88号", true, false, true),
        ("شارع الملك فهد 12، 12211 الرياض", true, true, true),
        ("tomorrow", false, false, true),
        ("", false, false, false),
    ] {
        let found = parts(text);
        assert_eq!((found.street, found.postcode, found.town), (street, postcode, town), "{text}");
    }
}

#[test]
fn an_address_is_asked_for_until_it_is_whole() {
    let order = "change the address of FJ-10240, [EMAIL_1]";
    let asked = |errand: Option<Errand>| match errand {
        Some(Errand::Ask { wanted: Wanted::Address, text, .. }) => text,
        other => panic!("{other:?}"),
    };
    let first = asked(planned(&[], order));
    let mut earlier = vec![(order, Some(first.as_str()))];
    let second = asked(planned(&earlier, "Lindenweg 4"));
    assert!(second.contains("the postcode") && second.contains("the town"), "{second}");
    assert!(!second.contains("street"), "{second}");
    earlier.push(("Lindenweg 4", Some(second.as_str())));
    let calls = called(planned(&earlier, "80331 München"));
    assert_eq!(calls[0].arguments["address"], "Lindenweg 4, 80331 München");
    assert_eq!(calls[0].proof, Some(Proof::Email("[EMAIL_1]".into())));
}

#[test]
fn what_does_not_belong_to_an_address_is_left_out_of_it() {
    for text in [
        "please send FJ-10240 to 12 Mill Lane, Bristol BS1 4DJ instead. [EMAIL_1]",
        "[EMAIL_1] change the address of FJ-10240 to 12 Mill Lane, Bristol BS1 4DJ please",
        "change the address of FJ-10240, postcode 18055, to 12 Mill Lane, Bristol BS1 4DJ",
    ] {
        let calls = called(planned(&[], text));
        assert_eq!(calls[0].arguments["address"], "12 Mill Lane, Bristol BS1 4DJ", "{text}");
    }
}

#[test]
fn two_orders_are_planned_one_by_one_and_what_came_broken_goes_back() {
    let calls = called(planned(&[], "cancel FJ-10240 and FJ-10241, [EMAIL_1]"));
    assert_eq!(calls.len(), 2);
    let broken = called(planned(&[], "FJ-10236 arrived broken, [EMAIL_1]"));
    assert_eq!((broken[0].tool, broken[0].sorry), ("return_check", true));
    let missing = planned(&[], "something is missing in FJ-10236, [EMAIL_1]");
    assert!(matches!(missing, Some(Errand::Ask { wanted: Wanted::Person, .. })), "{missing:?}");
}

#[test]
fn more_may_be_asked_about_what_was_shown() {
    let store = [("is there a store in Munich?", Some("This is the nearest store: Munich."))];
    for text in ["is it open on Sunday?", "what is the phone number there?"] {
        let calls = called(planned(&store, text));
        assert_eq!(
            (calls[0].tool, &calls[0].arguments["near"]),
            ("store_finder", &json!("Munich"))
        );
    }
    let boots = [("do you have hiking boots?", Some("Bre Mid costs 189.90 EUR."))];
    for (text, size) in [
        ("how much is it?", None),
        ("and in size 43-46?", Some("43-46")),
        ("do you have it in EU 42", Some("42")),
    ] {
        let calls = called(planned(&boots, text));
        assert_eq!(calls[0].arguments["query"], "hiking boots", "{text}");
        assert_eq!(calls[0].arguments.get("size").and_then(Value::as_str), size, "{text}");
    }
    assert_eq!(planned(&boots, "how much is shipping?"), None);
}

#[test]
fn who_has_no_number_hears_of_the_other_ways() {
    let first = planned(&[], "where is my order?");
    let Some(Errand::Ask { text, .. }) = first else { panic!("{first:?}") };
    let earlier = [("where is my order?", Some(text.as_str()))];
    let Some(Errand::Ask { wanted, text, choices }) = planned(&earlier, "I don't have the number")
    else {
        panic!("no question")
    };
    assert_eq!((wanted, choices.len()), (Wanted::OrderAndProof, 1));
    assert!(text.contains("sign in"), "{text}");
}
