use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::{cache::tests::question, guard::mask};

#[derive(Deserialize)]
struct Pair {
    kind: String,
    a: String,
    b: String,
}

fn pairs(jsonl: &str) -> Vec<Pair> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether the second question would get the first one's answer if they were perfectly similar.
fn served(a: &str, b: &str) -> bool {
    let ask = |text: &str| Question::new(&mask(text).text, true);
    matches!((ask(a), ask(b)), (Ok(a), Ok(b)) if serves(&a, &b).is_ok())
}

#[test]
fn no_near_identical_pair_with_different_answers_is_served_even_at_full_similarity() {
    let pairs = pairs(include_str!("../../../../tests/data/near_pairs.jsonl"));
    assert!(pairs.len() >= 300, "{}", pairs.len());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for Pair { kind, a, b } in &pairs {
        *kinds.entry(kind).or_default() += 1;
        // The guards alone must refuse, without help from the policy.
        let agreed = serves(&question(a), &question(b)).is_ok()
            || serves(&question(b), &question(a)).is_ok();
        if agreed || served(a, b) {
            wrong.push(format!("{kind}: {a} | {b}"));
        }
    }
    println!("{kinds:?}");
    assert!(wrong.is_empty(), "{} served:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn most_true_paraphrases_pass_the_guards() {
    let pairs = pairs(include_str!("../../../../tests/data/paraphrases.jsonl"));
    let lost: Vec<_> = pairs
        .iter()
        .filter(|pair| !served(&pair.a, &pair.b))
        .map(|Pair { a, b, .. }| format!("{a} | {b}: {:?}", serves(&question(a), &question(b))))
        .collect();
    let kept = pairs.len() - lost.len();
    println!("{kept} of {} paraphrases are served; lost:\n{}", pairs.len(), lost.join("\n"));
    assert!(kept * 10 >= pairs.len() * 6, "{kept} of {}", pairs.len());
}

#[test]
fn each_guard_gives_its_reason() {
    for (a, b, why) in [
        ("is delivery free over 50 euros", "is delivery free over 60 euros", Disagreement::Numbers),
        ("is a fee of $5 usual", "is a fee of €5 usual", Disagreement::Currencies),
        ("do you ship to Canada", "do you ship to Mexico", Disagreement::Names),
        ("can I return it opened", "can I not return it opened", Disagreement::Polarity),
        ("how do I cancel my order", "how do I change my order", Disagreement::Actions),
        ("where is the refund policy", "where is the refund status", Disagreement::Objects),
        ("how do I pay before delivery", "how do I pay after delivery", Disagreement::Signs),
        ("ship from Berlin to Paris", "ship from Paris to Berlin", Disagreement::Names),
        ("pay before I ship", "ship before I pay", Disagreement::Order),
        ("what is my address", "what is your address", Disagreement::Owner),
        ("do I pay for return shipping", "do you pay for return shipping", Disagreement::Owner),
        ("can I cancel an order", "can you cancel an order", Disagreement::Owner),
        ("when do we pay import tax", "when do you pay import tax", Disagreement::Owner),
    ] {
        assert_eq!(serves(&question(a), &question(b)), Err(why), "{a} | {b}");
    }
}

#[test]
fn spelling_of_numbers_and_currencies_makes_no_difference() {
    for (a, b) in [
        ("is shipping free over $50?", "is shipping free over 50 dollars"),
        ("is it free over 1,000 EUR", "is it free over €1000"),
        ("can I return within two weeks", "can I return within 2 weeks"),
        ("does the 5kg bag fit", "does the 5 kg bag fit"),
    ] {
        assert_eq!(serves(&question(a), &question(b)), Ok(()), "{a} | {b}");
    }
}
