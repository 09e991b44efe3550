use super::{super::*, called, formats, planned};
use crate::domain::{Intent, Language, Topic};

fn asked(errand: Option<Errand>) -> (Wanted, String, usize) {
    match errand {
        Some(Errand::Ask { wanted, text, choices }) => (wanted, text, choices.len()),
        other => panic!("no question: {other:?}"),
    }
}

#[test]
fn exactly_what_is_missing_is_asked_for() {
    for (text, wanted) in [
        ("where is my order?", Wanted::OrderAndProof),
        ("where is FJ-10234?", Wanted::Proof),
        ("my parcel has not arrived, I am [EMAIL_1]", Wanted::Order),
        ("change the address of FJ-10234, [EMAIL_1]", Wanted::Address),
        ("where is the nearest store?", Wanted::Place),
        ("do you have it in size 43?", Wanted::Product),
        ("FJ123456789012", Wanted::Order),
    ] {
        assert_eq!(asked(planned(&[], text)).0, wanted, "{text}");
    }
}

#[test]
fn an_errand_goes_on_where_it_was_left() {
    let both = asked(planned(&[], "where is my order?")).1;
    let proof = asked(planned(&[], "where is FJ-10234?")).1;
    let first = ("where is my order?", Some(both.as_str()));
    let aside = ("by the way, what does express cost?", Some("12.90 EUR"));
    assert_eq!(planned(&[first], aside.0), None);
    for earlier in [vec![first], vec![first, aside]] {
        let calls = called(planned(&earlier, "FJ-10234, [EMAIL_1]"));
        assert_eq!(calls[0].tool, "order_status");
        assert_eq!(calls[0].arguments["order_number"], "FJ-10234");
        assert_eq!(calls[0].proof, Some(Proof::Email("[EMAIL_1]".into())));
    }
    let second = ("where is FJ-10234?", Some(proof.as_str()));
    let calls = called(planned(&[second], "18055"));
    assert_eq!(calls[0].proof, Some(Proof::Postcode("18055".into())));
    let corrected = [second, ("18055", Some("It was sent."))];
    let calls = called(planned(&corrected, "no, I meant FJ-10235"));
    assert_eq!(calls[0].arguments["order_number"], "FJ-10235");
}

#[test]
fn after_two_questions_that_brought_nothing_a_person_is_offered() {
    let both = asked(planned(&[], "where is my order?")).1;
    let said = |text| (text, Some(both.as_str()));
    let once = [said("where is my order?")];
    assert_eq!(asked(planned(&once, "no idea")).0, Wanted::OrderAndProof);
    let twice = [said("where is my order?"), said("no idea")];
    let (wanted, text, choices) = asked(planned(&twice, "I don't know"));
    assert_eq!((wanted, choices), (Wanted::Person, 1));
    let thrice = [twice[0], twice[1], ("I don't know", Some(text.as_str()))];
    assert_eq!(planned(&thrice, "hm"), None);
}

#[test]
fn a_number_that_is_not_one_of_an_order_stays_what_it_is() {
    for text in ["size 42", "2026-11-29", "10234 EUR", "my postcode is 10234", "over 10000 points"]
    {
        assert_eq!(planned(&[], text), None, "{text}");
    }
    let calls = called(planned(&[], "where is FJ10234, postcode 80331"));
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].proof, Some(Proof::Postcode("80331".into())));
}

#[test]
fn tools_that_a_site_does_not_have_are_not_planned() {
    let intent = Intent { topic: Topic::Orders, confidence: 0.9, also: Vec::new() };
    let heard = |text, signed_in, has: &'static dyn Fn(&str) -> bool| {
        plan(&Heard {
            text,
            earlier: &[],
            intent: &intent,
            language: Language::En,
            formats: &formats(),
            signed_in,
            value: &|_| None,
            consent: &|_| None,
            has,
        })
    };
    assert_eq!(heard("where is my order?", false, &|_| false), None);
    assert_eq!(heard("do you have tents?", false, &|tool| tool != "product_search"), None);
    assert_eq!(called(heard("where is my order?", true, &|_| true))[0].tool, "order_list");
    let calls = called(heard("where is FJ-10234? [EMAIL_1]", true, &|_| true));
    assert_eq!((calls[0].tool, &calls[0].proof), ("order_status", &None));
}

#[test]
fn items_are_chosen_from_the_list_that_was_shown() {
    let listed = "You can send it back:\n- Bre Mid (42) (BRE-MID)\n- Hiking socks (SOCKS)\n\
        Which of them do you want to return? Write their names, or “all” for all of them.";
    let earlier = [("return FJ-10247, [EMAIL_1]", Some(listed))];
    let skus = |text| called(planned(&earlier, text))[0].arguments["skus"].clone();
    assert_eq!(skus("the socks, they are too big"), serde_json::json!(["SOCKS"]));
    assert_eq!(skus("all of them"), serde_json::json!(["BRE-MID", "SOCKS"]));
    assert_eq!(skus("1"), serde_json::json!(["BRE-MID"]));
    assert_eq!(called(planned(&earlier, "the socks, too big"))[0].tool, "start_return");
}
