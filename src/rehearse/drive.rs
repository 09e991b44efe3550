//! Plays a plan: sends each message when it is due, whether or not earlier ones are answered.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use anyhow::ensure;
use futures_util::StreamExt as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout, timeout_at},
};
use uuid::Uuid;

use super::{curve::Plan, questions::Questions};
use crate::{auth::proof, domain::Challenge, inference::stream::SseParser};

/// A shopper without a whole answer after this time counts as not served.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// An admitted turn must end within this time.
const LONGEST_TURN: Duration = Duration::from_secs(90);
const REQUEST: Duration = Duration::from_secs(10);
/// Most open turns of this generator. A service that lets more pile up has failed anyway.
const MAX_OPEN: usize = 10_000;
/// How many shoppers may come back.
const MAX_IDLE: usize = 10_000;

/// The results of all messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Messages in the plan.
    pub planned: u64,
    /// How many of those were never sent, because too many were open.
    pub not_sent: u64,
    /// Answered with 2xx: the service accepted the message.
    pub admitted: u64,
    /// How many of those had exactly one end on their stream.
    pub ended: u64,
    /// A useful end (answer or ticket) within [`PATIENCE`].
    pub useful: u64,
    /// 429 or 503, or a turn that failed because of missing capacity.
    pub refused: u64,
    /// Reads of a history, and how many of them got 429 or 503.
    pub reads: u64,
    pub refused_reads: u64,
    /// Refusals of either kind without a time to come back.
    pub silent: u64,
    /// All other errors, by a bounded name.
    pub errors: BTreeMap<String, u64>,
    /// From the question to the first word, in milliseconds.
    pub first_token_ms: Vec<u32>,
    /// From the time when a message was due to its sending, in milliseconds.
    pub late_ms: Vec<u32>,
}

/// A shopper with a session.
struct Shopper {
    token: String,
    session: String,
    /// When the token ends.
    expires: Instant,
}

struct Play {
    http: Client,
    target: String,
    site_key: String,
    seen: RefCell<Seen>,
    /// The shopper who has waited longest is first.
    idle: RefCell<VecDeque<Shopper>>,
}

/// Sends the plan and waits for the end of its last turn.
///
/// # Errors
/// If the target does not respond.
pub async fn drive(
    http: &Client,
    target: &str,
    site_key: &str,
    plan: &Plan,
    questions: &Questions,
) -> anyhow::Result<Seen> {
    let ready = http.get(format!("{target}/readyz")).timeout(REQUEST).send().await;
    ensure!(
        ready.is_ok_and(|answer| answer.status().is_success()),
        "{target}/readyz does not answer with success: is the service running?"
    );
    let play = Rc::new(Play {
        http: http.clone(),
        target: target.to_owned(),
        site_key: site_key.to_owned(),
        seen: RefCell::default(),
        idle: RefCell::default(),
    });
    let mut random = StdRng::seed_from_u64(plan.seed);
    let (mut open, begun) = (JoinSet::new(), Instant::now());
    for (number, at) in plan.messages.iter().enumerate() {
        let due = begun + *at;
        sleep_until(due).await;
        while open.try_join_next().is_some() {}
        play.seen.borrow_mut().planned += 1;
        if open.len() >= MAX_OPEN {
            play.seen.borrow_mut().not_sent += 1;
            continue;
        }
        let is_new = random.random_bool(plan.new_sessions);
        let reads = plan.reads.floor() + f64::from(random.random_bool(plan.reads.fract()));
        let question = questions.pick(number, &mut random);
        let play = play.clone();
        open.spawn_local(async move { play.message(is_new, &question, reads as u32, due).await });
    }
    while open.join_next().await.is_some() {}
    Ok(play.seen.take())
}

impl Play {
    async fn message(&self, is_new: bool, question: &str, reads: u32, due: Instant) {
        self.seen.borrow_mut().late_ms.push(millis(due.elapsed()));
        let longest = LONGEST_TURN + REQUEST * reads;
        let shopper = match (!is_new).then(|| self.returning(longest)).flatten() {
            Some(shopper) => shopper,
            None => match timeout(REQUEST, self.arrive()).await {
                Ok(Ok(shopper)) => shopper,
                Ok(Err(failed)) => return self.count(failed),
                Err(_) => return self.count(Failed::Error("no session in time".into())),
            },
        };
        let request = self
            .post(&format!("/v1/sessions/{}/messages", shopper.session), &shopper.token)
            .header("accept", "text/event-stream")
            .header("idempotency-key", Uuid::now_v7().to_string())
            .json(&json!({"text": question}));
        let sent = Instant::now();
        let response = match timeout_at(sent + LONGEST_TURN, taken(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(failed)) => {
                if matches!(failed, Failed::Refused(_)) {
                    self.leave(shopper);
                }
                return self.count(failed);
            }
            Err(_) => return self.count(Failed::Error("no response in time".into())),
        };
        self.seen.borrow_mut().admitted += 1;
        let end = self.listen(response, sent).await;
        let is_in_time = due.elapsed() <= PATIENCE;
        {
            let mut seen = self.seen.borrow_mut();
            seen.ended += u64::from(!matches!(end, End::Missing(_)));
            seen.useful += u64::from(is_in_time && matches!(end, End::Useful));
        }
        match end {
            End::Useful => {}
            End::Refused(has_retry_after) => self.count(Failed::Refused(has_retry_after)),
            End::Failed(code) | End::Missing(code) => self.count(Failed::Error(code)),
        }
        for _ in 0..reads {
            let url = format!("{}/v1/sessions/{}/messages", self.target, shopper.session);
            let request = self.http.get(url).bearer_auth(&shopper.token).timeout(REQUEST);
            let read = taken(request).await;
            self.seen.borrow_mut().reads += 1;
            match read {
                Ok(_) => {}
                Err(Failed::Refused(has_retry_after)) => {
                    let mut seen = self.seen.borrow_mut();
                    seen.refused_reads += 1;
                    seen.silent += u64::from(!has_retry_after);
                }
                Err(failed) => self.count(failed),
            }
        }
        self.leave(shopper);
    }

    /// A returning shopper whose token is valid for `longest`. Others are dropped.
    fn returning(&self, longest: Duration) -> Option<Shopper> {
        let until = Instant::now() + longest;
        let mut idle = self.idle.borrow_mut();
        std::iter::from_fn(|| idle.pop_front()).find(|shopper| shopper.expires > until)
    }

    fn leave(&self, shopper: Shopper) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < MAX_IDLE {
            idle.push_back(shopper);
        }
    }

    fn post(&self, path: &str, token: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.target)).bearer_auth(token)
    }

    /// A new visitor with a session.
    async fn arrive(&self) -> Result<Shopper, Failed> {
        #[derive(Deserialize)]
        struct Tokens {
            access_token: String,
            /// In seconds.
            expires_in: u32,
        }
        #[derive(Deserialize)]
        struct Session {
            id: String,
        }
        let arrived = Instant::now();
        let tokens: Tokens = json_of(self.visitor().await?).await?;
        let request = self.post("/v1/sessions", &tokens.access_token).json(&json!({}));
        let session: Session = json_of(taken(request).await?).await?;
        let expires = arrived + Duration::from_secs(tokens.expires_in.into());
        Ok(Shopper { token: tokens.access_token, session: session.id, expires })
    }

    /// A flooded site wants a proof of work of each new visitor, as it does of real ones.
    async fn visitor(&self) -> Result<Response, Failed> {
        #[derive(Deserialize)]
        struct Problem {
            challenge: Option<Challenge>,
        }
        let url = format!("{}/v1/auth/visitor", self.target);
        let ask = |body| self.http.post(&url).json(&body);
        let request = ask(json!({"site_key": self.site_key}));
        let response = request.send().await.map_err(|_| Failed::Error("connection".into()))?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            return accepted(response);
        }
        let has_retry_after = response.headers().contains_key("retry-after");
        let problem: Result<Problem, _> = response.json().await;
        let Ok(Problem { challenge: Some(Challenge { token, bits, .. }) }) = problem else {
            return Err(Failed::Refused(has_retry_after));
        };
        let challenge = token.clone();
        let nonce = tokio::task::spawn_blocking(move || proof::solve(&challenge, bits)).await;
        let nonce = nonce.map_err(|_| Failed::Error("no proof of work".into()))?;
        let proof = json!({"challenge": token, "nonce": nonce});
        taken(ask(json!({"site_key": self.site_key, "proof": proof}))).await
    }

    /// Reads a turn to its end.
    async fn listen(&self, response: Response, sent: Instant) -> End {
        #[derive(Deserialize)]
        struct Event {
            #[serde(rename = "type")]
            name: String,
            #[serde(default)]
            problem: Problem,
        }
        #[derive(Default, Deserialize)]
        struct Problem {
            #[serde(default)]
            code: String,
            retry_after_ms: Option<u64>,
        }
        let (mut body, mut parser, mut events) =
            (response.bytes_stream(), SseParser::default(), Vec::new());
        let mut has_word = false;
        loop {
            let bytes = match timeout_at(sent + LONGEST_TURN, body.next()).await {
                Ok(Some(Ok(bytes))) => bytes,
                Ok(Some(Err(_))) => return End::Missing("connection".into()),
                Ok(None) => return End::Missing("stream without an end".into()),
                Err(_) => return End::Missing("no end in time".into()),
            };
            if parser.push(&bytes, &mut events).is_err() {
                return End::Missing("frame too long".into());
            }
            for event in events.drain(..) {
                let Ok(event) = serde_json::from_slice::<Event>(&event) else { continue };
                let is_word = matches!(event.name.as_str(), "answer.delta" | "answer.completed");
                if is_word && !std::mem::replace(&mut has_word, true) {
                    self.seen.borrow_mut().first_token_ms.push(millis(sent.elapsed()));
                }
                match event.name.as_str() {
                    "answer.completed" => return End::Useful,
                    "turn.failed" => {
                        let Problem { code, retry_after_ms } = event.problem;
                        return match code.as_str() {
                            "overloaded" | "rate_limited" => End::Refused(retry_after_ms.is_some()),
                            _ => End::Failed(code),
                        };
                    }
                    "turn.cancelled" => return End::Failed(event.name),
                    _ => {}
                }
            }
        }
    }

    fn count(&self, failed: Failed) {
        let mut seen = self.seen.borrow_mut();
        match failed {
            Failed::Refused(has_retry_after) => {
                seen.refused += 1;
                seen.silent += u64::from(!has_retry_after);
            }
            Failed::Error(name) => *seen.errors.entry(name).or_default() += 1,
        }
    }
}

enum End {
    Useful,
    Refused(bool),
    Failed(String),
    /// The service accepted the message and never reported its end.
    Missing(String),
}

enum Failed {
    /// Whether it stated when to come back.
    Refused(bool),
    Error(String),
}

/// The response to an accepted request.
async fn taken(request: RequestBuilder) -> Result<Response, Failed> {
    accepted(request.send().await.map_err(|_| Failed::Error("connection".into()))?)
}

fn accepted(response: Response) -> Result<Response, Failed> {
    match response.status().as_u16() {
        200..=299 => Ok(response),
        429 | 503 => Err(Failed::Refused(response.headers().contains_key("retry-after"))),
        status => Err(Failed::Error(format!("status {status}"))),
    }
}

async fn json_of<T: serde::de::DeserializeOwned>(response: Response) -> Result<T, Failed> {
    response.json().await.map_err(|_| Failed::Error("unexpected response body".into()))
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    fn play(target: String) -> Play {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (seen, idle) = (RefCell::default(), RefCell::default());
        let http = Client::builder().no_proxy().build().unwrap();
        Play { http, target, site_key: "pk_demo".into(), seen, idle }
    }

    fn shopper(session: &str, lasts: Duration) -> Shopper {
        let expires = Instant::now() + lasts;
        Shopper { token: "token".into(), session: session.into(), expires }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_comes_back_whose_token_would_end_on_the_way() {
        let play = play("http://127.0.0.1:1".into());
        play.leave(shopper("short", LONGEST_TURN));
        play.leave(shopper("long", LONGEST_TURN * 2));
        play.leave(shopper("longer", LONGEST_TURN * 3));
        assert_eq!(play.returning(LONGEST_TURN).unwrap().session, "long");
        tokio::time::advance(LONGEST_TURN * 2).await;
        assert!(play.returning(LONGEST_TURN).is_none());
        assert!(play.idle.borrow().is_empty());
    }

    #[tokio::test]
    async fn who_was_refused_comes_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let play = play(format!("http://{}", listener.local_addr().unwrap()));
        play.leave(shopper("refused", LONGEST_TURN * 2));
        let service = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let refusal = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\n\
                content-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(refusal.as_bytes()).await.unwrap();
            stream
        };
        let message = play.message(false, "question", 0, Instant::now());
        let ((), _stream) = tokio::join!(message, service);
        assert_eq!(play.returning(LONGEST_TURN).unwrap().session, "refused");
        let seen = play.seen.take();
        assert_eq!((seen.refused, seen.silent, seen.admitted), (1, 0, 0), "{:?}", seen.errors);
    }
}
