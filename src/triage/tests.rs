use std::{fs, path::Path};

use super::*;

/// Lines of a file of `tests/data/triage`, cut at tabs.
fn rows(file: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/triage").join(file);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn read(text: &str) -> Understood {
    triage(text, None, &Prior::default())
}

/// `actual` of `all`, if it is at least `bar`.
#[track_caller]
fn reaches(bar: f64, all: usize, misses: &[String]) {
    let share = (all - misses.len()) as f64 / all as f64;
    assert!(share >= bar, "{:.1} % of {all}:\n{}", share * 100.0, misses.join("\n"));
}

#[test]
fn a_wish_for_a_person_is_heard_in_eleven_languages() {
    let wishes: Vec<_> = rows("person.tsv").into_iter().filter(|row| row[1] == "yes").collect();
    let missed = wishes.iter().filter(|row| !read(&row[2]).intent.wants_person());
    let missed: Vec<String> = missed.map(|row| format!("{}: {}", row[0], row[2])).collect();
    reaches(0.99, wishes.len(), &missed);
}

#[test]
fn a_person_that_is_only_named_or_not_wanted_is_no_wish() {
    let others: Vec<_> = rows("person.tsv").into_iter().filter(|row| row[1] == "no").collect();
    let alarms = others.iter().filter(|row| read(&row[2]).intent.wants_person());
    let alarms: Vec<String> = alarms.map(|row| format!("{}: {}", row[0], row[2])).collect();
    reaches(0.99, others.len(), &alarms);
}

#[test]
fn the_language_of_short_messages_is_known() {
    for file in ["language.tsv", "person.tsv"] {
        let rows = rows(file);
        let code =
            |row: &[String]| read(row.last().unwrap()).language.map_or("none", Language::code);
        let missed = rows.iter().filter(|row| code(row) != row[0]);
        let missed: Vec<String> = missed.map(|row| format!("{} {row:?}", code(row))).collect();
        reaches(0.98, rows.len(), &missed);
    }
}

#[test]
fn a_message_in_another_language_overrules_the_conversation_and_a_short_one_does_not() {
    let rows = rows("language.tsv");
    let is_short = |text: &str| text.split_whitespace().count() < 3;
    for (prior, other) in [(Language::En, Language::De), (Language::Es, Language::Pt)] {
        let long: Vec<_> = rows.iter().filter(|row| !is_short(&row[1])).collect();
        let conversation = |code: &str| if code == prior.code() { other } else { prior };
        let found = |row: &[String]| identify(&row[1], Some(conversation(&row[0])));
        let missed = long.iter().filter(|row| found(row).map(Language::code) != Some(&row[0]));
        let missed: Vec<String> = missed.map(|row| row.join(" ")).collect();
        reaches(0.97, long.len(), &missed);
    }
    let short: Vec<_> = rows.iter().filter(|row| is_short(&row[1])).collect();
    let kept = |row: &[String]| identify(&row[1], Language::parse(&row[0])).map(Language::code);
    let lost = short.iter().filter(|row| kept(row) != Some(&row[0]));
    let lost: Vec<String> = lost.map(|row| row.join(" ")).collect();
    reaches(0.99, short.len(), &lost);
}

#[test]
fn what_is_certain_is_decided_by_rules() {
    for (text, topic) in [
        ("ok", Topic::Smalltalk),
        ("👍", Topic::Smalltalk),
        ("Guten Tag", Topic::Smalltalk),
        ("I want to talk to a human", Topic::Human),
        ("Your driver threw my parcel over the fence. I want a manager.", Topic::Human),
    ] {
        let intent = read(text).intent;
        assert_eq!((intent.topic, intent.confidence), (topic, CERTAIN), "{text}");
    }
    let number = read("FJ123456789012");
    assert_eq!((number.intent.topic, number.intent.also), (Topic::Orders, vec![Topic::Shipping]));
    assert!(number.intent.confidence < 0.6);
}

#[test]
fn every_intent_of_a_message_is_named() {
    let two = read("Two questions: 1) what does shipping cost 2) can I still cancel my order?");
    let mut topics = two.intent.also;
    topics.push(two.intent.topic);
    assert!(topics.contains(&Topic::Shipping) && topics.contains(&Topic::Orders), "{topics:?}");
    let angry = read("My parcel is smashed, I want a refund. Let me talk to a manager!");
    assert_eq!(angry.intent.topic, Topic::Human);
    assert!(angry.intent.also.contains(&Topic::Billing), "{:?}", angry.intent.also);
}

#[test]
fn an_empty_message_and_one_of_an_unknown_script_are_read_without_confidence() {
    for text in ["", " ", "???", "안녕하세요 주문", "\u{0301}\u{0301}", "Где мой заказ"]
    {
        let read = read(text);
        assert!(read.intent.confidence < 0.5, "{text}: {read:?}");
        assert_eq!(read.language, None, "{text}");
    }
}

#[test]
fn an_example_of_the_site_decides_for_messages_like_it() {
    let vector: Arc<[f32]> = [0.6, 0.8].into();
    let examples = [Example { topic: Topic::Product, vector: vector.clone() }];
    let prior = Prior { language: None, examples: &examples, like_example: LIKE_EXAMPLE };
    let seen = |vector| Some(Seen { vector, head: None });
    let like = triage("do you paint zeppelins", seen(&vector), &prior);
    assert_eq!(like.intent.topic, Topic::Product);
    assert!(like.intent.confidence >= EXAMPLE);
    let unlike = triage("do you paint zeppelins", seen(&[0.8, -0.6]), &prior);
    assert!(unlike.intent.confidence < 0.5);
}

#[test]
fn the_head_is_asked_in_english_only() {
    let head = head("all-MiniLM-L6-v2-int8").unwrap();
    let vector = [0.05; 384];
    let seen = Some(Seen { vector: &vector, head: Some(head) });
    let expected = head.shares(&vector).unwrap().best();
    let english = triage("it is the blue one that I have", seen, &Prior::default());
    assert_eq!((english.intent.topic, english.intent.confidence), expected);
    let german = triage("das ist die blaue, die ich habe", seen, &Prior::default());
    assert!(german.intent.confidence < 0.1, "{german:?}");
}
