//! Reads need not match chunks, so every trace is cut at every byte.

use std::collections::VecDeque;

use super::*;
use crate::inference::stream::{Decoder, Item, OllamaDecoder, OpenAiDecoder, Opening};

/// The body of a recorded response, without its chunk framing.
fn body(recorded: &[u8]) -> Vec<u8> {
    let end = recorded.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let mut rest = &recorded[end + 4..];
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|two| two == b"\r\n") {
        let Ok(size) = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16)
        else {
            break;
        };
        let chunk = rest.get(line + 2..line + 2 + size).unwrap_or(&rest[line + 2..]);
        body.extend_from_slice(chunk);
        rest = rest.get(line + 2 + size + 2..).unwrap_or_default();
    }
    body
}

/// Cuts `bytes` in two at every place. Both halves are compared with the uncut run at the end of
/// the event after the cut one: by then nothing of the cut may be left in the decoder's state.
fn cut_everywhere(fresh: &Decoder, bytes: &[u8], event_end: &[u8]) {
    let ends: Vec<usize> = (event_end.len()..=bytes.len())
        .filter(|&at| bytes[..at].ends_with(event_end))
        .chain([bytes.len()])
        .collect();
    let mut before = fresh.clone();
    let (mut all_said, mut from) = (VecDeque::new(), 0);
    let mut failed_before = Ok(());
    for (index, &end) in ends.iter().enumerate() {
        let until = *ends.get(index + 1).unwrap_or(&bytes.len());
        let mut uncut = before.clone();
        let mut said = VecDeque::new();
        let result = failed_before.and_then(|()| uncut.push(&bytes[from..until], &mut said));
        for cut in from..end {
            let (mut halves, mut said_in_halves) = (before.clone(), VecDeque::new());
            let in_halves = failed_before
                .and_then(|()| halves.push(&bytes[from..cut], &mut said_in_halves))
                .and_then(|()| halves.push(&bytes[cut..until], &mut said_in_halves));
            assert_eq!(in_halves, result, "cut at {cut}");
            assert_eq!(said_in_halves, said, "cut at {cut}");
            if result.is_ok() {
                assert_eq!(halves, uncut, "cut at {cut}");
            }
        }
        failed_before = failed_before.and_then(|()| before.push(&bytes[from..end], &mut all_said));
        from = end;
    }
    let (mut one_by_one, mut said) = (fresh.clone(), VecDeque::new());
    let result = bytes.iter().try_for_each(|byte| one_by_one.push(&[*byte], &mut said));
    assert_eq!((result, said), (failed_before, all_said), "byte by byte");
}

fn openai(opening: Opening) -> Decoder {
    Decoder::OpenAi(OpenAiDecoder::new(opening))
}

macro_rules! traces {
    ($($name:literal),+ $(,)?) => { [$(($name, wire!($name))),+] };
}

#[test]
fn every_trace_says_the_same_cut_at_every_byte() {
    let traces = traces![
        "vllm/03-chat-stream-usage",
        "vllm/05b-chat-stream-utf8-no-tool-parser",
        "vllm/06-chat-stream-n2",
        "vllm/12-tools-auto-stream-two-calls",
        "vllm/15-tools-forced-stream",
        "vllm/19-tools-auto-truncated-stream",
        "vllm/21-stop-string-stream",
        "vllm/80-sigterm-stream2",
        "vllm/82-queued-keepalive",
        "vllm/83-enginecore-sigkill-stream1",
        "vllm/84-apiserver-sigkill-stream1",
        "vllm/91-reasoning-stream",
        "vllm/98-include-reasoning-false",
        "vllm/98-reasoning-tool-stream",
        "llama-server/06-chat-stream-n2",
        "llama-server/21-stop-string-stream",
        "llama-server/91-reasoning-stream",
        "llama-cpp-python/31-err-prompt-too-long-stream",
        "llama-cpp-python/80-interrupted-by-next-request",
        "xllamacpp/01-chat-stream",
        "xllamacpp/05-think-tags",
        "xllamacpp/06-channels",
        "xllamacpp/07-blank",
        "ollama/08-openai-chat-stream",
        "ollama/09-openai-no-template",
    ];
    for (name, recorded) in traces {
        let body = body(recorded);
        assert_eq!(body.is_empty(), name.contains("/31-"), "{name}");
        cut_everywhere(&openai(Opening::Answer), &body, b"\n\n");
    }
}

#[test]
fn a_leaked_thought_is_taken_out_cut_at_every_byte() {
    let deltas = ["Okay, ", "hm.</th", "ink>\n", "\nParis ", "<th", "ink>x</think>", "is 日本."];
    let mut stream: String = deltas
        .iter()
        .map(|text| {
            format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{text:?}}}}}]}}\r\n\r\n"
            )
        })
        .collect();
    stream += "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\r\n\r\ndata: [DONE]\r\n\r\n";
    let mut decoder = openai(Opening::Uncertain);
    cut_everywhere(&decoder, stream.as_bytes(), b"\r\n\r\n");
    let mut said = VecDeque::new();
    decoder.push(stream.as_bytes(), &mut said).unwrap();
    let text: String = said
        .into_iter()
        .filter_map(|item| match item {
            Item::Piece(Piece::Text(text)) => Some(text),
            Item::Piece(_) | Item::Progress => None,
        })
        .collect();
    assert_eq!(text, "Paris is 日本.");
}

#[test]
fn an_ollama_stream_says_the_same_cut_at_every_byte() {
    let decoder = Decoder::Ollama(OllamaDecoder::new(Opening::Answer));
    for (_, recorded) in
        traces!["ollama/01-chat-stream", "ollama/02-chat-stream-length", "ollama/04-no-template",]
    {
        cut_everywhere(&decoder, &body(recorded), b"\n");
    }
    // Features that the recorded model lacks, in the form of Ollama's documentation.
    let stream = concat!(
        r#"{"model":"m","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#,
        "\n",
        r#"{"model":"m","message":{"role":"assistant","content":"日本"},"done":false}"#,
        "\n",
        r#"{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":"ü"}}}]},"done":false}"#,
        "\n",
        r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":3}"#,
        "\n",
    );
    cut_everywhere(&decoder, stream.as_bytes(), b"\n");
}
