//! Small bodies in the many shapes that servers send or are said to send: the same answer each
//! time.

use super::*;
use crate::inference::stream::{Decoder, Item, OllamaDecoder, OpenAiDecoder, Opening};

/// Reads a body that ends properly, in pieces of `size` bytes.
fn read(mut decoder: Decoder, body: &str, size: usize) -> (Told, Result<(), Outcome>) {
    let (mut items, mut end) = (std::collections::VecDeque::new(), Ok(()));
    for piece in body.as_bytes().chunks(size) {
        end = end.and_then(|()| decoder.push(piece, &mut items));
    }
    end = end.and_then(|()| decoder.end(&mut items));
    let mut told = Told::default();
    for item in items {
        if let Item::Piece(piece) = item {
            told.add(piece);
        }
    }
    (told, end)
}

/// The body gives this answer, however it is cut.
#[track_caller]
fn reads(decoder: &Decoder, body: &str, expected: &(Told, Result<(), Outcome>)) {
    for size in [1, 2, 3, 7, 64, body.len().max(1)] {
        assert_eq!(&read(decoder.clone(), body, size), expected, "{body:?} in pieces of {size}");
    }
}

fn openai() -> Decoder {
    Decoder::OpenAi(OpenAiDecoder::new(Opening::Answer))
}

fn ollama() -> Decoder {
    Decoder::Ollama(OllamaDecoder::new(Opening::Answer))
}

/// One event of a stream whose choice is `delta` and `reason`, both as JSON.
fn event(delta: &str, reason: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{reason}}}]}}\n\n"
    )
}

fn text(text: &str) -> String {
    event(&serde_json::json!({ "content": text }).to_string(), "null")
}

const DONE: &str = "data: [DONE]\n\n";

#[test]
fn an_answer_is_read_whatever_its_end_looks_like() {
    let paris = text("Paris");
    let stop = event("{}", "\"stop\"");
    let whole = [paris.as_str(), &stop, DONE].concat();
    let said = (Told::said("Paris"), Ok(()));
    for body in [
        whole.clone(),
        whole.replace('\n', "\r\n"),
        whole.replace('\n', "\r"),
        // Without the marker, its empty line, its line break, the space before it.
        [paris.as_str(), &stop].concat(),
        whole.trim_end().to_owned() + "\n",
        whole.trim_end().to_owned(),
        whole.trim_end().replace('\n', "\r\n"),
        whole.replace("data: ", "data:"),
        // The same, with the reason in an event that is not closed either.
        (paris.clone() + &stop).trim_end().to_owned(),
        (paris.clone() + &stop).trim_end().to_owned() + "\r\n",
        // The reason together with the last text.
        event(r#"{"content":"Paris"}"#, "\"stop\"") + DONE,
        // A byte order mark, comments, names and ids.
        format!("\u{FEFF}: hi\n\nevent: message\nid: 1\n{whole}"),
    ] {
        reads(&openai(), &body, &said);
    }
}

#[test]
fn a_reason_is_understood_in_the_words_of_every_server() {
    let (stop, length) = (FinishReason::Stop, FinishReason::Length);
    for (reasons, expected) in [
        (["\"\"", "\"\"", "\"stop\""], Ok(stop)),
        (["\"\"", "null", "\"STOP\""], Ok(stop)),
        (["null", "null", "\"end_turn\""], Ok(stop)),
        (["null", "null", "\"EOS\""], Ok(stop)),
        (["\"null\"", "\"null\"", "\"stop_sequence\""], Ok(stop)),
        (["null", "\"stop\"", "\"\""], Ok(stop)),
        (["false", "0", "\"Stop\""], Ok(stop)),
        (["null", "null", "\"max_tokens\""], Ok(length)),
        (["null", "null", "\"MAX_TOKENS\""], Ok(length)),
        (["null", "null", "\"never_heard_of\""], Ok(length)),
        (["null", "null", "\"content_filter\""], Ok(FinishReason::ContentFilter)),
        (["\"\"", "\"\"", "\"\""], Err(Outcome::Truncated)),
        (["null", "null", "\"abort\""], Err(Outcome::Truncated)),
        (["null", "null", "\"error\""], Err(Outcome::Truncated)),
    ] {
        let deltas = [r#"{"role":"assistant","content":"Pa"}"#, r#"{"content":"ris"}"#, "{}"];
        let events = deltas.iter().zip(reasons).map(|(delta, reason)| event(delta, reason));
        let events: String = events.collect();
        for end in ["", DONE, "data: [DONE]"] {
            let told = Told { text: "Paris".into(), finish: expected.ok(), ..Told::default() };
            reads(&openai(), &(events.clone() + end), &(told, expected.map(|_| ())));
        }
    }
}

#[test]
fn a_call_is_run_in_any_spelling_but_not_after_an_unknown_reason() {
    let call = r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}"#;
    for reason in ["tool_calls", "TOOL_CALLS", "tool_use", "function_call", "stop"] {
        let body = event(call, "null") + &event("{}", &format!("{reason:?}"));
        let (told, end) = read(openai(), &body, 9);
        assert_eq!(
            (told.calls.len(), told.finish, end),
            (1, Some(FinishReason::ToolCalls), Ok(()))
        );
    }
    let body = event(call, "null") + &event("{}", "\"never_heard_of\"") + DONE;
    reads(&openai(), &body, &(Told::default(), Err(Outcome::BrokenToolCall)));
}

#[test]
fn what_is_no_whole_answer_is_a_failure() {
    let (paris, stop) = (text("Paris"), event("{}", "\"stop\""));
    let part = Told { text: "Paris".into(), ..Told::default() };
    for (body, outcome) in [
        (paris.clone(), Outcome::Truncated),
        (paris.clone() + DONE, Outcome::Truncated),
        (paris.clone() + "data: {\"choices\":[{\"index\":0,\"fini", Outcome::Truncated),
        (paris.clone() + "data: {\"error\":{\"message\":\"x\"}}\n\n" + DONE, Outcome::ErrorFrame),
        (paris.clone() + &stop + "data: {\"error\":\"x\"}\n\n" + DONE, Outcome::ErrorFrame),
        (paris.clone() + &stop + "data: {\"error\":{\"message\":\"x\"}}", Outcome::ErrorFrame),
        (
            paris.clone() + &stop + "event: error\ndata: {\"message\":\"x\"}\n\n",
            Outcome::ErrorFrame,
        ),
        (paris.clone() + &stop + "data: {\"detail\":\"x\"}\n\n" + DONE, Outcome::ErrorFrame),
    ] {
        reads(&openai(), &body, &(part.clone(), Err(outcome)));
    }
    for (body, outcome) in [
        (String::new(), Outcome::Empty),
        (DONE.to_owned(), Outcome::Truncated),
        (text("") + &stop + DONE, Outcome::Empty),
        (text("\u{200B}") + &stop + DONE, Outcome::Empty),
        (text("\u{FEFF}\n") + &text("\u{2060} \u{AD}") + &stop, Outcome::Empty),
        (text("<think>hm</think>\u{200B}") + &stop, Outcome::Empty),
        (event(r#"{"content":null}"#, "\"stop\"") + DONE, Outcome::Empty),
    ] {
        reads(&openai(), &body, &(Told::default(), Err(outcome)));
    }
}

#[test]
fn a_field_that_reports_no_error_is_none() {
    for error in ["null", "\"\"", "false", "{}"] {
        let last = format!("data: {{\"error\":{error},\"choices\":[]}}\n\n");
        let body = text("Paris") + &event("{}", "\"stop\"") + &last + DONE;
        reads(&openai(), &body, &(Told::said("Paris"), Ok(())));
    }
}

#[test]
fn a_thought_never_shows_and_the_answer_does() {
    let stop = event("{}", "\"stop\"");
    let thought_part =
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#;
    let text_part = r#"{"content":[{"type":"text","text":"Paris"}]}"#;
    let both =
        r#"{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Paris"}]}"#;
    for body in [
        event(thought_part, "null") + &event(text_part, "null"),
        event(both, "null"),
        event(thought_part, "null") + &text("Paris"),
        event(r#"{"reasoning_content":"hm"}"#, "null") + &text("Paris"),
        event(r#"{"reasoning":"hm"}"#, "null") + &text("Paris"),
        event(r#"{"thinking":"hm"}"#, "null") + &text("Paris"),
        event(r#"{"reasoning":"hm","content":"Paris"}"#, "null"),
        text("<THI") + &text("NK>h") + &text("m</thin") + &text("k>\n\nPa") + &text("ris"),
        text("[THINK]hm") + &text("[/THINK]Paris"),
        text("<|channel|>ana")
            + &text("lysis<|message|>hm<|end|><|start|>assis")
            + &text("tant<|channel|>final<|mess")
            + &text("age|>Paris"),
        text("<|channel|>analysis<|message|>hm<|end|><|start|>assistant")
            + &text("<|channel|>final<|message|>Paris<|return|>"),
    ] {
        reads(&openai(), &(body + &stop + DONE), &(Told::said("Paris"), Ok(())));
    }
}

#[test]
fn an_old_ollama_is_understood() {
    let paris = r#"{"message":{"role":"assistant","content":"Paris"},"done":false}"#;
    let said = (Told::said("Paris"), Ok(()));
    for last in [
        r#"{"message":{"role":"assistant","content":""},"done":true}"#,
        r#"{"done":true}"#,
        r#"{"done":true,"done_reason":""}"#,
        r#"{"done":true,"done_reason":null,"error":""}"#,
        r#"{"message":{"content":""},"done":true,"done_reason":"STOP"}"#,
    ] {
        for end in ["", "\n", "\r\n", "\n\n"] {
            reads(&ollama(), &format!("{paris}\n{last}{end}"), &said);
            reads(&ollama(), &format!("{paris}\r\n{last}{end}"), &said);
        }
    }
    let part = Told { text: "Paris".into(), ..Told::default() };
    for (last, outcome) in [
        ("", Outcome::Truncated),
        (r#"{"message":{"content":"#, Outcome::Truncated),
        (r#"{"error":"model runner has unexpectedly stopped"}"#, Outcome::ErrorFrame),
    ] {
        reads(&ollama(), &format!("{paris}\n{last}"), &(part.clone(), Err(outcome)));
    }
    // A model without a template.
    let empty = r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#;
    reads(&ollama(), &format!("{empty}\n"), &(Told::default(), Err(Outcome::Empty)));
}
