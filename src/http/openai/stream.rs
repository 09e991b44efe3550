//! A turn without a session, and its answer as chunks of OpenAI's format.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use actix_web::web;
use actix_web_lab::sse::{Data, Event as SseEvent};
use futures_util::{FutureExt, Stream, future::LocalBoxFuture, stream};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, trace_span};

use super::format::{MODEL, facts};
use crate::{
    clock,
    domain::{Answer, ErrorCode, Fact, Problem, SessionId, TurnId},
    http::state::App,
    log::{TextReader, TextStep, TurnLog, Writer, frame::Place},
    turn::{
        ask::Ask,
        attend::{Bounds, attend},
        ports::TurnInput,
        reply::Reply,
    },
};

/// Driven by its reader. Dropping it cancels the turn and ends its log, which also ends it for
/// followers in other sessions.
pub struct Completion {
    log: Arc<TurnLog>,
    run: LocalBoxFuture<'static, Fact>,
    id: String,
    created: i64,
    _permit: OwnedSemaphorePermit,
}

impl Completion {
    pub fn begin(app: &web::Data<App>, input: TurnInput, permit: OwnedSemaphorePermit) -> Self {
        let (session_id, turn_id) = (SessionId::new(), TurnId::new());
        let place = Place { session_id, turn_id, epoch: 0, base_seq: 1 };
        let ports = Arc::clone(&app.ports);
        let ask = Ask::new(&ports, input);
        let mut reply = Reply::new(Writer::new(place, app.config.turn.max_answer_bytes), &ask);
        let log = Arc::clone(reply.log());
        let bounds = Bounds {
            timeout: app.config.turn.timeout,
            cancel: CancellationToken::new(),
            supersede: CancellationToken::new(),
            stopping: app.draining.clone(),
            resume_grace: None,
        };
        let run = async move {
            let fact = attend(&ports, &ask, &mut reply, &bounds).await.end;
            reply.end(fact.clone());
            fact
        };
        Self {
            log,
            run: run.instrument(trace_span!("turn", %turn_id)).boxed_local(),
            id: format!("chatcmpl-{turn_id}"),
            created: clock::now().as_millis() / 1_000,
            _permit: permit,
        }
    }

    /// The whole answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn finish(self) -> Result<Answer, Box<Problem>> {
        outcome(self.run.await)
    }

    /// The answer as chunks, and `[DONE]`.
    pub fn chunks(self, include_usage: bool) -> impl Stream<Item = Result<SseEvent, Infallible>> {
        let role = Delta { role: Some("assistant"), content: Some("") };
        let state = Chunks {
            pending: VecDeque::from([self.piece(role)]),
            reader: TextReader::of(&self.log),
            turn: self,
            ended: None,
            has_sent: false,
            include_usage,
            done: false,
        };
        stream::unfold(state, |mut state| async move {
            let data = state.next().await?;
            Some((Ok(Data::new(data).into()), state))
        })
    }

    fn piece(&self, delta: Delta<'_>) -> String {
        self.json(&[Choice::new(delta, None)], None, None)
    }

    fn json(
        &self,
        choices: &[Choice<'_>],
        usage: Option<Value>,
        rushdesk: Option<Value>,
    ) -> String {
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: MODEL,
            choices,
            usage,
            rushdesk,
        };
        // Keys are strings and numbers are finite, so this cannot fail.
        serde_json::to_string(&chunk).unwrap_or_default()
    }
}

/// One is made for each piece of an answer, so it is serialised without an intermediate value.
#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'static str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rushdesk: Option<Value>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

impl<'a> Choice<'a> {
    fn new(delta: Delta<'a>, finish_reason: Option<&'static str>) -> Self {
        Self { index: 0, delta, logprobs: None, finish_reason }
    }
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

struct Chunks {
    turn: Completion,
    reader: TextReader,
    pending: VecDeque<String>,
    ended: Option<Fact>,
    /// Part of the answer was already sent to the client.
    has_sent: bool,
    include_usage: bool,
    done: bool,
}

impl Chunks {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(chunk) = self.pending.pop_front() {
                return Some(chunk);
            }
            if self.done {
                return None;
            }
            let step = if self.ended.is_some() {
                self.reader.next().await
            } else {
                tokio::select! {
                    biased;
                    step = self.reader.next() => step,
                    ended = &mut self.turn.run => {
                        self.ended = Some(ended);
                        continue;
                    }
                }
            };
            match step {
                // The format cannot withdraw text that was sent. A failed stream is more honest
                // than sending the text twice.
                TextStep::Replaced(_) if self.has_sent => {
                    self.done = true;
                    self.fail(&Problem::new(ErrorCode::DependencyUnavailable));
                }
                TextStep::Added(text) | TextStep::Replaced(text) => {
                    self.has_sent |= !text.is_empty();
                    let delta = Delta { role: None, content: Some(&text) };
                    self.pending.push_back(self.turn.piece(delta));
                }
                TextStep::Ended(_) => self.end(),
            }
        }
    }

    fn end(&mut self) {
        self.done = true;
        match self.ended.take().map(outcome) {
            Some(Ok(answer)) => {
                let (finish, usage, extra) = facts(&answer);
                let last = Choice::new(Delta::default(), Some(finish));
                self.pending.push_back(self.turn.json(&[last], None, Some(extra)));
                if self.include_usage {
                    self.pending.push_back(self.turn.json(&[], Some(usage), None));
                }
                self.pending.push_back("[DONE]".to_owned());
            }
            Some(Err(problem)) => self.fail(&problem),
            None => {}
        }
    }

    /// Clients of this format treat a stream with an error and without `[DONE]` as failed.
    fn fail(&mut self, problem: &Problem) {
        let error = json!({
            "message": problem.detail,
            "type": problem.code.as_str(),
            "code": problem.status,
            "param": null,
        });
        self.pending.push_back(json!({ "error": error }).to_string());
    }
}

/// The answer, or why there is none.
fn outcome(fact: Fact) -> Result<Answer, Box<Problem>> {
    match fact {
        Fact::AnswerCompleted(answer) => Ok(answer),
        Fact::TurnFailed { problem, .. } => Err(Box::new(problem)),
        Fact::MessageCreated { .. }
        | Fact::TurnCancelled { .. }
        | Fact::ActionProposed(_)
        | Fact::ActionResult(_)
        | Fact::People(_)
        | Fact::Unknown(_) => Err(Box::new(Problem::new(ErrorCode::Interrupted))),
    }
}
