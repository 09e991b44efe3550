//! One shopper: opens a session, sends one question, reads until the answer is whole or the
//! patience ends.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Response, header};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::profile::{Arrival, Phase};
use crate::{
    replay::{Api, Visitor},
    sse::{SseEvent, SseReader},
};

/// A shopper leaves after this time without a word of an answer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// An answer that has begun is read to its end, but at most for this long.
const WHOLE_ANSWER: Duration = Duration::from_secs(90);

/// How a visit ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// `answer.completed` by this route, without a ticket.
    Answered(String),
    Ticket,
    /// 429, 503, or `turn.failed` because of missing capacity.
    Refused {
        status: u16,
        code: String,
        has_retry_after: bool,
    },
    /// `turn.failed` for another reason.
    Failed(String),
    /// The shopper left after [`PATIENCE`].
    Left,
    /// The connection broke, or an answer that had begun did not end.
    Broken(String),
}

/// The observations of a shopper.
#[derive(Clone, Debug)]
pub struct Visit {
    pub phase: Phase,
    /// When the shopper was due, from the start of the day.
    pub at: Duration,
    /// How much later the generator sent the first request.
    pub late: Duration,
    pub token: String,
    pub session: Option<String>,
    /// Set once the server acknowledged that the message is durable.
    pub turn: Option<String>,
    pub level: Option<u64>,
    /// The first promised wait, and when it was seen, from the question.
    pub promise: Option<Promise>,
    /// From the question to the first word of the answer.
    pub first_token: Option<Duration>,
    /// From the question to a refusal.
    pub decided: Duration,
    /// From the time when the shopper was due.
    pub ended: Duration,
    pub ticket: Option<String>,
    pub end: End,
}

#[derive(Clone, Copy, Debug)]
pub struct Promise {
    pub seen: Duration,
    pub wait: Duration,
}

impl Visit {
    /// A useful end in time: an answer, or a ticket.
    pub fn is_useful(&self) -> bool {
        matches!(self.end, End::Answered(_) | End::Ticket) && self.ended <= PATIENCE
    }

    pub fn is_answered_in_time(&self) -> bool {
        matches!(self.end, End::Answered(_)) && self.ended <= PATIENCE
    }

    pub fn route(&self) -> Option<&str> {
        match &self.end {
            End::Answered(route) => Some(route),
            End::Ticket | End::Refused { .. } | End::Failed(_) | End::Left | End::Broken(_) => None,
        }
    }
}

/// One visit from its arrival to its end. `due` is the time of the arrival.
pub async fn visit(
    api: &Api,
    visitor: &Visitor,
    session: Option<String>,
    arrival: Arrival,
    due: Instant,
) -> Visit {
    let mut visit = Visit {
        phase: arrival.phase,
        at: arrival.at,
        late: due.elapsed(),
        token: visitor.access_token.clone(),
        session,
        turn: None,
        level: None,
        promise: None,
        first_token: None,
        decided: Duration::ZERO,
        ended: Duration::ZERO,
        ticket: None,
        end: End::Left,
    };
    visit.end = ask(api, &mut visit, &arrival.question, due).await;
    visit.ended = due.elapsed();
    visit
}

async fn ask(api: &Api, visit: &mut Visit, question: &str, due: Instant) -> End {
    let sent = Instant::now();
    if visit.session.is_none() {
        let session = async {
            let request = api.http.post(api.url("/v1/sessions")).bearer_auth(&visit.token);
            let response = request.json(&json!({})).send().await.map_err(|_| broken())?;
            if !response.status().is_success() {
                return Err(refusal(response).await);
            }
            let body: Value = response.json().await.map_err(|_| broken())?;
            Ok(body["id"].as_str().map(str::to_owned))
        };
        match timeout_at(due + PATIENCE, session).await {
            Ok(Ok(session)) => visit.session = session,
            Ok(Err(end)) => {
                visit.decided = sent.elapsed();
                return end;
            }
            Err(_) => return End::Left,
        }
    }
    let session = visit.session.clone().unwrap_or_default();
    let sent = Instant::now();
    let request = api
        .http
        .post(api.url(&format!("/v1/sessions/{session}/messages")))
        .bearer_auth(&visit.token)
        .header("accept", "text/event-stream")
        .header("idempotency-key", Uuid::new_v4().to_string())
        .json(&json!({"text": question}));
    let response = match timeout_at(due + PATIENCE, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => return broken(),
        Err(_) => return End::Left,
    };
    visit.decided = sent.elapsed();
    if !response.status().is_success() {
        return refusal(response).await;
    }
    read(response, visit, sent, due).await
}

fn broken() -> End {
    End::Broken("connection".into())
}

async fn read(response: Response, visit: &mut Visit, sent: Instant, due: Instant) -> End {
    let (mut body, mut reader) = (response.bytes_stream(), SseReader::default());
    let mut deadline = due + PATIENCE;
    loop {
        let bytes = match timeout_at(deadline, body.next()).await {
            Ok(Some(Ok(bytes))) => bytes,
            Ok(Some(Err(_))) => return broken(),
            Ok(None) => return End::Broken("no_end".into()),
            Err(_) if visit.first_token.is_none() => return End::Left,
            Err(_) => return End::Broken("never_ended".into()),
        };
        if reader.push(&bytes).is_err() {
            return End::Broken("frame_too_long".into());
        }
        while let Some(event) = reader.next_event() {
            if let Some(end) = see(visit, &event, sent.elapsed()) {
                // The rest is the end of the body; the connection can then be used again.
                let _ = timeout(Duration::from_secs(1), body.next()).await;
                return end;
            }
        }
        if visit.first_token.is_some() {
            deadline = due + WHOLE_ANSWER;
        }
    }
}

/// Records one event. Returns the end if it is a terminal one. Deltas are not parsed.
fn see(visit: &mut Visit, event: &SseEvent, now: Duration) -> Option<End> {
    let json = || serde_json::from_str::<Value>(&event.data).unwrap_or_default();
    match event.name.as_str() {
        "answer.delta" => {
            visit.first_token.get_or_insert(now);
            None
        }
        "message.created" => {
            visit.turn = json()["turn_id"].as_str().map(str::to_owned);
            None
        }
        "turn.queued" if visit.promise.is_none() => {
            let wait = Duration::from_millis(json()["eta_ms"].as_u64().unwrap_or(0));
            visit.promise = Some(Promise { seen: now, wait });
            None
        }
        "turn.started" => {
            visit.level = json()["service_level"].as_u64();
            None
        }
        "answer.completed" => {
            let event = json();
            visit.first_token.get_or_insert(now);
            visit.level = event["service_level"].as_u64().or(visit.level);
            visit.ticket = event["ticket"]["id"].as_str().map(str::to_owned);
            Some(match visit.ticket {
                Some(_) => End::Ticket,
                None => End::Answered(event["route"].as_str().unwrap_or("unnamed").to_owned()),
            })
        }
        "turn.failed" => {
            visit.decided = now;
            let event = json();
            let problem = &event["problem"];
            let code = problem["code"].as_str().unwrap_or("unnamed").to_owned();
            Some(match code.as_str() {
                "overloaded" | "rate_limited" => End::Refused {
                    status: 200,
                    has_retry_after: problem["retry_after_ms"].as_u64().is_some(),
                    code,
                },
                _ => End::Failed(code),
            })
        }
        "turn.cancelled" => Some(End::Failed("cancelled".into())),
        _ => None,
    }
}

async fn refusal(response: Response) -> End {
    let status = response.status().as_u16();
    let has_retry_after = response.headers().contains_key(header::RETRY_AFTER);
    let body: Value = response.json().await.unwrap_or_default();
    let code = body["code"].as_str().map_or_else(|| format!("http_{status}"), str::to_owned);
    match status {
        429 | 503 => End::Refused { status, code, has_retry_after },
        _ => End::Failed(code),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn arrived(phase: Phase, at_s: f64) -> Visit {
        Visit {
            phase,
            at: Duration::from_secs_f64(at_s),
            late: Duration::ZERO,
            token: String::new(),
            session: Some("s".into()),
            turn: Some("t".into()),
            level: None,
            promise: None,
            first_token: None,
            decided: Duration::ZERO,
            ended: Duration::ZERO,
            ticket: None,
            end: End::Left,
        }
    }

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent { name: name.into(), id: None, data: data.into() }
    }

    #[test]
    fn a_visit_remembers_its_first_promise_its_first_word_and_its_route() {
        let mut visit = arrived(Phase::Burst, 1.0);
        let s = Duration::from_secs;
        for (at, name, data) in [
            (1, "turn.queued", r#"{"position":3,"eta_ms":2000}"#),
            (2, "turn.queued", r#"{"position":1,"eta_ms":500}"#),
            (3, "turn.started", r#"{"route":"model","service_level":1}"#),
            (4, "answer.delta", "{}"),
            (5, "answer.delta", "{}"),
        ] {
            assert_eq!(see(&mut visit, &event(name, data), s(at)), None);
        }
        let end = see(&mut visit, &event("answer.completed", r#"{"route":"model"}"#), s(6));
        assert_eq!(end, Some(End::Answered("model".into())));
        let promise = visit.promise.unwrap();
        assert_eq!((promise.seen, promise.wait), (s(1), s(2)));
        assert_eq!((visit.first_token, visit.level), (Some(s(4)), Some(1)));
    }

    #[test]
    fn a_ticket_is_no_answer_and_a_refusal_no_failure() {
        let mut visit = arrived(Phase::Burst, 1.0);
        let data = r#"{"route":"template","ticket":{"id":"k"}}"#;
        let end = see(&mut visit, &event("answer.completed", data), Duration::ZERO);
        assert_eq!((end, visit.ticket.as_deref()), (Some(End::Ticket), Some("k")));
        let data = r#"{"problem":{"code":"overloaded","retry_after_ms":1200}}"#;
        let end = see(&mut visit, &event("turn.failed", data), Duration::ZERO);
        let refused =
            End::Refused { status: 200, code: "overloaded".into(), has_retry_after: true };
        assert_eq!(end, Some(refused));
        let end =
            see(&mut visit, &event("turn.failed", r#"{"problem":{"code":"x"}}"#), Duration::ZERO);
        assert_eq!(end, Some(End::Failed("x".into())));
    }
}
