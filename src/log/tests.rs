use std::{sync::Arc, time::Duration};

use super::{
    frame::{Frame, Place},
    *,
};
use crate::{
    clock,
    domain::{Answer, Citation, ErrorCode, Event, Fact, Live, Route, SessionId, Stage, TurnId},
};

fn place() -> Place {
    Place { session_id: SessionId::new(), turn_id: TurnId::new(), epoch: 0, base_seq: 4 }
}

fn writer() -> Writer {
    Writer::new(place(), 1_000)
}

fn terminal(log: &TurnLog) -> Event {
    Event {
        v: 1,
        seq: log.place.base_seq + 1,
        session_id: log.place.session_id,
        turn_id: log.place.turn_id,
        epoch: 0,
        at: clock::now(),
        fact: Fact::cancelled(log.text()),
    }
}

async fn rest(mut cursor: Cursor) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(frame) = cursor.next().await {
        seen.push(frame.id.map_or_else(|| frame.name.clone().into_owned(), |id| id.to_string()));
    }
    seen
}

#[tokio::test]
async fn a_late_reader_sees_everything_and_a_resumed_one_only_the_rest() {
    let writer = writer();
    let log = writer.log();
    writer.push(&Live::TurnStatus { stage: Stage::Searching });
    assert!(writer.push_text("Hel"));
    assert!(writer.push_text("lo"));
    writer.close(&[terminal(log)]);
    assert_eq!(rest(log.read(None)).await, ["turn.status", "4.0", "4.1", "5"]);
    assert_eq!(rest(log.read(Some(0))).await, ["4.1", "5"]);
    assert_eq!(log.text(), "Hello");
}

#[tokio::test]
async fn a_mirror_shows_what_the_other_log_shows() {
    let (writer, mirror) = (writer(), Writer::mirror_of(place(), 1_000));
    let log = writer.log();
    writer.push(&Live::TurnStatus { stage: Stage::Searching });
    assert!(writer.push_text("Hel"));
    let citation = Citation {
        id: "1".into(),
        document_id: "d".into(),
        title: "t".into(),
        url: None,
        quote: "q".into(),
    };
    writer.push(&Live::AnswerCitation { citation });
    let reason = "restarted".into();
    writer.push(&Live::AnswerReplaced { reason, text: "Hallo".into() });
    let mut cursor = log.read(None);
    while let Some(frame) = cursor.ready() {
        assert_eq!(mirror.mirror(frame.json), Mirrored::Live);
    }
    let shown = mirror.log();
    assert_eq!((shown.text(), shown.citations()), (log.text(), log.citations()));
    assert_eq!((shown.length(), log.length()), (4, 4));
    assert_eq!(mirror.mirror(Frame::of_event(&terminal(log)).json), Mirrored::Durable);
    assert_eq!(mirror.mirror("so".into()), Mirrored::Nonsense);
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_the_next_piece_and_by_the_end() {
    let writer = writer();
    let log = writer.log();
    let mut cursor = log.read(None);
    let (frame, ()) = tokio::join!(cursor.next(), async { assert!(writer.push_text("x")) });
    assert_eq!(frame.unwrap().name, "answer.delta");
    let (frame, ()) = tokio::join!(cursor.next(), async { writer.close(&[terminal(log)]) });
    assert!(frame.unwrap().is_terminal());
    assert!(cursor.next().await.is_none());
}

#[tokio::test]
async fn what_was_shown_before_a_replacement_can_still_be_read() {
    let writer = writer();
    let log = writer.log();
    assert!(writer.push_text("wrong"));
    writer.push(&Live::AnswerReplaced { reason: "restarted".into(), text: "so: ".into() });
    assert!(writer.push_text("right"));
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
    let writer = writer();
    let log = writer.log();
    let mirror = Writer::mirror_of(log.place, 1_000);
    let resumed = mirror.log().read(Some(1));
    let mut original = log.read(None);
    for piece in ["a", "b", "c"] {
        assert!(writer.push_text(piece));
        assert_eq!(mirror.mirror(original.next().await.unwrap().json), Mirrored::Live);
    }
    mirror.close(&[terminal(log)]);
    assert_eq!(rest(resumed).await, ["4.2", "5"]);
    assert_eq!(rest(mirror.log().read(None)).await, ["4.0", "4.1", "4.2", "5"]);
}

fn completed(log: &TurnLog, text: &str) -> Event {
    Event { fact: Fact::AnswerCompleted(Answer::new(text, Route::Model)), ..terminal(log) }
}

#[tokio::test]
async fn a_mirror_that_lost_its_original_shows_the_rest_with_the_end() {
    let mirror = Writer::mirror_of(place(), 1_000);
    assert!(mirror.push_text("a"));
    mirror.close(&[completed(mirror.log(), "abc")]);
    assert_eq!(mirror.log().text(), "abc");
    assert_eq!(rest(mirror.log().read(Some(0))).await, ["4.1", "5"]);
}

/// What a reader sees who has read `seen` on another replica, up to its delta `after`.
async fn text_after(log: &Arc<TurnLog>, seen: &str, after: u32) -> String {
    let (mut text, mut cursor) = (seen.to_owned(), log.read(Some(after)));
    while let Some(frame) = cursor.next().await {
        let json: serde_json::Value = serde_json::from_slice(&frame.json).unwrap();
        match json["type"].as_str().unwrap() {
            "answer.delta" => text.push_str(json["text"].as_str().unwrap()),
            "answer.replaced" => json["text"].as_str().unwrap().clone_into(&mut text),
            _ => {}
        }
    }
    text
}

#[tokio::test]
async fn a_reader_that_has_seen_more_than_the_mirror_ends_with_the_whole_text() {
    for (arrived, seen, after) in
        [("", "a", 0), ("", "ab", 1), ("a", "a", 0), ("a", "ab", 1), ("a", "abc", 2)]
    {
        let mirror = Writer::mirror_of(place(), 1_000);
        assert!(mirror.push_text(arrived));
        let early = mirror.log().read(Some(after));
        mirror.close(&[completed(mirror.log(), "abcd")]);
        assert_eq!(text_after(mirror.log(), seen, after).await, "abcd", "{arrived:?} {seen:?}");
        drop(early);
    }
}

#[tokio::test]
async fn an_end_with_another_text_replaces_what_was_shown() {
    for mirrored in [true, false] {
        let writer = if mirrored { Writer::mirror_of(place(), 1_000) } else { writer() };
        assert!(writer.push_text("first try"));
        writer.close(&[completed(writer.log(), "second")]);
        let ids = rest(writer.log().read(None)).await;
        assert_eq!(ids, ["4.0", "answer.replaced", "5"]);
        assert_eq!(writer.log().text(), "second");
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_ends_its_log_as_interrupted_and_only_once() {
    let writer = writer();
    let log = Arc::clone(writer.log());
    assert!(writer.push_text("Hel"));
    drop(writer);
    let end = log.ended().await.unwrap();
    let Fact::TurnFailed { problem, text, .. } = &end.fact else { panic!("{end:?}") };
    assert_eq!((problem.code, text.as_str(), end.seq), (ErrorCode::Interrupted, "Hel", 5));
    assert_eq!(rest(log.read(None)).await, ["4.0", "5"]);
}

#[tokio::test]
async fn a_mirror_that_is_dropped_breaks_off_without_an_end() {
    let mirror = Writer::mirror_of(place(), 1_000);
    let log = Arc::clone(mirror.log());
    assert!(mirror.push_text("Hel"));
    let reader = log.read(None);
    drop(mirror);
    assert!(log.ended().await.is_none());
    assert_eq!(rest(reader).await, ["4.0"]);
}

#[tokio::test]
async fn an_aside_comes_with_the_end_and_an_unknown_live_event_is_passed_on() {
    let (writer, mirror) = (writer(), Writer::mirror_of(place(), 1_000));
    let json = |seq: u64| format!(r#"{{"type":"agent.waved","seq":{seq},"hand":"left"}}"#);
    assert_eq!(mirror.mirror(json(4).into()), Mirrored::Live);
    assert_eq!(mirror.mirror(json(5).into()), Mirrored::Durable);
    let end = terminal(writer.log());
    let aside = Event { fact: serde_json::from_str(&json(5)).unwrap(), ..end.clone() };
    writer.close(&[aside, Event { seq: 6, ..end }]);
    assert_eq!(rest(writer.log().read(None)).await, ["5", "6"]);
    assert_eq!(writer.log().ended().await.unwrap().seq, 6);
    drop(mirror);
}

#[tokio::test]
async fn the_log_takes_no_more_than_its_bound_and_cuts_between_characters() {
    let writer = Writer::new(place(), 5);
    assert!(writer.push_text("äb"));
    assert!(!writer.push_text("äää"));
    assert_eq!(writer.log().text(), "äbä");
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_abandoned_only_after_the_grace_and_only_if_nobody_came_back() {
    let writer = writer();
    let log = writer.log();
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
