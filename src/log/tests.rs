use std::time::Duration;

use super::*;
use crate::{
    clock,
    domain::{FinishReason, MessageId, Route, ServiceLevel, Stage, Timings},
};

fn place() -> Place {
    Place { session_id: SessionId::new(), turn_id: TurnId::new(), epoch: 0, base_seq: 4 }
}

fn log() -> Arc<TurnLog> {
    TurnLog::new(place(), 1_000)
}

fn terminal(log: &TurnLog) -> Arc<Event> {
    Arc::new(Event {
        v: 1,
        seq: log.place.base_seq + 1,
        session_id: log.place.session_id,
        turn_id: log.place.turn_id,
        epoch: 0,
        at: clock::now(),
        fact: Fact::TurnCancelled { message_id: MessageId::new(), text: log.text() },
    })
}

async fn rest(mut cursor: Cursor) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(frame) = cursor.next().await {
        seen.push(frame.id.map_or_else(|| frame.name.to_owned(), |id| id.to_string()));
    }
    seen
}

#[tokio::test]
async fn a_late_reader_sees_everything_and_a_resumed_one_only_the_rest() {
    let log = log();
    log.push(&Live::TurnStatus { stage: Stage::Searching });
    assert!(log.push_text("Hel"));
    assert!(log.push_text("lo"));
    log.close(terminal(&log));
    assert_eq!(rest(log.read(None)).await, ["turn.status", "4.0", "4.1", "5"]);
    assert_eq!(rest(log.read(Some(0))).await, ["4.1", "5"]);
    assert_eq!(log.text(), "Hello");
}

#[tokio::test]
async fn a_mirror_shows_what_the_other_log_shows() {
    let (log, mirror) = (log(), log());
    log.push(&Live::TurnStatus { stage: Stage::Searching });
    assert!(log.push_text("Hel"));
    let citation = Citation {
        id: "1".into(),
        document_id: "d".into(),
        title: "t".into(),
        url: None,
        quote: "q".into(),
    };
    log.push(&Live::AnswerCitation { citation });
    let reason = "restarted".into();
    log.push(&Live::AnswerReplaced { reason, text: "Hallo".into() });
    let mut cursor = log.read(None);
    while let Some(frame) = cursor.ready() {
        assert!(mirror.mirror(frame.json));
    }
    assert_eq!((mirror.text(), mirror.citations()), (log.text(), log.citations()));
    assert_eq!((mirror.length(), log.length()), (4, 4));
    assert!(!mirror.mirror(Frame::of_event(&terminal(&log)).json));
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_the_next_piece_and_by_the_end() {
    let log = log();
    let mut cursor = log.read(None);
    let (frame, ()) = tokio::join!(cursor.next(), async { assert!(log.push_text("x")) });
    assert_eq!(frame.unwrap().name, "answer.delta");
    let (frame, ()) = tokio::join!(cursor.next(), async { log.close(terminal(&log)) });
    assert!(frame.unwrap().is_terminal);
    assert!(cursor.next().await.is_none());
}

#[tokio::test]
async fn what_was_shown_before_a_replacement_can_still_be_read() {
    let log = log();
    assert!(log.push_text("wrong"));
    log.push(&Live::AnswerReplaced { reason: "restarted".into(), text: "so: ".into() });
    assert!(log.push_text("right"));
    assert_eq!(log.text(), "so: right");
    let mut cursor = log.read(None);
    let mut shown = Vec::new();
    for _ in 0..3 {
        let json: serde_json::Value =
            serde_json::from_slice(&cursor.next().await.unwrap().json).unwrap();
        shown.push(json["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(shown, ["wrong", "so: ", "right"]);
}

#[tokio::test]
async fn a_reader_who_comes_to_a_mirror_before_its_place_is_shown_only_the_rest() {
    let log = log();
    let mirror = TurnLog::of_another(log.place, 1_000);
    let resumed = mirror.read(Some(1));
    let mut original = log.read(None);
    for piece in ["a", "b", "c"] {
        assert!(log.push_text(piece));
        assert!(mirror.mirror(original.next().await.unwrap().json));
    }
    mirror.close(terminal(&log));
    assert_eq!(rest(resumed).await, ["4.2", "5"]);
    assert_eq!(rest(mirror.read(None)).await, ["4.0", "4.1", "4.2", "5"]);
}

#[tokio::test]
async fn a_mirror_that_lost_its_original_shows_the_rest_with_the_end() {
    let mirror = TurnLog::of_another(place(), 1_000);
    assert!(mirror.push_text("a"));
    let fact = Fact::AnswerCompleted {
        message_id: MessageId::new(),
        text: "abc".into(),
        route: Route::Model,
        service_level: ServiceLevel::default(),
        citations: Vec::new(),
        usage: None,
        timings: Timings::default(),
        cache: None,
        finish_reason: FinishReason::Stop,
        ticket: None,
    };
    mirror.close(Arc::new(Event { fact, ..Event::clone(&terminal(&mirror)) }));
    assert_eq!(mirror.text(), "abc");
    assert_eq!(rest(mirror.read(Some(0))).await, ["4.1", "5"]);
}

#[tokio::test]
async fn the_log_takes_no_more_than_its_bound_and_cuts_between_characters() {
    let log = TurnLog::new(place(), 5);
    assert!(log.push_text("äb"));
    assert!(!log.push_text("äää"));
    assert_eq!(log.text(), "äbä");
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_abandoned_only_after_the_grace_and_only_if_nobody_came_back() {
    let log = log();
    let grace = Duration::from_secs(10);
    let short = Duration::from_secs(60);
    assert!(tokio::time::timeout(short, log.abandoned(grace)).await.is_err(), "no reader yet");
    let reader = log.read(None);
    assert!(tokio::time::timeout(short, log.abandoned(grace)).await.is_err(), "attached");
    drop(reader);
    let begin = tokio::time::Instant::now();
    log.abandoned(grace).await;
    assert_eq!(begin.elapsed(), grace);
    log.keep();
    assert!(tokio::time::timeout(short, log.abandoned(grace)).await.is_err(), "kept");
}
