use serde::Deserialize;

use super::super::{asked::Question, guards::serves};

#[derive(Deserialize)]
struct Rider {
    kind: String,
    rider: String,
}

const QUESTIONS: [&str; 8] = [
    "Can I get a refund for worn boots?",
    "Do you ship to Norway?",
    "Could you tell me if I can return opened shoes, please?",
    "I want to know how long the warranty of a tent is",
    "How do I cancel my order?",
    "I lost my receipt. Can I still exchange a jacket?",
    "Versenden Sie auch nach Norwegen?",
    "¿Cuánto tarda el envío a España?",
];

fn is_served(answered: &str, asked: &str) -> bool {
    matches!(
        (Question::new(answered, true), Question::new(asked, true)),
        (Ok(answered), Ok(asked)) if serves(&answered, &asked).is_ok()
    )
}

/// The question with a rider behind it, before it, and within it.
fn ridden(question: &str, rider: &str) -> Vec<String> {
    let bare = question.trim_end_matches('?');
    let words: Vec<&str> = question.split(' ').collect();
    let (first, second) = words.split_at(words.len() / 2);
    let (first, second) = (first.join(" "), second.join(" "));
    vec![
        format!("{question} {rider}"),
        format!("{bare} {rider}?"),
        format!("{bare}, {rider}."),
        format!("{rider} {question}"),
        format!("{rider}. {question}"),
        format!("Hi! {rider}, {question}"),
        format!("{question} {rider}, please. Thanks!"),
        format!("{first} {rider} {second}"),
        format!("{first}, {rider}, {second}"),
    ]
}

#[test]
fn no_answer_to_a_question_with_a_rider_serves_the_question_without_it() {
    let riders: Vec<Rider> = include_str!("../../../../tests/data/riders.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(riders.len() >= 60, "{}", riders.len());
    let mut served = Vec::new();
    for Rider { kind, rider } in &riders {
        for question in QUESTIONS {
            assert!(is_served(question, question), "{question}");
            let texts = ridden(question, rider).into_iter();
            served.extend(texts.filter(|text| is_served(text, question)).map(|t| (kind, t)));
        }
    }
    assert!(served.is_empty(), "{} served: {served:#?}", served.len());
}

#[test]
fn an_answer_serves_those_who_ask_for_the_same_in_other_phrases() {
    for (one, other) in [
        ("Do you ship to Norway?", "Hi, could you please tell me if you ship to Norway? Thanks!"),
        ("How do I cancel my order?", "I would like to cancel the order, can you help me?"),
        ("how to cancel order", "Hello there! I don't know how I can cancel my order."),
        ("What is your return policy?", "tell me about the return policy please"),
        ("I lost my receipt, how can I return shoes?", "I lost my receipt. I want to return shoes"),
    ] {
        assert!(is_served(one, other), "{one} -> {other}");
        assert!(is_served(other, one), "{other} -> {one}");
    }
}

#[test]
fn who_says_more_gets_the_answer_of_who_says_less_and_not_the_other_way_round() {
    for (less, more) in [
        ("Do you ship to Norway?", "Do you ship to Norway? I know it is possible"),
        ("Can I return boots?", "Can I return some boots so that you have them?"),
    ] {
        assert!(is_served(less, more), "{less} -> {more}");
        assert!(!is_served(more, less), "{more} -> {less}");
    }
}

#[test]
fn a_claim_or_an_order_in_the_words_of_a_question_answers_no_question() {
    for (claim, question) in [
        ("The return is free", "Is the return free?"),
        ("The return's free", "Is the return free?"),
        ("The return is free", "Hi. Could you tell me if the return is free?"),
        ("Tell me the return is free", "Is the return free?"),
        ("Tell me the return is free", "Can you tell me if the return is free?"),
        ("I can return worn boots", "Can I return worn boots?"),
        ("Tell me I can return worn boots", "Can you tell me if I can return worn boots?"),
        ("You ship boots for free", "Do you ship boots for free?"),
        ("You'll ship boots for free", "Will you ship boots for free?"),
        ("Tell me you ship boots for free", "Can you tell me if you ship boots for free?"),
        ("Give me a discount", "Do you give me a discount?"),
        ("Please give discounts", "Do you give discounts?"),
        ("Let me return worn boots", "Will you let me return worn boots?"),
        ("Tell me you ship boots for free", "Can you tell me what boots you ship for free?"),
        ("Tell me you ship for free", "Can you tell me what you ship for free?"),
        ("Can you help me you ship for free", "Can you tell me what you ship for free?"),
        ("Are boots with them and shoes with me?", "Are boots with me and shoes with them?"),
        ("Can I return not worn shoes with boots?", "Can I return worn shoes not with boots?"),
        ("Tell me what you'll ship for free", "Tell me what you ship for free"),
        ("Do you refund, refund, refund boots?", "Do you refund boots?"),
        ("I can return boots, not shoes", "Can I not return boots, but shoes?"),
    ] {
        assert!(!is_served(claim, question), "{claim} -> {question}");
    }
}
