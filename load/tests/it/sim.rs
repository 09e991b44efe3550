//! The simulator over real sockets.

use std::time::Duration;

use actix_web::rt;
use futures_util::{StreamExt as _, future::join_all};
use rushdesk_load::{
    sim::{Args, frames::Kind, start, stats::Snapshot},
    sse::SseReader,
};
use serde_json::{Value, json};
use tokio::time::Instant;

struct Sim {
    url: String,
    http: reqwest::Client,
}

impl Sim {
    fn start(kind: Kind, change: impl FnOnce(&mut Args)) -> Self {
        let mut args = Args {
            kind,
            listen: "127.0.0.1:0".parse().unwrap(),
            ttft_ms: 10,
            token_ms: 5,
            tokens: 12,
            slots: 0,
            seed: 1,
            fault: None,
            workers: 1,
        };
        change(&mut args);
        let (server, address, _) = start(args).unwrap();
        rt::spawn(server);
        Self {
            url: format!("http://{address}"),
            http: rushdesk_load::http_client().build().unwrap(),
        }
    }

    async fn ask(&self, model: &str, question: &str) -> reqwest::Response {
        let path = "/v1/chat/completions";
        let body = json!({"model": model, "stream": true, "stream_options": {"include_usage": true},
            "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": question}]});
        self.http.post(self.url.clone() + path).json(&body).send().await.unwrap()
    }

    async fn chat_ollama(&self, model: &str, stream: bool) -> reqwest::Response {
        let body = json!({"model": model, "stream": stream,
            "messages": [{"role": "user", "content": "hello"}]});
        self.http.post(self.url.clone() + "/api/chat").json(&body).send().await.unwrap()
    }

    async fn stats(&self) -> Snapshot {
        let url = self.url.clone() + "/stats";
        let json: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let of = |name: &str| json[name].as_u64().unwrap();
        Snapshot {
            requests: of("requests"),
            waiting: of("waiting"),
            active: of("active"),
            peak: of("peak"),
            completed: of("completed"),
            cancelled: of("cancelled"),
            tokens: of("tokens"),
        }
    }

    /// Waits for a state that is reached soon.
    async fn until(&self, holds: impl Fn(&Snapshot) -> bool) {
        let begun = Instant::now();
        while !holds(&self.stats().await) {
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", self.stats().await);
            rt::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The data lines of a stream, and whether it ended cleanly.
async fn lines(response: reqwest::Response) -> (Vec<String>, bool) {
    let (mut reader, mut lines) = (SseReader::default(), Vec::new());
    let mut body = response.bytes_stream();
    while let Some(bytes) = body.next().await {
        let Ok(bytes) = bytes else { return (lines, false) };
        reader.push(&bytes).unwrap();
        while let Some(event) = reader.next_event() {
            lines.push(event.data);
        }
    }
    (lines, true)
}

fn content(lines: &[String], field: &str) -> String {
    let piece = |line: &String| {
        let json: Value = serde_json::from_str(line).ok()?;
        Some(json["choices"][0]["delta"][field].as_str()?.to_owned())
    };
    lines.iter().filter_map(piece).collect()
}

#[actix_web::test]
async fn a_vllm_answer_is_whole_and_belongs_to_its_question() {
    let sim = Sim::start(Kind::Vllm, |_| {});
    let (one, is_clean) = lines(sim.ask("sim", "where is it?").await).await;
    let (other, _) = lines(sim.ask("sim", "who are you?").await).await;
    assert!(is_clean);
    assert_eq!(one.len(), 1 + 12 + 3);
    assert_eq!(one.last().unwrap(), "[DONE]");
    let usage: Value = serde_json::from_str(&one[14]).unwrap();
    assert_eq!(usage["usage"]["completion_tokens"], 12);
    let (one, other) = (content(&one, "content"), content(&other, "content"));
    assert!(one.contains("simulator"));
    assert_ne!(one[..14], other[..14]);
    assert_eq!(sim.stats().await.completed, 2);
}

#[actix_web::test]
async fn every_fault_strikes_as_its_name_says() {
    let sim = Sim::start(Kind::Vllm, |_| {});
    let tokens = |lines: &[String]| {
        let has_text = |line: &&String| line.contains("\"content\":\"") && !line.contains("role");
        lines.iter().filter(has_text).count()
    };
    let (died, is_clean) = lines(sim.ask("sim-die-5", "q").await).await;
    assert_eq!((tokens(&died), is_clean), (5, false));
    let (error, is_clean) = lines(sim.ask("sim-error-5", "q").await).await;
    assert_eq!((tokens(&error), is_clean), (5, true));
    assert!(error[6].starts_with("{\"error\": {") && error[7] == "[DONE]");
    let (cut, is_clean) = lines(sim.ask("sim-cut-5", "q").await).await;
    assert_eq!((tokens(&cut), cut.len(), is_clean), (5, 6, true));
    let (thought, _) = lines(sim.ask("sim-think", "q").await).await;
    assert!(!content(&thought, "reasoning").is_empty());
    assert!(content(&thought, "content").starts_with("sim:"));
    let (empty, _) = lines(sim.ask("sim-empty", "q").await).await;
    assert_eq!((content(&empty, "content"), empty.len()), (String::new(), 4));
    let (garbage, _) = lines(sim.ask("sim-garbage", "q").await).await;
    assert!(garbage.iter().any(|line| serde_json::from_str::<Value>(line).is_err()));
    for (model, status) in [("sim-503", 503), ("sim-500", 500), ("nobody", 404)] {
        assert_eq!(sim.ask(model, "q").await.status(), status, "{model}");
    }
}

#[actix_web::test]
async fn headers_come_at_once_and_slots_are_given_in_order() {
    let sim = Sim::start(Kind::Vllm, |args| args.slots = 1);
    let begun = Instant::now();
    let first = sim.ask("sim-slow", "1").await;
    let second = sim.ask("sim", "2").await;
    let third = sim.ask("sim", "3").await;
    assert!(begun.elapsed() < Duration::from_millis(100), "headers do not wait for a slot");
    let metrics = sim.http.get(sim.url.clone() + "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("num_requests_running{engine=\"0\",model_name=\"sim\"} 1.0"));
    assert!(metrics.contains("num_requests_waiting{engine=\"0\",model_name=\"sim\"} 2.0"));
    let ends = join_all([first, second, third].map(|response| async {
        lines(response).await;
        Instant::now()
    }));
    let ends = ends.await;
    assert!(ends.is_sorted());
    assert_eq!(sim.stats().await.peak, 1);
}

#[actix_web::test]
async fn a_client_that_leaves_frees_its_slot_also_while_it_waits() {
    let sim = Sim::start(Kind::Vllm, |args| args.slots = 1);
    let stalled = sim.ask("sim-stall", "1").await;
    let waiting = sim.ask("sim", "2").await;
    sim.until(|stats| (stats.active, stats.waiting) == (1, 1)).await;
    drop(waiting);
    sim.until(|stats| (stats.active, stats.waiting, stats.cancelled) == (1, 0, 1)).await;
    drop(stalled);
    sim.until(|stats| (stats.active, stats.cancelled) == (0, 2)).await;
    assert!(lines(sim.ask("sim", "3").await).await.1);
}

#[actix_web::test]
async fn ollama_streams_lines_and_answers_whole() {
    let sim = Sim::start(Kind::Ollama, |_| {});
    let body = sim.chat_ollama("sim", true).await.text().await.unwrap();
    let lines: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 13);
    let piece = |line: &Value| line["message"]["content"].as_str().unwrap().to_owned();
    let streamed: String = lines.iter().map(piece).collect();
    assert_eq!((&lines[12]["done"], &lines[12]["eval_count"]), (&json!(true), &json!(12)));
    let whole: Value = sim.chat_ollama("sim", false).await.json().await.unwrap();
    assert_eq!(whole["message"]["content"], streamed);
    for path in ["/api/tags", "/api/version", "/"] {
        let response = sim.http.get(sim.url.clone() + path).send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
    }
    let die = sim.chat_ollama("sim-die-5", true).await;
    assert!(die.text().await.is_err());
    let leaving = sim.http.post(sim.url.clone() + "/api/chat");
    let leaving = leaving.json(&json!({"model": "sim-stall", "messages": []}));
    let gone = rt::time::timeout(Duration::from_millis(200), leaving.send()).await;
    assert!(gone.is_err(), "no header before the first line");
    sim.until(|stats| stats.active == 0 && stats.cancelled == 1).await;
}

#[actix_web::test]
async fn a_limit_on_tokens_ends_with_length() {
    let sim = Sim::start(Kind::Vllm, |_| {});
    let body = json!({"model": "sim", "max_tokens": 4,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]});
    let url = sim.url.clone() + "/v1/chat/completions";
    let whole: Value = sim.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(whole["choices"][0]["finish_reason"], "length");
    assert_eq!(whole["usage"]["completion_tokens"], 4);
}
