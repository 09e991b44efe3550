use std::{collections::HashMap, fs, path::Path};

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::config::{Grounding, Guard};

const INSTRUCTIONS: &str = "Answer in the language of the customer, in at most six short sentences, friendly and \
concrete. Use only the numbered passages below as facts about the shop.";

fn guard(action: GuardAction) -> Guard {
    Guard {
        grounding: Grounding::Always,
        numbers: action,
        places: action,
        availability: action,
        permissions: action,
        promises: action,
        orders: action,
        links: action,
        personal_data: action,
        competitors: action,
        secrets: action,
        uncited: action,
        decisions_per_site: 0,
        sites: Vec::new(),
    }
}

fn policy(action: GuardAction) -> Arc<Policy> {
    let site = crate::domain::SiteId::parse("demo").unwrap();
    let mut policy = Policy::of(&guard(action), &site, vec!["shop.example".into()]);
    policy.competitors = vec!["rival outdoor".into()];
    Arc::new(policy)
}

struct Passage {
    title: String,
    heading: String,
    text: String,
}

/// The demo shop's documents by `file#heading`, and its questions by `faq#question`.
fn demo() -> HashMap<String, Passage> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/knowledge");
    let mut found = HashMap::new();
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // The pages in other languages have folders of their own.
    for file in entries.filter(|path| path.is_file()) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        if file.extension().unwrap() == "csv" {
            for line in text.lines().skip(1) {
                let (question, answer) =
                    line.split_once(",\"").unwrap_or_else(|| line.split_once(',').unwrap());
                let heading = question.trim_matches('"').to_owned();
                let text = answer.trim_end_matches('"').replace("\"\"", "\"");
                let title = "Frequent questions".to_owned();
                found.insert(format!("faq#{heading}"), Passage { title, heading, text });
            }
            continue;
        }
        let title = text.split("title: ").nth(1).unwrap().lines().next().unwrap().to_owned();
        for part in text.split("\n## ").skip(1) {
            let (heading, text) = part.split_once('\n').unwrap();
            let (heading, text) = (heading.to_owned(), text.trim().to_owned());
            found.insert(
                format!("{name}#{heading}"),
                Passage { title: title.clone(), heading, text },
            );
        }
    }
    found
}

fn evidence(question: &str, passages: &[&Passage]) -> Arc<Evidence> {
    let source = |passage: &&Passage| {
        let Passage { title, heading, text } = *passage;
        (title.clone(), heading.clone(), text.clone())
    };
    let owned: Vec<_> = passages.iter().map(source).collect();
    let sources: Vec<Source<'_>> = owned
        .iter()
        .map(|(title, heading, text)| Source {
            title,
            heading,
            text,
            url: None,
            is_looked_up: false,
        })
        .collect();
    Arc::new(Evidence::new(question, &sources, &["shop.example".to_owned()], INSTRUCTIONS))
}

/// What is shown, in pieces of so many characters, and what was decided.
fn shown(
    evidence: &Arc<Evidence>,
    action: GuardAction,
    text: &str,
    size: usize,
) -> (String, Checked) {
    let vault = super::super::mask::mask("I am ann@example.com").vault;
    let mut filter = ClaimFilter::new(Arc::clone(evidence), policy(action), &vault, "en");
    let mut out = String::new();
    let chars: Vec<char> = text.chars().collect();
    for piece in chars.chunks(size) {
        out.push_str(&filter.push(&piece.iter().collect::<String>()));
    }
    let checked = filter.finish();
    out.push_str(&checked.text);
    (out, checked)
}

#[derive(Deserialize)]
struct Case {
    question: String,
    passages: Vec<String>,
    answer: String,
    supported: bool,
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/claims").join(file);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_no_passage_supports_is_not_shown_and_what_one_does_is() {
    let demo = demo();
    let files = ["written.jsonl", "recorded.jsonl"];
    let cases: Vec<Case> = files.into_iter().flat_map(cases).collect();
    let (mut passed, mut lost) = (Vec::new(), Vec::new());
    for case in &cases {
        let passages: Vec<&Passage> = case.passages.iter().map(|id| &demo[id]).collect();
        let evidence = evidence(&case.question, &passages);
        let (_, checked) = shown(&evidence, GuardAction::Replace, &case.answer, 5);
        let line = format!("{} -> {} {:?}", case.question, case.answer, checked.decisions);
        match (case.supported, checked.decisions.is_empty()) {
            (false, true) => passed.push(line),
            (true, false) => lost.push(line),
            _ => {}
        }
    }
    let good = cases.iter().filter(|case| case.supported).count();
    let bad = cases.len() - good;
    let report = format!(
        "passed {} of {bad}:\n{}\nlost {} of {good}:\n{}",
        passed.len(),
        passed.join("\n"),
        lost.len(),
        lost.join("\n")
    );
    assert!(passed.len() * 50 <= bad && lost.len() * 25 <= good, "{report}");
}

fn of(question: &str, text: &str) -> Arc<Evidence> {
    let passage = Passage { title: "Shipping".into(), heading: String::new(), text: text.into() };
    evidence(question, &[&passage])
}

const SHIPPING: &str =
    "Shipping to Norway costs 16.90 EUR. We deliver to Norway within 4 to 8 working days.";

#[test]
fn a_bad_sentence_is_replaced_and_the_others_stay() {
    let evidence = of("How much is shipping to Norway?", SHIPPING);
    let answer = "Hello! Shipping to Norway costs 4 EUR. Is there anything else?";
    let (text, checked) = shown(&evidence, GuardAction::Replace, answer, 3);
    assert_eq!(text, "Hello! Shipping to Norway costs 16.90 EUR. [1] Is there anything else?");
    assert_eq!((checked.sources, checked.decisions.len()), (vec![0], 1));
    let (text, _) = shown(&evidence, GuardAction::Flag, answer, 3);
    assert_eq!(text, answer);
    let (text, _) = shown(&evidence, GuardAction::Block, answer, 3);
    assert_eq!(text, format!("Hello! {}", honest("en").unknown));
}

#[test]
fn what_cannot_be_replaced_gets_one_honest_sentence() {
    let evidence = of("Do you have a store in Berlin?", SHIPPING);
    let answer = "Yes, we have a store in Berlin. It is open on Sundays. Come to Berlin!";
    let (text, checked) = shown(&evidence, GuardAction::Replace, answer, 7);
    assert_eq!(text.trim(), honest("en").unknown);
    assert!(checked.sources.is_empty() && checked.decisions.len() > 1);
    let promise = "I will forward this to our team.";
    assert_eq!(shown(&evidence, GuardAction::Replace, promise, 4).0, honest("en").unable);
}

#[test]
fn a_marker_names_a_source_that_supports_the_sentence() {
    let evidence = of("How much is shipping to Norway?", SHIPPING);
    for (said, expected) in [
        ("Shipping to Norway costs 16.90 EUR [1].", "Shipping to Norway costs 16.90 EUR [1]."),
        ("Shipping to Norway costs 16.90 EUR [4].", "Shipping to Norway costs 16.90 EUR [1]."),
        ("Shipping to Norway costs 16.90 EUR. [1][3]", "Shipping to Norway costs 16.90 EUR. [1]"),
        ("Hello! [2]", "Hello!"),
    ] {
        let (text, _) = shown(&evidence, GuardAction::Replace, said, 2);
        assert_eq!(text, expected);
    }
}

#[test]
fn names_of_competitors_leaks_and_strange_addresses_are_stopped() {
    let evidence = of("How much is shipping to Norway?", SHIPPING);
    let leak = "My task: Use only the numbered passages below as facts about the shop.";
    for (said, rule) in [
        ("Rival Outdoor is cheaper.", Rule::Competitors),
        (leak, Rule::Secrets),
        ("The key is sk_live_4eC39HqLyjWDarjtT1zdp7dc.", Rule::Secrets),
        ("See https://evil.example/x for more.", Rule::Links),
        ("Write to help@evil.example.", Rule::Links),
        ("Write to [EMAIL_9].", Rule::PersonalData),
        ("Call 0800 123 45 67.", Rule::PersonalData),
    ] {
        let (_, checked) = shown(&evidence, GuardAction::Replace, said, 3);
        let rules: Vec<Rule> = checked.decisions.iter().map(|decision| decision.rule).collect();
        assert_eq!(rules, [rule], "{said}");
    }
    for said in ["Is https://shop.example your page?", "Is [EMAIL_1] your address?"] {
        assert!(shown(&evidence, GuardAction::Replace, said, 3).1.decisions.is_empty(), "{said}");
    }
}

#[test]
fn text_without_a_claim_passes_unchanged() {
    let evidence = of("What is that?", SHIPPING);
    for text in [
        "sim:abcdefghij: I am a simulator, and order return the a of with your our takes your parcel keeps",
        "lorem ipsum dolor tok12 tok13",
        "",
        "  \n",
    ] {
        let (out, checked) = shown(&evidence, GuardAction::Replace, text, 4);
        assert_eq!((out.as_str(), checked.decisions.len()), (text, 0), "{text}");
    }
}

#[test]
fn a_label_is_shown_at_once_and_everything_else_when_its_sentence_has_ended() {
    let mut filter = ClaimFilter::new(
        of("What is that?", SHIPPING),
        policy(GuardAction::Replace),
        &Vault::new(),
        "en",
    );
    let pieces = ["sim:", "abc:", " Hello", " there", ".", " You", " too"];
    let out: Vec<String> = pieces.iter().map(|piece| filter.push(piece)).collect();
    assert_eq!(out, ["sim:", "abc:", "", "", "", " Hello there. ", ""]);
    assert_eq!(filter.finish().text, "You too");
}

proptest! {
    #[test]
    fn pieces_never_change_what_is_shown(
        words in prop::collection::vec(prop::sample::select(vec![
            "Yes.", "No,", "we", "ship", "to", "Norway", "Berlin.", "4.90", "EUR.", "[1]", "[EMAIL_1]", "I will refund",
            "it.", "\n", "so:", "Hello!", "http://evil.example", "?", "do not know.",
        ]), 0..14),
        size in 1usize..9,
    ) {
        let evidence = of("Do you ship to Norway or Berlin?", SHIPPING);
        let text = words.join(" ");
        let (whole, checked) = shown(&evidence, GuardAction::Replace, &text, usize::MAX);
        let (pieces, same) = shown(&evidence, GuardAction::Replace, &text, size);
        prop_assert_eq!(whole, pieces);
        prop_assert_eq!(checked.decisions, same.decisions);
    }
}

#[test]
fn what_a_tool_found_may_say_what_is_with_an_order() {
    let text = "Your order FJ-10234 was sent with DHL and should arrive on 1 December.\n\
                number: FJ-10234\nstatus: shipped\ncarrier: DHL\nexpected at: 2026-12-01\ncan cancel: no";
    let result = Source { title: "Order status", heading: "", text, url: None, is_looked_up: true };
    let page = Source {
        title: "Delivery",
        heading: "",
        text: "An order that was delivered can be sent back. Your order was cancelled if you got a mail. It takes until 9 January.",
        url: None,
        is_looked_up: false,
    };
    let evidence = Evidence::new("where is my order FJ-10234", &[page, result], &[], "");
    let fault = |said: &str| judge::judge(&evidence, said, &[], |_| false).fault;
    for said in [
        "Your order FJ-10234 was shipped with DHL.",
        "Your order was sent with DHL and should arrive on 1 December.",
        "Your order FJ-10234 has been shipped.",
        "It should arrive on 1 December.",
    ] {
        assert_eq!(fault(said), None, "{said}");
    }
    for said in [
        "Your order FJ-10234 was delivered.",
        "Your order FJ-10234 was cancelled.",
        "Your order FJ-10234 was not shipped.",
        "Your order FJ-10235 was shipped with DHL.",
        "Your order was shipped with UPS.",
        "Your order FJ-10234 arrives on 9 January.",
    ] {
        assert!(fault(said).is_some(), "{said}");
    }
    let evidence = Evidence::new("where is my order FJ-10234", &[page], &[], "");
    let fault = judge::judge(&evidence, "Your order was delivered.", &[], |_| false).fault;
    assert!(fault.is_some());
}
