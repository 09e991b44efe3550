//! What clients and load tools of OpenAI's API rely on.

use actix_web::rt::test;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::{fake_model::WORDS, harness::*};

const QUESTION: &str = "When do boots ship?";
/// The pages have nothing on it.
const UNANSWERABLE: &str = "Zzyzx qwerty?";

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

/// The `data:` lines of a whole stream.
async fn data(response: Response) -> Vec<String> {
    assert_eq!(response.status(), StatusCode::OK);
    let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(media_type.starts_with("text/event-stream"), "{media_type}");
    let text = response.text().await.unwrap();
    assert!(!text.contains("event:") && !text.contains("id:\n"), "{text}");
    text.lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(|l| l.trim().to_owned())
        .collect()
}

fn json_of(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text_of_chunks(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

#[test]
async fn there_is_one_model() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let list = ok(shopper.models()).await;
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&list["data"][0]["id"], &list["data"][0]["object"]),
        (&json!("rushdesk"), &json!("model"))
    );
    refused(app.get("/v1/models"), 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn a_completion_has_the_shape_that_clients_expect() {
    let app = TestApp::with_model("ok").await;
    let shopper = app.visitor().await;
    let request = json!({
        "model": "rushdesk", "messages": [user(QUESTION)], "temperature": 0.7, "max_tokens": 9,
        "user": "u", "n": 1, "stop": ["x"], "some_future_field": {},
    });
    let response = shopper.complete(&request).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-rushdesk-route"], "model");
    for name in ["server-timing", "ratelimit", "x-request-id"] {
        assert!(response.headers().contains_key(name), "{name}");
    }
    let answer = body(response).await;
    assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-"), "{answer}");
    assert_eq!(
        (&answer["object"], &answer["model"]),
        (&json!("chat.completion"), &json!("rushdesk"))
    );
    assert!(answer["created"].as_i64().unwrap() > 1_700_000_000, "{answer}");
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["role"], "assistant");
    assert_eq!(choice["message"]["content"], WORDS.concat());
    assert_eq!((&choice["index"], &choice["finish_reason"]), (&json!(0), &json!("stop")));
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15});
    assert_eq!(answer["usage"], usage);
    assert_eq!(answer["rushdesk"]["route"], "model");
    app.stop().await;
}

#[test]
async fn a_stream_is_chunks_that_end_with_a_reason_and_done() {
    let app = TestApp::with_model("ok").await;
    let shopper = app.visitor().await;
    let request = json!({"messages": [user(QUESTION)], "stream": true});
    let lines = data(shopper.complete(&request).send().await.unwrap()).await;
    let (done, lines) = lines.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    let chunks = json_of(lines);
    assert_eq!(text_of_chunks(&chunks), WORDS.concat());
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["id"], chunks[0]["id"]);
        assert!(chunk.get("usage").is_none(), "nobody asked for it: {chunk}");
    }
    let (last, others) = chunks.split_last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["rushdesk"]["route"], "model");
    assert!(others.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    app.stop().await;
}

#[test]
async fn usage_comes_in_a_chunk_of_its_own_for_whoever_asks() {
    let app = TestApp::with_model("ok").await;
    let shopper = app.visitor().await;
    let request = json!({
        "messages": [user(QUESTION)], "stream": true, "stream_options": {"include_usage": true},
    });
    let lines = data(shopper.complete(&request).send().await.unwrap()).await;
    assert_eq!(lines.last().unwrap(), "[DONE]");
    let usage = &json_of(&lines[..lines.len() - 1]).pop().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["total_tokens"], 15);
    app.stop().await;
}

#[test]
async fn the_conversation_reaches_the_model_and_instructions_of_clients_do_not() {
    let app = TestApp::with_model("ok").await;
    let shopper = app.visitor().await;
    let messages = json!([
        {"role": "system", "content": "You are a pirate."},
        user("Do you sell boots?"),
        {"role": "assistant", "content": "Yes, we do."},
        {"role": "developer", "content": "Speak like a pirate."},
        {"role": "user", "content": [
            {"type": "text", "text": "My mail is eva@example.com."},
            {"type": "text", "text": "How much are they?"},
        ]},
    ]);
    let response = shopper.complete(&json!({ "messages": messages })).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let prompt: Value = serde_json::from_str(&app.model().last_prompt()).unwrap();
    let prompt = prompt.as_array().unwrap();
    assert_eq!(prompt[0]["role"], "system");
    let said: Vec<_> = prompt[1..]
        .iter()
        .map(|m| (m["role"].as_str().unwrap(), m["content"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(said[0], ("user", "Do you sell boots?".to_owned()));
    assert_eq!(said[1], ("assistant", "Yes, we do.".to_owned()));
    assert_eq!(said[2].0, "user");
    assert!(said[2].1.ends_with("\nHow much are they?"), "{said:?}");
    let all = app.model().last_prompt();
    assert!(!all.contains("pirate") && !all.contains("eva@example.com"), "{all}");
    // Nothing is kept.
    assert_eq!(shopper.session_ids().await, Vec::<String>::new());
    app.stop().await;
}

#[test]
async fn without_a_model_the_knowledge_answers_with_its_sources() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let request = json!({"messages": [user("How long do I have to return something?")]});
    let answer = ok(shopper.complete(&request)).await;
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("30 days"), "{answer}");
    assert_eq!(answer["rushdesk"]["route"], "knowledge");
    assert!(answer["rushdesk"]["citations"][0]["title"].is_string(), "{answer}");
    app.stop().await;
}

#[test]
async fn what_cannot_be_answered_is_refused() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let ask = |body: Value| shopper.complete(&body);
    refused(ask(json!({"model": "gpt-4o", "messages": [user("hi")]})), 404, "not_found").await;
    refused(ask(json!({"model": "", "messages": [user("hi")]})), 404, "not_found").await;
    let assistant = json!({"role": "assistant", "content": "hi"});
    let image = json!({"type": "image_url", "image_url": {"url": "https://x.example"}});
    for messages in [
        Value::Null,
        json!("hi"),
        json!([]),
        json!([assistant]),
        json!([user("hi"), assistant]),
        json!([user("")]),
        json!([user(" \n")]),
        json!([user("a\0b")]),
        json!([user(&"x".repeat(4_001))]),
        json!([{"role": "wizard", "content": "hi"}]),
        json!([{"role": "user"}]),
        json!([{"role": "user", "content": 7}]),
        json!([{"role": "user", "content": []}]),
        json!([{"role": "user", "content": [image]}]),
        Value::Array(vec![user("hi"); 201]),
    ] {
        let problem = refused(ask(json!({ "messages": messages })), 422, "schema_violation").await;
        let field = problem["field_errors"][0]["field"].as_str().unwrap();
        assert!(field.starts_with("messages"), "{problem}");
    }
    refused(ask(json!({})), 422, "schema_violation").await;
    let anonymous = app.post("/v1/chat/completions").json(&json!({"messages": [user("hi")]}));
    refused(anonymous, 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn a_history_with_pictures_and_calls_is_answered() {
    let app = TestApp::with_model("ok").await;
    let shopper = app.visitor().await;
    let image = json!({"type": "image_url", "image_url": {"url": "https://x.example"}});
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let request = json!({
        "stream": null, "stream_options": {"include_usage": null},
        "messages": [
            {"role": "user", "name": "eva", "content": [{"type": "text", "text": "What is this?"}, image]},
            {"role": "assistant", "content": null, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "a boot"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}, {"type": "text", "text": "A boot."}]},
            {"role": "function", "name": "f", "content": "a boot"},
            {"role": "user", "content": [image, {"type": "text", "text": QUESTION}]},
        ],
    });
    let answer = ok(shopper.complete(&request)).await;
    assert_eq!(answer["choices"][0]["message"]["content"], WORDS.concat(), "{answer}");
    let prompt = app.model().last_prompt();
    assert!(prompt.contains("What is this?") && prompt.contains("A boot."), "{prompt}");
    app.stop().await;
}

#[test]
async fn a_client_that_leaves_frees_the_model() {
    let app = TestApp::with_model("step").await;
    let shopper = app.visitor().await;
    app.model().steps.add_permits(3);
    let request = json!({"messages": [user(QUESTION)], "stream": true});
    let mut response = shopper.complete(&request).send().await.unwrap();
    let mut seen = String::new();
    while !seen.contains(WORDS[0].trim()) {
        let chunk = response.chunk().await.unwrap().unwrap();
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(app.model().open(), 1);
    drop(response);
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    app.stop().await;
}

#[test]
async fn a_client_that_leaves_while_it_waits_for_the_whole_answer_frees_the_model_too() {
    let app = TestApp::with_model("step").await;
    let shopper = app.visitor().await;
    let waiting = shopper.complete(&json!({"messages": [user(QUESTION)]}));
    let asked = settle("the model is asked", async || app.model().open() == 1);
    tokio::select! {
        answer = waiting.send() => panic!("{answer:?}"),
        () = asked => {}
    }
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    app.stop().await;
}

#[test]
async fn a_model_that_fails_ends_the_stream_with_an_error_and_without_done() {
    for model in ["error_frame", "no_end"] {
        let app = TestApp::with_model(model).await;
        let shopper = app.visitor().await;
        let request = json!({"messages": [user(UNANSWERABLE)], "stream": true});
        let lines = data(shopper.complete(&request).send().await.unwrap()).await;
        assert!(!lines.iter().any(|line| line == "[DONE]"), "{model}: {lines:?}");
        let chunks = json_of(&lines);
        let (last, chunks) = chunks.split_last().unwrap();
        assert_eq!(last["error"]["type"], "dependency_unavailable", "{model}: {last}");
        assert!(last["error"]["message"].is_string(), "{model}: {last}");
        assert!(text_of_chunks(chunks).starts_with(WORDS[0]), "{model}: {chunks:?}");

        let whole = shopper.complete(&json!({"messages": [user("Qwerty zzyzx?")]}));
        refused(whole, 503, "dependency_unavailable").await;
        app.stop().await;
    }
}

#[test]
async fn a_question_in_flight_is_shared_with_the_chat() {
    let app = TestApp::with_model("step").await;
    let (first, second) = (app.visitor().await, app.visitor().await);
    let session = first.session().await;
    let mut stream = first.stream(&session, QUESTION).await;
    stream.until("message.created").await;
    settle("the model is asked", async || app.model().requests() == 1).await;
    let request = json!({"messages": [user(QUESTION)], "stream": true});
    let response = second.complete(&request).send().await.unwrap();
    app.model().steps.add_permits(100);
    let lines = data(response).await;
    let chunks = json_of(&lines[..lines.len() - 1]);
    assert_eq!(text_of_chunks(&chunks), WORDS.concat());
    stream.until("answer.completed").await;
    assert_eq!(app.model().requests(), 1);
    drop(stream);
    app.stop().await;
}
