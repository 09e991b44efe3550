//! More shoppers than slots: who waits is told, who left costs nothing, what broke off begins again in sight.

use actix_web::rt::test;
use serde_json::{Value, json};

use super::{fake_model::WORDS, harness::*};

/// The only slot is taken, and somebody waits for it: the stream that runs, and who waits with session and stream.
async fn a_full_house() -> (TestApp, Events, (Shopper, String, Events)) {
    let app = TestApp::with_slots(1, "step", &[]).await;
    let ((first, one), (second, two)) = (app.chatting().await, app.chatting().await);
    app.model().steps.add_permits(2);
    let mut running = first.stream(&one, "When do boots ship?").await;
    running.until("answer.delta").await;
    let waiting = second.stream(&two, "Do tents come with pegs?").await;
    (app, running, (second, two, waiting))
}

#[test]
async fn who_waits_is_told_the_place_and_the_time_and_then_gets_the_answer() {
    let (app, mut running, (_, _, mut waiting)) = a_full_house().await;
    let seen = waiting.until("turn.queued").await;
    let queued = &seen.last().unwrap().data;
    assert_eq!(queued["position"], 1, "{queued}");
    assert!(queued["eta_ms"].is_u64(), "{queued}");
    assert_eq!(app.status().await["queue_depth"], 1);
    app.model().steps.add_permits(100);
    running.until("answer.completed").await;
    let answer = waiting.until("answer.completed").await;
    assert_eq!(answer.last().unwrap().data["text"], WORDS.concat());
    drop((running, waiting));
    app.stop().await;
}

#[test]
async fn who_leaves_while_waiting_never_reaches_the_model() {
    let (app, mut running, (shopper, session, mut waiting)) = a_full_house().await;
    waiting.until("turn.queued").await;
    drop(waiting);
    settle("the turn is given up", async || {
        shopper.messages(&session).await.get(1).is_some_and(|m| m["status"] == "cancelled")
    })
    .await;
    app.model().steps.add_permits(100);
    running.until("answer.completed").await;
    drop(running);
    assert_eq!(app.model().requests(), 1);
    app.stop().await;
}

#[test]
async fn an_answer_that_breaks_off_is_withdrawn_and_told_again_from_the_beginning() {
    let (app, shopper, session) = TestApp::chat("no_end_once").await;
    let events = shopper.stream(&session, "When do boots ship?").await.rest().await;
    let replaced = events.iter().position(|event| event.name == "answer.replaced").unwrap();
    let data = &events[replaced].data;
    assert_eq!((&data["reason"], &data["text"]), (&json!("restarted"), &json!("")));
    assert!(!text_of(&events[..replaced]).is_empty(), "a part was shown");
    assert_eq!(text_of(&events[replaced..]), WORDS.concat(), "nothing is repeated or lost");
    let last = events.last().unwrap();
    assert_eq!(
        (last.name.as_str(), &last.data["text"]),
        ("answer.completed", &json!(WORDS.concat()))
    );
    assert_eq!(app.model().requests(), 2);
    let messages = shopper.messages(&session).await;
    assert_eq!((messages.len(), &messages[1]["text"]), (2, &json!(WORDS.concat())));
    app.stop().await;
}

#[test]
async fn a_stream_that_cannot_take_text_back_fails_instead_of_saying_it_twice() {
    let app = TestApp::with_model("no_end_once").await;
    let shopper = app.visitor().await;
    let question = json!({"role": "user", "content": "When do boots ship?"});
    let request = json!({"model": "rushdesk", "stream": true, "messages": [question]});
    let response = shopper.complete(&request).send().await.unwrap();
    let text = response.text().await.unwrap();
    let chunks = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let chunks = chunks.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let told: String = chunks
        .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect();
    // A slow reader may have seen no more than the first word when the rest was withdrawn.
    assert!(told.starts_with("All ") && told.matches("boots").count() <= 1, "{text}");
    // Where the answer began again before a word of it was on its way, it is simply told.
    assert!(text.contains("\"error\"") != text.contains("[DONE]"), "{text}");
    app.stop().await;
}
