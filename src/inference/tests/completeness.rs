//! A stream is complete only with a finish reason, without an error and with a proper end.

use super::*;
use crate::inference::stream::{Decoder, Item, OllamaDecoder, OpenAiDecoder, Opening};

/// Reads a body that ends properly.
fn run(mut decoder: Decoder, bytes: &[u8]) -> (Told, Result<(), Outcome>) {
    let mut items = std::collections::VecDeque::new();
    let read = decoder.push(bytes, &mut items).and_then(|()| decoder.end(&mut items));
    assert_eq!(decoder.is_complete(), read.is_ok());
    let mut told = Told::default();
    for item in items {
        if let Item::Piece(piece) = item {
            told.add(piece);
        }
    }
    (told, read)
}

fn openai(events: &[&str]) -> (Told, Result<(), Outcome>) {
    let stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    run(Decoder::OpenAi(OpenAiDecoder::new(Opening::Answer)), stream.as_bytes())
}

fn ollama(lines: &[&str]) -> (Told, Result<(), Outcome>) {
    let stream: String = lines.iter().map(|line| format!("{line}\n")).collect();
    run(Decoder::Ollama(OllamaDecoder::new(Opening::Answer)), stream.as_bytes())
}

const TEXT: &str = r#"{"choices":[{"index":0,"delta":{"content":"Paris"}}]}"#;
const FINISH: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const ERROR: &str = r#"{"error": {"message": "boom", "code": 500}}"#;
const DONE: &str = "[DONE]";

#[test]
fn of_all_eight_combinations_those_with_a_reason_and_no_error_are_complete() {
    for case in 0..8 {
        let (finish, error, marker) = (case & 1 != 0, case & 2 != 0, case & 4 != 0);
        let mut events = vec![TEXT];
        events.extend(finish.then_some(FINISH));
        events.extend(error.then_some(ERROR));
        events.extend(marker.then_some(DONE));
        let (told, end) = openai(&events);
        let expected = match (finish, error, marker) {
            (true, false, _) => Ok(()),
            (_, true, _) => Err(Outcome::ErrorFrame),
            (false, false, _) => Err(Outcome::Truncated),
        };
        assert_eq!(end, expected, "finish {finish}, error {error}, marker {marker}");
        assert_eq!(told.finish.is_some(), expected.is_ok());
        assert_eq!(told.text, "Paris");
    }
}

#[test]
fn the_eight_combinations_hold_for_ollama() {
    for case in 0..8 {
        let (finish, error, marker) = (case & 1 != 0, case & 2 != 0, case & 4 != 0);
        let last = match (finish, marker) {
            (true, true) => r#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#,
            (true, false) => r#"{"message":{"content":""},"done":false,"done_reason":"stop"}"#,
            (false, true) => r#"{"message":{"content":""},"done":true}"#,
            (false, false) => r#"{"message":{"content":""},"done":false}"#,
        };
        let mut lines = vec![r#"{"message":{"content":"Paris"},"done":false}"#];
        lines.extend(error.then_some(r#"{"error":"boom"}"#));
        lines.push(last);
        let (_, end) = ollama(&lines);
        let expected = match (finish, error, marker) {
            // `done` is a reason by itself: old versions give no other.
            (_, false, true) | (true, false, false) => Ok(()),
            (_, true, _) => Err(Outcome::ErrorFrame),
            (false, false, false) => Err(Outcome::Truncated),
        };
        assert_eq!(end, expected, "finish {finish}, error {error}, marker {marker}");
    }
}

#[test]
fn a_finished_stream_without_text_or_call_is_empty() {
    assert_eq!(openai(&[FINISH, DONE]).1, Err(Outcome::Empty));
    let blank = r#"{"choices":[{"index":0,"delta":{"content":"\n\n"}}]}"#;
    assert_eq!(openai(&[blank, FINISH, DONE]).1, Err(Outcome::Empty));
    let thought = r#"{"choices":[{"index":0,"delta":{"reasoning":"hm"}}]}"#;
    assert_eq!(openai(&[thought, FINISH, DONE]).1, Err(Outcome::Empty));
    assert_eq!(openai(&[]).1, Err(Outcome::Empty));
}

#[test]
fn a_finish_reason_of_another_choice_does_not_count() {
    let other = r#"{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#;
    assert_eq!(openai(&[TEXT, other, DONE]).1, Err(Outcome::Truncated));
}

#[test]
fn an_aborted_generation_is_not_complete() {
    let abort = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"abort"}]}"#;
    assert_eq!(openai(&[TEXT, abort, DONE]).1, Err(Outcome::Truncated));
}

#[test]
fn an_error_frame_that_blames_the_request_does_not_blame_the_backend() {
    let blame = r#"{"error":{"message":"too long","code":400}}"#;
    assert_eq!(openai(&[blame, DONE]).1, Err(Outcome::ClientError(400)));
    assert_eq!(openai(&[r#"{"error":"boom"}"#]).1, Err(Outcome::ErrorFrame));
    assert_eq!(
        openai(&[r#"{"object":"error","message":"x","code":500}"#]).1,
        Err(Outcome::ErrorFrame)
    );
    assert_eq!(openai(&["not json"]).1, Err(Outcome::Malformed));
}

#[test]
fn null_errors_choices_and_contents_are_no_faults() {
    let nulls = r#"{"error":null,"choices":null,"usage":null}"#;
    let content = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":null}}]}"#;
    assert_eq!(openai(&[nulls, content, TEXT, FINISH, DONE]), (Told::said("Paris"), Ok(())));
}

#[test]
fn a_cut_answer_with_a_call_is_broken_and_a_cut_text_is_just_long() {
    let call = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}}]}"#;
    let cut = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
    assert_eq!(openai(&[call, cut, DONE]).1, Err(Outcome::BrokenToolCall));
    let (told, end) = openai(&[TEXT, cut, DONE]);
    assert_eq!((told.finish, end), (Some(FinishReason::Length), Ok(())));
}

#[test]
fn bytes_after_the_terminal_marker_are_not_read() {
    assert_eq!(openai(&[TEXT, FINISH, DONE, TEXT, "junk"]), (Told::said("Paris"), Ok(())));
}
