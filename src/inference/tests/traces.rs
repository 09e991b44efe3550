//! What real servers sent, byte by byte, replayed over a socket.

use serde_json::json;

use super::{
    upstream::{Script, Then, Upstream},
    *,
};
use crate::{
    domain::Usage,
    inference::{
        backend::{BackendId, Remote},
        stream::Item,
    },
};

/// Replays `bytes` in whole and in small writes, and reads the answer to its end.
async fn replay(kind: BackendKind, bytes: &[u8]) -> (Told, Result<(), Outcome>) {
    let whole = replay_cut(kind, bytes, bytes.len().max(1)).await;
    let cut = replay_cut(kind, bytes, 97).await;
    assert_eq!(whole, cut, "it does not matter how the bytes arrive");
    whole
}

async fn replay_cut(kind: BackendKind, bytes: &[u8], size: usize) -> (Told, Result<(), Outcome>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::start(Script::cut(bytes, size, Then::Close)).await;
    let config = backend("replay", kind, &upstream.url);
    let backend = Remote::new(BackendId(0), config, Duration::from_secs(2)).unwrap();
    let mut told = Told::default();
    let mut stream = match backend.open(&chat(), None).await {
        Ok(stream) => stream,
        Err(outcome) => return (told, Err(outcome)),
    };
    loop {
        match stream.next().await {
            Ok(Some(Item::Piece(piece))) => told.add(piece),
            Ok(Some(Item::Progress)) => {}
            Ok(None) => return (told, Ok(())),
            Err(outcome) => return (told, Err(outcome)),
        }
    }
}

async fn vllm(bytes: &[u8]) -> (Told, Result<(), Outcome>) {
    replay(BackendKind::Vllm, bytes).await
}

async fn openai(bytes: &[u8]) -> (Told, Result<(), Outcome>) {
    replay(BackendKind::Openai, bytes).await
}

fn usage(prompt_tokens: u32, completion_tokens: u32) -> Option<Usage> {
    Some(Usage { prompt_tokens, completion_tokens })
}

const TALE: &str = "Once upon a time there was a king who had a horse, and the horse";

#[tokio::test]
async fn an_error_in_the_stream_is_an_error_although_done_follows() {
    let (told, end) = vllm(wire!("vllm/83-enginecore-sigkill-stream1")).await;
    assert_eq!(told.text, format!("{TALE} had"));
    assert_eq!((told.finish, end), (None, Err(Outcome::ErrorFrame)));
}

/// A whole answer of a vLLM, and the same answer without its marker.
fn without_marker() -> (&'static [u8], Vec<u8>) {
    let whole = wire!("vllm/03-chat-stream-usage");
    let marker = b"e\r\ndata: [DONE]\n\n\r\n";
    let at = whole.windows(marker.len()).position(|part| part == marker).unwrap();
    (whole, [&whole[..at], &whole[at + marker.len()..]].concat())
}

#[tokio::test]
async fn a_reason_and_a_clean_end_are_complete_without_a_marker() {
    let (whole, without) = without_marker();
    let expected =
        (Told { usage: usage(13, 13), ..Told::said("Hello! How can I help you today?") }, Ok(()));
    assert_eq!(vllm(whole).await, expected);
    assert_eq!(vllm(&without).await, expected);
}

#[tokio::test]
async fn a_connection_cut_after_the_reason_is_a_truncated_answer() {
    let (_, without) = without_marker();
    let (told, end) = vllm(&without[..without.len() - b"0\r\n\r\n".len()]).await;
    assert_eq!((told.finish, end), (None, Err(Outcome::Truncated)));
}

#[tokio::test]
async fn a_connection_cut_without_its_last_chunk_is_a_truncated_answer() {
    let (told, end) = vllm(wire!("vllm/84-apiserver-sigkill-stream1")).await;
    assert_eq!(told.text, format!("{TALE} had"));
    assert_eq!((told.finish, end), (None, Err(Outcome::Truncated)));
}

#[tokio::test]
async fn keep_alives_before_the_answer_and_reasoning_are_no_text() {
    let recorded = wire!("vllm/82-queued-keepalive");
    let marker = b"[cut by the recorder]";
    let cut = recorded.windows(marker.len()).position(|part| part == marker).unwrap();
    let (told, end) = vllm(&recorded[..cut]).await;
    assert_eq!((told, end), (Told::default(), Err(Outcome::Truncated)));
}

#[tokio::test]
async fn empty_deltas_inside_characters_do_no_harm() {
    let (told, end) = vllm(wire!("vllm/05b-chat-stream-utf8-no-tool-parser")).await;
    let text = "Bonjour, 你好, Привет, こんにちは, 안녕하세요, مرحبا 🙂👍🏽 — done.";
    assert_eq!(told, Told { usage: usage(24, 91), ..Told::said(text) });
    assert_eq!(end, Ok(()));
}

#[tokio::test]
async fn deltas_recut_for_a_stop_string_are_whole_text() {
    for bytes in [wire!("vllm/21-stop-string-stream"), wire!("llama-server/21-stop-string-stream")]
    {
        let (told, end) = openai(bytes).await;
        assert_eq!((told, end), (Told::said("Hello! How can I"), Ok(())));
    }
}

#[tokio::test]
async fn a_named_tool_call_that_finishes_with_stop_is_a_tool_call() {
    let (told, end) = vllm(wire!("vllm/15-tools-forced-stream")).await;
    assert_eq!((told.finish, end), (Some(FinishReason::ToolCalls), Ok(())));
    assert_eq!(told.calls.len(), 1);
    assert_eq!(told.calls[0].name, "get_weather");
    assert_eq!(told.calls[0].id, "chatcmpl-tool-9e8e9fe03a54959b");
    let arguments = serde_json::Value::Object(told.calls[0].arguments.clone());
    assert_eq!(arguments, json!({"city": "Paris", "unit": "celsius"}));
}

#[tokio::test]
async fn two_tool_calls_after_a_text_are_told_apart() {
    let (told, end) = vllm(wire!("vllm/12-tools-auto-stream-two-calls")).await;
    assert_eq!((told.text.as_str(), end), ("Let me check both.\n", Ok(())));
    let cities: Vec<_> = told.calls.iter().map(|call| call.arguments["city"].clone()).collect();
    assert_eq!(cities, ["Paris", "London"]);
}

#[tokio::test]
async fn a_tool_call_cut_by_the_token_limit_is_never_a_call() {
    let (told, end) = vllm(wire!("vllm/19-tools-auto-truncated-stream")).await;
    assert_eq!((told, end), (Told::default(), Err(Outcome::BrokenToolCall)));
}

#[tokio::test]
async fn of_interleaved_choices_only_the_first_counts() {
    let text = "Hello! How can I help you today?";
    let (told, end) = vllm(wire!("vllm/06-chat-stream-n2")).await;
    assert_eq!((told, end), (Told { usage: usage(13, 26), ..Told::said(text) }, Ok(())));
    let (told, end) = openai(wire!("llama-server/06-chat-stream-n2")).await;
    assert_eq!((told, end), (Told { usage: usage(13, 13), ..Told::said(text) }, Ok(())));
}

#[tokio::test]
async fn reasoning_is_not_text_under_either_name() {
    let expected = Told { usage: usage(25, 47), ..Told::said("The capital of France is Paris.") };
    for bytes in [wire!("vllm/91-reasoning-stream"), wire!("llama-server/91-reasoning-stream")] {
        assert_eq!(openai(bytes).await, (expected.clone(), Ok(())));
    }
    assert_eq!(vllm(wire!("vllm/98-include-reasoning-false")).await, (expected, Ok(())));
}

#[tokio::test]
async fn a_tool_call_after_reasoning_has_no_text() {
    let (told, end) = vllm(wire!("vllm/98-reasoning-tool-stream")).await;
    assert_eq!((told.text.as_str(), told.calls.len(), end), ("", 1, Ok(())));
}

#[tokio::test]
async fn a_full_loading_or_draining_server_is_overloaded() {
    let (_, end) = vllm(wire!("vllm/85-err-queue-full")).await;
    assert_eq!(end, Err(Outcome::Overloaded(503)));
    let (_, end) = openai(wire!("llama-server/58-chat-while-loading")).await;
    assert_eq!(end, Err(Outcome::Overloaded(503)));
    let (_, end) = vllm(wire!("vllm/81-post-while-draining")).await;
    assert_eq!(end, Err(Outcome::Overloaded(500)));
}

#[tokio::test]
async fn an_empty_200_is_not_an_answer() {
    let (told, end) = openai(wire!("llama-cpp-python/31-err-prompt-too-long-stream")).await;
    assert_eq!((told, end), (Told::default(), Err(Outcome::Empty)));
}

#[tokio::test]
async fn errors_are_read_by_their_status_not_their_body() {
    let (_, end) = vllm(wire!("vllm/33-err-malformed-json")).await;
    assert_eq!(end, Err(Outcome::ClientError(400)));
    let (_, end) = openai(wire!("llama-server/33-err-malformed-json")).await;
    assert_eq!(end, Err(Outcome::ServerError(500)));
    let (_, end) = openai(wire!("llama-cpp-python/33-err-malformed-json")).await;
    assert_eq!(end, Err(Outcome::ServerError(500)));
}

#[tokio::test]
async fn done_without_a_finish_reason_is_a_truncated_answer() {
    let (told, end) = openai(wire!("llama-cpp-python/80-interrupted-by-next-request")).await;
    assert!(told.text.starts_with(TALE));
    assert_eq!((told.finish, end), (None, Err(Outcome::Truncated)));
}

#[tokio::test]
async fn an_ollama_answer_is_read_line_by_line() {
    let body = concat!(
        r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#,
        "\n",
        r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"Par"},"done":false}"#,
        "\n",
        r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"is"},"done":false}"#,
        "\n",
        r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1,"prompt_eval_count":26,"eval_count":3}"#,
        "\n",
    );
    let (told, end) = replay(BackendKind::Ollama, &ndjson(body)).await;
    assert_eq!((told, end), (Told { usage: usage(26, 3), ..Told::said("Paris") }, Ok(())));
}

#[tokio::test]
async fn an_ollama_tool_call_is_an_object() {
    let body = concat!(
        r#"{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"order","arguments":{"id":7}}}]},"done":false}"#,
        "\n",
        r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#,
        "\n",
    );
    let (told, end) = replay(BackendKind::Ollama, &ndjson(body)).await;
    assert_eq!((told.finish, end), (Some(FinishReason::ToolCalls), Ok(())));
    assert_eq!(told.calls[0].arguments["id"], 7);
}

#[tokio::test]
async fn an_ollama_that_fails_or_ends_early_has_not_answered() {
    let line = r#"{"model":"m","message":{"role":"assistant","content":"Par"},"done":false}"#;
    let (told, end) = replay(BackendKind::Ollama, &ndjson(&format!("{line}\n"))).await;
    assert_eq!((told.text.as_str(), end), ("Par", Err(Outcome::Truncated)));
    let body = format!("{line}\n{}\n", r#"{"error":"model runner has unexpectedly stopped"}"#);
    let (_, end) = replay(BackendKind::Ollama, &ndjson(&body)).await;
    assert_eq!(end, Err(Outcome::ErrorFrame));
}

#[tokio::test]
async fn ollama_gets_the_same_context_on_every_call() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::start(Script::bytes(ndjson(""), Then::Close)).await;
    let config = backend("o", BackendKind::Ollama, &upstream.url);
    let backend = Remote::new(BackendId(0), config, Duration::from_secs(2)).unwrap();
    for max_tokens in [16, 512] {
        let _ = backend.open(&ChatRequest { max_tokens, ..chat() }, None).await;
    }
    let requests = upstream.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert!(request.starts_with("POST /api/chat "), "{request}");
        assert!(request.contains("\"num_ctx\":4096"), "{request}");
    }
}

#[tokio::test]
async fn an_ollama_nearby_is_found_with_its_first_model_that_chats() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::start(Script::says("")).await;
    let tags = json!({"models": [
        {"name": "all-minilm:latest", "details": {"family": "bert"}},
        {"name": "llama3.2:3b", "details": {"family": "llama"}},
    ]});
    upstream.set_health(Script::bytes(ndjson(&format!("{tags}\n")), Then::Close));
    let found = discover_ollama(&upstream.url, Duration::from_secs(2)).await.unwrap();
    assert_eq!((found.kind, found.model.as_str()), (BackendKind::Ollama, "llama3.2:3b"));
    assert_eq!(found.url, upstream.url);
}

const PARIS: &str = "The capital of France is Paris.";

#[tokio::test]
async fn a_real_llama_cpp_is_understood() {
    let length =
        Told { text: "The capital of France".into(), usage: usage(26, 4), ..Told::default() };
    for (bytes, expected) in [
        (wire!("xllamacpp/01-chat-stream"), Ok(Told { usage: usage(26, 8), ..Told::said(PARIS) })),
        (
            wire!("xllamacpp/02-chat-stream-length"),
            Ok(Told { finish: Some(FinishReason::Length), ..length }),
        ),
        (wire!("xllamacpp/03-prompt-too-long"), Err(Outcome::ClientError(400))),
        // It ignores the model name and answers with the model it has.
        (
            wire!("xllamacpp/04-unknown-model"),
            Ok(Told { usage: usage(26, 8), ..Told::said(PARIS) }),
        ),
        (
            wire!("xllamacpp/05-think-tags"),
            Ok(Told { usage: usage(26, 18), ..Told::said("Paris.") }),
        ),
        (wire!("xllamacpp/06-channels"), Ok(Told { usage: usage(26, 69), ..Told::said("Paris.") })),
        (wire!("xllamacpp/07-blank"), Err(Outcome::Empty)),
    ] {
        let (told, end) = openai(bytes).await;
        assert_eq!(end.map(|()| told), expected);
    }
}

#[tokio::test]
async fn a_real_ollama_is_understood_in_both_protocols() {
    use BackendKind::{Ollama, Openai};
    let said = || Ok(Told { usage: usage(16, 8), ..Told::said(PARIS) });
    let length =
        Told { text: "The capital of France".into(), usage: usage(16, 4), ..Told::default() };
    for (kind, bytes, expected) in [
        (Ollama, wire!("ollama/01-chat-stream"), said()),
        (
            Ollama,
            wire!("ollama/02-chat-stream-length"),
            Ok(Told { finish: Some(FinishReason::Length), ..length }),
        ),
        (Ollama, wire!("ollama/03-unknown-model"), Err(Outcome::ClientError(404))),
        (Ollama, wire!("ollama/04-no-template"), Err(Outcome::Empty)),
        (Ollama, wire!("ollama/05-think-false"), said()),
        (
            Ollama,
            wire!("ollama/06-think-true-of-a-model-that-cannot"),
            Err(Outcome::ClientError(400)),
        ),
        (Ollama, wire!("ollama/07-tools-of-a-model-that-cannot"), Err(Outcome::ClientError(400))),
        (Openai, wire!("ollama/08-openai-chat-stream"), said()),
        (Openai, wire!("ollama/09-openai-no-template"), Err(Outcome::Empty)),
        (Openai, wire!("ollama/10-openai-unknown-model"), Err(Outcome::ClientError(404))),
    ] {
        let (told, end) = replay(kind, bytes).await;
        assert_eq!(end.map(|()| told), expected);
    }
}

fn ndjson(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let chunks: String =
        body.split_inclusive('\n').map(|line| format!("{:x}\r\n{line}\r\n", line.len())).collect();
    format!("{head}{chunks}0\r\n\r\n").into_bytes()
}
