//! One shopper who keeps asking while things break: how many answers, and when they are back.

use std::{cell::RefCell, rc::Rc, time::Duration};

use anyhow::anyhow;
use serde_json::{Value, json};
use tokio::{
    task::{JoinHandle, spawn_local},
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use crate::{questions, replay::Api};

const EVERY: Duration = Duration::from_millis(200);
/// One question, from its session to its answer.
const WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug)]
struct Asked {
    begun: Instant,
    ended: Instant,
    is_answered: bool,
}

/// Asks until it is dropped.
pub struct Probe {
    asked: Rc<RefCell<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Probe {
    /// # Errors
    /// When the service takes no visitor, before anything is broken.
    pub async fn start(url: &str, seed: u64) -> anyhow::Result<Self> {
        let api = Api::new(url, Duration::from_secs(120))?;
        let visitor = api.visitor("pk_demo").await;
        let token = visitor.map_err(|failed| anyhow!("no visitor: {failed:?}"))?.access_token;
        let asked = Rc::new(RefCell::new(Vec::new()));
        let task = {
            let asked = asked.clone();
            spawn_local(async move {
                for number in 0.. {
                    let begun = Instant::now();
                    // Seeds are far enough apart for the numbers of one round.
                    let text = questions::unique(usize::try_from(seed).unwrap_or(0), number);
                    let answer = timeout(WITHIN, ask(&api, &token, &text)).await;
                    let is_answered = answer.ok().flatten().is_some();
                    asked.borrow_mut().push(Asked { begun, ended: Instant::now(), is_answered });
                    sleep(EVERY).await;
                }
            })
        };
        Ok(Self { asked, task })
    }

    /// Waits until a question is answered that was asked after `since`; how long after, or `None` after `within`.
    pub async fn recovered(&self, since: Instant, within: Duration) -> Option<Duration> {
        loop {
            let is_first = |asked: &&Asked| asked.is_answered && asked.begun >= since;
            if let Some(first) = self.asked.borrow().iter().find(is_first) {
                return Some(first.ended - since);
            }
            if since.elapsed() >= within {
                return None;
            }
            sleep(POLL).await;
        }
    }

    /// Questions that were on their way between the two moments: answered in the end, and all.
    pub fn between(&self, from: Instant, to: Instant) -> (u64, u64) {
        let asked = self.asked.borrow();
        let there = asked.iter().filter(|asked| asked.begun < to && asked.ended > from);
        there.fold((0, 0), |(good, all), asked| (good + u64::from(asked.is_answered), all + 1))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A new session and one question in it; `None` for anything but an answer.
async fn ask(api: &Api, token: &str, text: &str) -> Option<()> {
    let post = |path: &str, body: &Value| {
        let key = Uuid::new_v4().to_string();
        api.http.post(api.url(path)).bearer_auth(token).header("idempotency-key", key).json(body)
    };
    let response = post("/v1/sessions", &json!({})).send().await.ok()?;
    let session: Value = response.error_for_status().ok()?.json().await.ok()?;
    let path = format!("/v1/sessions/{}/messages", session["id"].as_str()?);
    let request = post(&path, &json!({"text": text})).header("accept", "application/json");
    let response = request.send().await.ok()?;
    let turn: Value = response.error_for_status().ok()?.json().await.ok()?;
    turn["answer"]["text"].as_str().map(|_| ())
}
