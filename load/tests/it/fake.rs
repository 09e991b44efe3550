//! A tiny Rushdesk in memory that keeps its promises or breaks exactly one of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    rt,
    web::{self, Bytes, Data, Json, Path, Payload, Query},
};
use actix_ws::Message;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

/// The one promise that a fake breaks. Lies that happen "once" happen in the second turn of the
/// whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    None,
    DropsDelta,
    RepeatsDelta,
    ResumesTooLate,
    ResumesTooEarly,
    LosesMessage,
    DuplicatesMessage,
    IgnoresKeys,
    ChangesText,
    ForeignMessage,
    SecondTerminal,
    NeverEnds,
    SkipsSeq,
    SwapsAnswers,
    /// Every stream that is resumed begins with `stream.reset`.
    ResetsAlways,
    /// No lie: refuses every message once, with `Retry-After`.
    Busy,
    /// No lie: breaks every stream once, in the middle.
    Breaks,
    /// No lie: accepts a message and dies before it answers.
    DiesBeforeAnswer,
}

#[derive(Clone)]
struct Frame {
    name: &'static str,
    id: Option<String>,
    event: Value,
}

#[derive(Default)]
struct Session {
    frames: Vec<Frame>,
    history: Vec<Value>,
    seq: u64,
    /// By idempotency key: the start of its turn in `frames`.
    turns: HashMap<String, usize>,
}

struct State {
    lie: Lie,
    turns: AtomicU64,
    sessions: Mutex<BTreeMap<String, Session>>,
    struck: Mutex<HashMap<String, ()>>,
}

pub struct Fake {
    pub url: String,
    handle: ServerHandle,
}

impl Fake {
    pub fn start(lie: Lie) -> Self {
        let state = Data::new(State {
            lie,
            turns: AtomicU64::new(0),
            sessions: Mutex::default(),
            struck: Mutex::default(),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/v1/auth/visitor", web::post().to(visitor))
                .route("/v1/sessions", web::post().to(create))
                .route("/v1/sessions/{id}", web::get().to(snapshot))
                .route("/v1/sessions/{id}/messages", web::post().to(say))
                .route("/v1/sessions/{id}/messages", web::get().to(history))
                .route("/v1/sessions/{id}/events", web::get().to(events))
                .route("/v1/sessions/{id}/socket", web::get().to(socket))
        })
        .workers(1)
        .tcp_nodelay(true)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Self { url, handle }
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

impl State {
    fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.sessions.lock().unwrap()
    }

    /// Whether this is the first call with `what`.
    fn first(&self, what: &str) -> bool {
        self.struck.lock().unwrap().insert(what.to_owned(), ()).is_none()
    }

    /// Runs a whole turn at once; returns its start in the session's frames.
    fn turn(&self, id: &str, text: &str, key: &str) -> usize {
        let strikes = self.turns.fetch_add(1, Relaxed) == 1;
        let lie = if strikes || self.lie == Lie::IgnoresKeys { self.lie } else { Lie::None };
        let mut sessions = self.sessions();
        let session = sessions.get_mut(id).unwrap();
        if let Some(begin) = session.turns.get(key).filter(|_| lie != Lie::IgnoresKeys) {
            return *begin;
        }
        let begin = session.frames.len();
        session.turns.insert(key.to_owned(), begin);
        let turn_id = uuid::Uuid::new_v4().to_string();
        let base = json!({"v": 1, "session_id": id, "turn_id": turn_id, "epoch": 0, "at": "now"});
        let frame = |name: &'static str, frame_id: Option<String>, fields: Value| {
            let mut event = base.clone();
            event["type"] = json!(name);
            event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            Frame { name, id: frame_id, event }
        };
        let seq = session.seq + 1;
        let message_id = format!("m-{turn_id}");
        session.frames.push(frame(
            "message.created",
            Some(seq.to_string()),
            json!({"seq": seq, "message_id": message_id, "text": text}),
        ));
        session.frames.push(frame(
            "turn.started",
            None,
            json!({"seq": seq, "route": "model", "service_level": 0}),
        ));
        let pieces = ["You", " said", " ", text, "."];
        for (index, piece) in pieces.iter().enumerate() {
            let delta = frame(
                "answer.delta",
                Some(format!("{seq}.{index}")),
                json!({"seq": seq, "index": index, "text": piece}),
            );
            let times = match (lie, index) {
                (Lie::DropsDelta, 3) => 0,
                (Lie::RepeatsDelta, 3) => 2,
                _ => 1,
            };
            session.frames.extend(std::iter::repeat_n(delta, times));
        }
        let answer: String = pieces.concat();
        let answer_id = format!("a-{turn_id}");
        let end = if lie == Lie::SkipsSeq { seq + 2 } else { seq + 1 };
        session.seq = end;
        let ended = |seq: u64| {
            let text = if lie == Lie::SwapsAnswers { "of somebody else" } else { &answer };
            frame(
                "answer.completed",
                Some(seq.to_string()),
                json!({"seq": seq, "message_id": answer_id, "text": text, "route": "model"}),
            )
        };
        if lie != Lie::NeverEnds {
            session.frames.push(ended(end));
        }
        if lie == Lie::SecondTerminal {
            session.seq += 1;
            session.frames.push(ended(end + 1));
        }
        let message = |id: &str, seq: u64, role: &str, text: &str| {
            json!({"id": id, "seq": seq, "turn_id": turn_id, "role": role, "text": text,
                "status": "complete", "created_at": "now"})
        };
        if lie != Lie::LosesMessage {
            let text = if lie == Lie::ChangesText { "changed" } else { text };
            session.history.push(message(&message_id, seq, "user", text));
        }
        if lie == Lie::DuplicatesMessage {
            session.history.push(message("m-again", seq, "user", text));
        }
        if lie == Lie::ForeignMessage {
            session.history.push(message(
                "m-foreign",
                seq,
                "user",
                "the secret of another visitor",
            ));
        }
        if lie != Lie::NeverEnds {
            session.history.push(message(&answer_id, end, "assistant", &answer));
        }
        begin
    }

    /// The frames after `last_id`.
    fn after(&self, id: &str, last_id: &str) -> Vec<Frame> {
        let from = self.place(id, last_id);
        self.from(id, from)
    }

    fn from(&self, id: &str, place: usize) -> Vec<Frame> {
        let sessions = self.sessions();
        let frames = &sessions[id].frames;
        frames[place.min(frames.len())..].to_vec()
    }

    /// Of the first frame after `last_id`.
    fn place(&self, id: &str, last_id: &str) -> usize {
        let sessions = self.sessions();
        let frames = &sessions[id].frames;
        let place = frames.iter().position(|frame| frame.id.as_deref() == Some(last_id));
        let from = place.map_or(0, |place| place + 1);
        match self.lie {
            // The end is always told.
            Lie::ResumesTooLate if last_id.contains('.') => (from + 1).min(frames.len() - 1),
            Lie::ResumesTooEarly if last_id.contains('.') => from - 1,
            _ => from,
        }
    }
}

async fn visitor() -> Json<Value> {
    Json(json!({"access_token": "token", "refresh_token": "refresh", "token_type": "Bearer"}))
}

async fn create(state: Data<State>) -> HttpResponse {
    let id = uuid::Uuid::new_v4().to_string();
    state.sessions().insert(id.clone(), Session::default());
    HttpResponse::Created().json(json!({"id": id, "last_seq": 0}))
}

async fn snapshot(state: Data<State>, id: Path<String>) -> HttpResponse {
    match state.sessions().get(id.as_str()) {
        Some(session) => HttpResponse::Ok().json(json!({"id": *id, "last_seq": session.seq})),
        None => HttpResponse::NotFound().json(json!({"code": "not_found", "status": 404})),
    }
}

async fn history(
    state: Data<State>,
    id: Path<String>,
    query: Query<HashMap<String, u64>>,
) -> HttpResponse {
    let after = query.get("after_seq").copied().unwrap_or(0);
    let sessions = state.sessions();
    let Some(session) = sessions.get(id.as_str()) else {
        return HttpResponse::NotFound().json(json!({"code": "not_found", "status": 404}));
    };
    let is_after = |message: &&Value| message["seq"].as_u64() > Some(after);
    let items: Vec<_> = session.history.iter().filter(is_after).collect();
    HttpResponse::Ok().json(json!({"items": items}))
}

async fn say(
    state: Data<State>,
    id: Path<String>,
    request: HttpRequest,
    body: Json<Value>,
) -> HttpResponse {
    let key = request.headers().get("idempotency-key").unwrap().to_str().unwrap();
    let text = body["text"].as_str().unwrap();
    if state.lie == Lie::Busy && state.first(key) {
        return HttpResponse::ServiceUnavailable()
            .insert_header(("retry-after", "1"))
            .content_type("application/problem+json")
            .body(r#"{"code":"overloaded","status":503,"retry_after_ms":30}"#);
    }
    let begin = state.turn(&id, text, key);
    if state.lie == Lie::DiesBeforeAnswer && state.first(key) {
        let body = stream::iter([Err::<Bytes, _>(std::io::Error::other("died"))]);
        return HttpResponse::Ok().content_type("text/event-stream").streaming(body);
    }
    let mut frames = state.sessions()[id.as_str()].frames[begin..].to_vec();
    if let Some(end) = frames.iter().position(|frame| frame.name == "answer.completed")
        && state.lie != Lie::SecondTerminal
    {
        frames.truncate(end + 1);
    }
    let breaks = state.lie == Lie::Breaks && state.first(key);
    let keep = if breaks { frames.len() / 2 } else { frames.len() };
    let body = stream::iter(frames.into_iter().take(keep).map(Ok))
        .chain(stream::iter(breaks.then(|| Err(std::io::Error::other("broken on purpose")))));
    HttpResponse::Ok().content_type("text/event-stream; charset=utf-8").streaming(paced(body))
}

async fn events(
    state: Data<State>,
    id: Path<String>,
    request: HttpRequest,
    query: Query<HashMap<String, String>>,
) -> HttpResponse {
    let header = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    let after = header.or(query.get("after").map(String::as_str)).unwrap_or("0").to_owned();
    let reset = (state.lie == Lie::ResetsAlways && after != "0").then(|| {
        let seq: u64 = after.split('.').next().and_then(|seq| seq.parse().ok()).unwrap_or(0);
        let event = json!({"type": "stream.reset", "v": 1, "session_id": *id, "seq": seq});
        Ok(Frame { name: "stream.reset", id: Some(seq.to_string()), event })
    });
    let place = state.place(&id, if reset.is_some() { &after[..1] } else { &after });
    let frames = stream::unfold(place, move |place| {
        let (state, id) = (state.clone(), id.clone());
        async move {
            loop {
                if let Some(frame) = state.from(&id, place).into_iter().next() {
                    return Some((Ok(frame), place + 1));
                }
                rt::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    let body = paced(stream::iter(reset).chain(frames));
    HttpResponse::Ok().content_type("text/event-stream").streaming(body)
}

/// One frame per millisecond, so that a cut happens in the middle of a stream.
fn paced(
    frames: impl futures_util::Stream<Item = std::io::Result<Frame>>,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    frames.then(|frame| async {
        rt::time::sleep(Duration::from_millis(1)).await;
        let Frame { name, id, event } = frame?;
        let id = id.map_or(String::new(), |id| format!("id: {id}\n"));
        Ok(Bytes::from(format!("event: {name}\n{id}data: {event}\n\n")))
    })
}

async fn socket(
    state: Data<State>,
    id: Path<String>,
    request: HttpRequest,
    body: Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, mut socket, mut messages) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        let mut sent = usize::MAX;
        while let Some(Ok(Message::Text(text))) = messages.next().await {
            let message: Value = serde_json::from_str(&text).unwrap();
            let mut frames = Vec::new();
            if message["type"] == "auth" {
                frames = state.after(&id, message["after"].as_str().unwrap_or("0"));
            } else {
                let key = message["idempotency_key"].as_str().unwrap();
                if state.lie == Lie::Busy && state.first(key) {
                    let refusal =
                        json!({"type": "error", "code": "overloaded", "retry_after_ms": 30});
                    let _ = socket.text(refusal.to_string()).await;
                    continue;
                }
                let begin = state.turn(&id, message["text"].as_str().unwrap(), key);
                if state.lie == Lie::DiesBeforeAnswer && state.first(key) {
                    break;
                }
                if begin >= sent {
                    frames = state.sessions()[id.as_str()].frames[begin..].to_vec();
                }
            }
            sent = state.sessions()[id.as_str()].frames.len();
            let breaks = state.lie == Lie::Breaks
                && !frames.is_empty()
                && state.first(message["idempotency_key"].as_str().unwrap_or("auth"));
            let keep = if breaks { frames.len() / 2 } else { frames.len() };
            for Frame { id, mut event, .. } in frames.into_iter().take(keep) {
                rt::time::sleep(Duration::from_millis(1)).await;
                event["event_id"] = json!(id);
                if socket.text(event.to_string()).await.is_err() {
                    return;
                }
            }
            if breaks {
                break;
            }
        }
        let _ = socket.close(None).await;
    });
    Ok(response)
}
