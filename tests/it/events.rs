//! Following a session: resuming, reloading, hostile positions.

use actix_web::rt::test;

use super::{fake_model::WORDS, harness::*};

#[test]
async fn a_resume_in_the_middle_of_an_answer_neither_loses_nor_repeats() {
    let grace = [("sessions.resume_grace_ms", "20000".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("step", &grace).await;
    app.model().steps.add_permits(4);
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    let mut seen = stream.until("answer.delta").await;
    seen.extend(stream.until("answer.delta").await);
    drop(stream);
    let position = seen.last().unwrap().id.clone().unwrap();
    assert_eq!(position, "1.1");
    let mut resumed = shopper.events(&session, Some(&position)).await;
    app.model().steps.add_permits(100);
    seen.extend(resumed.until("answer.completed").await);
    assert_eq!(text_of(&seen), WORDS.concat());
    assert_eq!(app.model().requests(), 1, "a reconnect started a second generation");
    drop(resumed);
    app.stop().await;
}

#[test]
async fn a_reconnect_after_the_end_delivers_what_was_missed() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    for _ in 0..2 {
        shopper.ask(&session, "What is the price guarantee?").await;
    }
    for (position, expected) in
        [("1.7", vec!["2", "3", "4"]), ("3", vec!["4"]), ("0", vec!["1", "2", "3", "4"])]
    {
        let mut stream = shopper.events(&session, Some(position)).await;
        let mut ids = Vec::new();
        while ids.last().map(String::as_str) != Some("4") {
            ids.push(stream.next().await.unwrap().id.unwrap());
        }
        assert_eq!(ids, expected, "after {position}");
    }
    app.stop().await;
}

#[test]
async fn a_position_that_means_nothing_gives_a_reset_and_never_an_error() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    shopper.ask(&session, "What is the price guarantee?").await;
    let huge = "9".repeat(400);
    for position in ["nonsense", "-1", "7000", "1.x", "1.2.3", "", &huge, "99999999999999999999"] {
        let mut stream = shopper.events(&session, Some(position)).await;
        assert_eq!(stream.status, 200, "{position}");
        let first = stream.next().await.unwrap();
        assert_eq!(first.name, "stream.reset", "{position}");
        assert_eq!(first.data["seq"], 2);
    }
    app.stop().await;
}

#[test]
async fn a_reload_in_the_middle_of_an_answer_shows_the_text_so_far() {
    let (app, shopper, session) = TestApp::chat("step").await;
    app.model().steps.add_permits(3);
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("answer.delta").await;
    stream.until("answer.delta").await;
    let messages = shopper.messages(&session).await;
    assert_eq!(messages[1]["status"], "streaming");
    assert_eq!(messages[1]["text"], WORDS[..2].concat());
    app.model().steps.add_permits(100);
    stream.rest().await;
    app.stop().await;
}

#[test]
async fn every_reader_of_a_session_sees_the_same_answer() {
    let (app, shopper, session) = TestApp::chat("step").await;
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(shopper.events(&session, None).await);
    }
    let mut own = shopper.stream(&session, "When do boots ship?").await;
    app.model().steps.add_permits(100);
    let expected = text_of(&own.rest().await);
    for mut tab in tabs {
        let seen = tab.until("answer.completed").await;
        assert_eq!(text_of(&seen), expected);
        assert_eq!(seen[0].name, "message.created");
    }
    app.stop().await;
}

#[test]
async fn a_drain_tells_idle_readers_to_come_back_elsewhere() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let mut stream = shopper.events(&session, None).await;
    app.stop().await;
    let events = stream.rest().await;
    assert_eq!(events.last().unwrap().name, "server.draining");
    assert!(events.last().unwrap().data["reconnect_after_ms"].as_u64().unwrap() > 0);
}

#[test]
async fn a_drain_lets_a_running_answer_end() {
    let time = [("server.drain_timeout_ms", "30000".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("slow", &time).await;
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("answer.delta").await;
    let (_, rest) = tokio::join!(app.drain(), stream.rest());
    assert_eq!(rest.last().unwrap().name, "answer.completed");
}
