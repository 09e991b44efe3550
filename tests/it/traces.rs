//! One trace from the request to the backend, and a commit that links to it, in a collector of the test's own.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use actix_web::{HttpResponse, dev::ServerHandle, rt::test, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use prost::Message as _;
use serde_json::Value;

use super::{
    crash::{Server, client},
    distributed::Stores,
    fake_model::{FakeModel, WORDS},
    harness::*,
    servers::{free_port, served},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const QUESTION: &str = "When do the boots of Zebulon Quill ship?";

/// Takes spans as a collector does.
struct Collector {
    url: String,
    bodies: Arc<Mutex<Vec<web::Bytes>>>,
    handle: ServerHandle,
}

impl Collector {
    async fn start() -> Self {
        let bodies: Arc<Mutex<Vec<web::Bytes>>> = Arc::default();
        let kept = Arc::clone(&bodies);
        let (url, handle) = served(move |config| {
            let kept = Arc::clone(&kept);
            let take = move |body: web::Bytes| {
                kept.lock().unwrap().push(body);
                async { HttpResponse::Ok().content_type("application/x-protobuf").finish() }
            };
            config.route("/v1/traces", web::post().to(take));
        });
        Self { url, bodies, handle }
    }

    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        let requests =
            bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        requests
            .flat_map(|request| request.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }
}

fn is_of_the_trace(id: &[u8]) -> bool {
    hex::encode(id) == TRACE
}

/// Asks one question as part of a caller's trace.
async fn ask(url: &str) -> Value {
    let shopper = Shopper::visitor(&client(), url, "pk_demo").await;
    let session = shopper.session().await;
    let message = shopper.message(&session, "only", QUESTION);
    ok(message.header("traceparent", format!("00-{TRACE}-{PARENT}-01"))).await
}

async fn is_traced(mut settings: Vec<(&'static str, String)>, steps: &[&str]) {
    let (fake, collector) = (FakeModel::start().await, Collector::start().await);
    settings.push(backend("ok", &fake.url));
    settings.push(("guard.grounding", "off".to_owned()));
    settings.push(("telemetry.otlp_endpoint", collector.url.clone()));
    let server = Server::start(&settings, free_port()).await;
    let turn = ask(&server.url).await;
    assert_eq!(turn["answer"]["text"], WORDS.concat(), "{turn}");
    let expected: BTreeSet<&str> = steps.iter().copied().collect();
    let committed = |span: &Span| {
        span.name == "commit" && span.links.iter().any(|link| is_of_the_trace(&link.trace_id))
    };
    settle("the trace is whole", async || {
        let spans = collector.spans();
        let ours = spans.iter().filter(|span| is_of_the_trace(&span.trace_id));
        let names: BTreeSet<&str> = ours.map(|span| span.name.as_str()).collect();
        names.is_superset(&expected) && spans.iter().any(committed)
    })
    .await;
    let spans = collector.spans();
    let ours: Vec<&Span> = spans.iter().filter(|span| is_of_the_trace(&span.trace_id)).collect();
    let named = |name: &str| *ours.iter().find(|span| span.name == name).unwrap();
    // The caller's span is the parent of the request, the request that of the turn, the turn that of its steps.
    assert_eq!(hex::encode(&named("request").parent_span_id), PARENT);
    assert_eq!(named("turn").parent_span_id, named("request").span_id);
    for step in expected.iter().filter(|step| !["request", "turn"].contains(step)) {
        assert_eq!(named(step).parent_span_id, named("turn").span_id, "{step}");
    }
    let link = spans.iter().filter(|span| committed(span)).flat_map(|span| &span.links);
    assert!(link.map(|link| &link.span_id).any(|id| *id == named("turn").span_id));
    // The backend was asked as a part of the same trace.
    let sent = fake.seen.traceparents.lock().unwrap().clone();
    let generate = hex::encode(&named("generate").span_id);
    assert_eq!(sent, [format!("00-{TRACE}-{generate}-01")]);
    // Names, numbers and ids; no word of the question or the answer.
    let all = format!("{spans:?}").to_lowercase();
    for word in QUESTION.split_whitespace().chain(WORDS).map(str::trim).filter(|w| w.len() > 4) {
        assert!(!all.contains(&word.to_lowercase()), "a span holds `{word}`");
    }
    drop(server);
    collector.handle.stop(false).await;
    fake.stop().await;
}

fn embedded(data: &tempfile::TempDir) -> Vec<(&'static str, String)> {
    vec![
        ("server.data_dir", data.path().join("data").display().to_string()),
        ("inference.discover_ollama", "false".to_owned()),
        ("embedding.model_dir", "no-model".to_owned()),
    ]
}

#[test]
async fn a_turn_on_sqlite_is_one_trace_with_its_commit() {
    let data = tempfile::tempdir().unwrap();
    is_traced(embedded(&data), &["request", "turn", "queue", "generate"]).await;
}

#[test]
async fn a_turn_on_redis_and_mariadb_is_one_trace_with_its_commit() {
    let Some(stores) = Stores::new().await else { return };
    let Some(embedder) = embedder() else { return };
    is_traced(stores.with(&embedder), &["request", "turn", "embed", "queue", "generate"]).await;
}

#[test]
async fn a_collector_that_never_answers_costs_nobody_an_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let fake = FakeModel::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut settings = embedded(&data);
    settings.push(backend("ok", &fake.url));
    settings.push(("guard.grounding", "off".to_owned()));
    let silent = format!("http://{}", listener.local_addr().unwrap());
    settings.push(("telemetry.otlp_endpoint", silent));
    let server = Server::start(&settings, free_port()).await;
    for _ in 0..3 {
        let turn = ask(&server.url).await;
        assert_eq!(turn["answer"]["text"], WORDS.concat(), "{turn}");
    }
    fake.stop().await;
}

#[test]
async fn without_a_collector_nothing_is_traced_and_nothing_is_told_to_the_backend() {
    let fake = FakeModel::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut settings = embedded(&data);
    settings.push(backend("ok", &fake.url));
    settings.push(("guard.grounding", "off".to_owned()));
    let server = Server::start(&settings, free_port()).await;
    ask(&server.url).await;
    assert_eq!(*fake.seen.traceparents.lock().unwrap(), [String::new()]);
    let metrics = client().get(format!("{}/metrics", server.url)).send().await.unwrap();
    assert!(!metrics.text().await.unwrap().contains("rushdesk_trace_spans_total"));
    fake.stop().await;
}
