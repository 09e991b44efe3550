//! One stream for all conversations of an agent.

use actix_web::rt::test;
use serde_json::json;

use super::{names, on_duty};
use crate::{distributed::Stores, harness::*};

/// The events of conversations, as `(session, seq)`.
fn places(events: &[Event]) -> Vec<(String, u64)> {
    let place = |event: &Event| {
        let session = event.data["session_id"].as_str()?.to_owned();
        Some((session, event.data["seq"].as_u64()?))
    };
    events.iter().filter_map(place).collect()
}

/// Reads up to a message with this text.
async fn until_said(stream: &mut Events, text: &str) -> Vec<Event> {
    let mut seen = Vec::new();
    while let Some(event) = stream.next().await {
        let found = event.data["text"] == text;
        seen.push(event);
        if found {
            return seen;
        }
    }
    panic!("nobody said {text}: {seen:?}");
}

#[test]
async fn an_agent_s_stream_shows_the_queue_and_each_of_their_conversations() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    shopper.ask(&session, "What is the price guarantee?").await;
    let (mara, noor) = (on_duty(&app, "Mara").await, on_duty(&app, "Noor").await);
    let mut stream = mara.desk_events(None).await;
    let first = stream.next().await.unwrap();
    assert_eq!((first.name.as_str(), &first.data["waiting"]), ("desk.queue", &json!([])));
    ok(shopper.handoff(&session)).await;
    let waits = stream.next().await.unwrap();
    assert_eq!(waits.data["waiting"][0]["session_id"], json!(session));
    ok(mara.accept(&session)).await;
    let (other, elsewhere) = app.chatting().await;
    ok(noor.accept(&elsewhere)).await;
    sent(other.message(&elsewhere, "o1", "For Noor alone")).await;
    let (third, second) = app.chatting().await;
    ok(mara.accept(&second)).await;
    sent(shopper.message(&session, "s1", "First to Mara")).await;
    sent(third.message(&second, "t1", "Second to Mara")).await;
    let mut seen = until_said(&mut stream, "First to Mara").await;
    if !seen.iter().any(|event| event.data["text"] == "Second to Mara") {
        seen.extend(until_said(&mut stream, "Second to Mara").await);
    }
    let said: Vec<_> = seen.iter().filter(|event| event.name == "message.delivered").collect();
    assert_eq!(said.len(), 2, "nothing of others: {seen:?}");
    assert!(!names(&seen).contains(&"answer.completed"), "what was before it was taken: {seen:?}");
    // It is hers no more.
    ok(mara.release(&session, "bot")).await;
    loop {
        let desk = stream.until("desk.queue").await.pop().unwrap();
        let active = desk.data["active"].as_array().unwrap();
        if active.iter().all(|row| row["session_id"] != json!(session)) {
            break;
        }
    }
    drop(stream);
    app.stop().await;
}

#[test]
async fn a_stream_goes_on_where_it_broke_off_on_any_replica() {
    let Some(stores) = Stores::new().await else { return };
    let settings = stores.with(&[("limits.visitor_burst", "100".to_owned())]);
    let one = TestApp::with(&settings).await;
    let two = TestApp::with(&settings).await;
    let here = on_duty(&one, "Mara").await;
    let (shopper, session) = two.chatting().await;
    let there = here.beside(&shopper);
    ok(here.accept(&session)).await;
    let mut seen = Vec::new();
    let mut id = None;
    // More than one page of one conversation, and a break after each few events.
    for round in 0..4 {
        let texts: Vec<String> = (0..9).map(|nth| format!("{round}-{nth}")).collect();
        for text in &texts {
            sent(shopper.message(&session, text, text)).await;
        }
        for agent in [&here, &there] {
            let mut stream = agent.desk_events(id.as_deref()).await;
            for _ in 0..3 {
                let event = stream.next().await.unwrap();
                id.clone_from(&event.id);
                seen.push(event);
            }
        }
    }
    let mut stream = here.desk_events(id.as_deref()).await;
    seen.extend(until_said(&mut stream, "3-8").await);
    let places = places(&seen);
    let seqs: Vec<u64> = places.iter().map(|(_, seq)| *seq).collect();
    let gapless: Vec<u64> = (seqs[0]..seqs[0] + seqs.len() as u64).collect();
    assert_eq!(seqs, gapless);
    assert_eq!(names(&seen).iter().filter(|name| **name == "message.delivered").count(), 36);
    drop(stream);
    one.stop().await;
    two.stop().await;
}

#[test]
async fn a_position_that_is_none_begins_again_and_a_foreign_one_shows_nothing() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let (mara, noor) = (on_duty(&app, "Mara").await, on_duty(&app, "Noor").await);
    ok(mara.accept(&session)).await;
    sent(shopper.message(&session, "s1", "For Mara alone")).await;
    let mut stream = mara.desk_events(None).await;
    let hers = until_said(&mut stream, "For Mara alone").await.pop().unwrap().id.unwrap();
    for position in ["7", "x", "d!", &"d".repeat(5_000)] {
        let mut stream = noor.desk_events(Some(position)).await;
        assert_eq!(names(&[stream.next().await.unwrap()]), ["stream.reset"], "{position}");
        assert_eq!(names(&[stream.next().await.unwrap()]), ["desk.queue"]);
    }
    let mut stream = noor.desk_events(Some(&hers)).await;
    assert_eq!(names(&[stream.next().await.unwrap()]), ["desk.queue"]);
    let (other, second) = app.chatting().await;
    ok(noor.accept(&second)).await;
    sent(other.message(&second, "o1", "For Noor")).await;
    let seen = until_said(&mut stream, "For Noor").await;
    assert!(!seen.iter().any(|event| event.data["text"] == "For Mara alone"), "{seen:?}");
    drop(stream);
    app.stop().await;
}
