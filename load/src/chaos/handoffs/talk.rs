//! One conversation that is taken over in the middle of an answer, and what was read of it.

use std::time::Duration;

use futures_util::StreamExt as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use crate::{
    replay::{Api, Failed, Visitor},
    sse::SseReader,
};

/// An answer of the simulated model takes about this long.
const ANSWER_MS: u64 = 600;
/// A reader waits for the last message, and for the next byte, so long.
const READS_WITHIN: Duration = Duration::from_secs(180);
const SILENCE: Duration = Duration::from_secs(40);
const AGAIN: Duration = Duration::from_millis(200);

/// An event as a reader saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Of an event of the journal.
    pub seq: Option<u64>,
    pub name: String,
    pub text: String,
}

pub struct Talk {
    visitor: Visitor,
    session: String,
    /// What the service said that it has taken, of both sides.
    pub acknowledged: Vec<String>,
    /// What the shopper saw while it happened.
    pub live: Vec<Seen>,
    /// What was refused.
    pub refused: Option<String>,
}

/// What is said last.
fn last(nth: u32) -> String {
    format!("last words of shopper {nth}")
}

/// One take-over at a random moment.
pub async fn take_over(api: &Api, agent: &Visitor, seed: u64, nth: u32) -> Talk {
    let mut talk = Talk {
        visitor: Visitor::default(),
        session: String::new(),
        acknowledged: Vec::new(),
        live: Vec::new(),
        refused: None,
    };
    if let Err(failed) = play(api, agent, seed, nth, &mut talk).await {
        talk.refused = Some(format!("{failed:?}"));
    }
    talk
}

async fn play(
    api: &Api,
    agent: &Visitor,
    seed: u64,
    nth: u32,
    talk: &mut Talk,
) -> Result<(), Failed> {
    let mut random = StdRng::seed_from_u64(seed ^ u64::from(nth).wrapping_mul(0x9e37_79b9));
    talk.visitor = api.visitor("pk_demo").await?;
    talk.session = api.session(&mut talk.visitor).await?;
    let (visitor, session) = (talk.visitor.clone(), talk.session.clone());
    let moment = Duration::from_millis(random.random_range(0..ANSWER_MS));
    let also_moment = Duration::from_millis(random.random_range(0..ANSWER_MS * 2));
    let view = api.url(&format!("/v1/sessions/{session}"));
    let post = async |who: &Visitor, key: &str, body: Value| -> Result<(), Failed> {
        let url = format!("{view}/messages");
        let post = |who: &Visitor| -> RequestBuilder {
            let post = api.http.post(&url).header("idempotency-key", key);
            post.header("prefer", "respond-async").bearer_auth(&who.access_token).json(&body)
        };
        api.json::<Value>(&mut who.clone(), post).await.map(drop)
    };
    let say = async |who: &Visitor, text: String| -> Result<String, Failed> {
        let key = Uuid::new_v4().to_string();
        post(who, &key, json!({ "text": text })).await.map(|()| text)
    };
    // Reads all that is there first, and again if the shopper has said something meanwhile.
    let reply = async |text: String| -> Result<String, Failed> {
        let key = Uuid::new_v4().to_string();
        let since = Instant::now();
        loop {
            let get = |who: &Visitor| api.http.get(&view).bearer_auth(&who.access_token);
            let seen = api.json::<Value>(&mut agent.clone(), get).await?["last_seq"].clone();
            let body = json!({ "text": text, "last_seen_seq": seen });
            match post(agent, &key, body).await {
                Err(Failed::Refused(problem))
                    if problem.code == "stale_view" && since.elapsed() < READS_WITHIN =>
                {
                    sleep(AGAIN).await;
                }
                posted => return posted.map(|()| text),
            }
        }
    };
    let talking = async {
        let mut acknowledged = Vec::new();
        acknowledged.push(say(&visitor, format!("When do boots ship? ({nth})")).await?);
        let taken = async {
            sleep(moment).await;
            let url = api.url(&format!("/v1/sessions/{session}/accept"));
            let accept = |who: &Visitor| api.http.post(&url).bearer_auth(&who.access_token);
            api.json::<Value>(&mut agent.clone(), accept).await?;
            reply(format!("first words of agent {nth}")).await
        };
        let also = async {
            sleep(also_moment).await;
            say(&visitor, format!("And when do slippers ship? ({nth})")).await
        };
        let (taken, also) = tokio::join!(taken, also);
        acknowledged.push(taken?);
        acknowledged.push(also?);
        acknowledged.push(reply(format!("second words of agent {nth}")).await?);
        acknowledged.push(say(&visitor, last(nth)).await?);
        Ok(acknowledged)
    };
    let last_words = last(nth);
    let reading = read(api, &api.base, &visitor, &session, &last_words);
    let (acknowledged, live) = tokio::join!(talking, reading);
    talk.live = live;
    talk.acknowledged = acknowledged?;
    Ok(())
}

impl Talk {
    /// All events of the journal, as the replica at `url` shows them.
    pub async fn journal(&self, api: &Api, url: &str) -> Vec<Seen> {
        let Some(last) = self.acknowledged.last() else { return Vec::new() };
        read(api, url, &self.visitor, &self.session, last).await
    }
}

/// Reads the events of a session up to a text, and goes on where a connection broke off.
async fn read(api: &Api, url: &str, visitor: &Visitor, session: &str, until: &str) -> Vec<Seen> {
    let url = format!("{url}/v1/sessions/{session}/events");
    let (mut seen, mut last_id) = (Vec::new(), "0".to_owned());
    let deadline = Instant::now() + READS_WITHIN;
    while Instant::now() < deadline {
        let get = api.http.get(&url).bearer_auth(&visitor.access_token);
        let get = get.header("accept", "text/event-stream").header("last-event-id", &last_id);
        if let Ok(Ok(response)) = timeout_at(deadline, get.send()).await
            && response.status().is_success()
        {
            let mut stream = response.bytes_stream();
            let mut reader = SseReader::default();
            while let Ok(Some(Ok(bytes))) = timeout(SILENCE, stream.next()).await {
                if reader.push(&bytes).is_err() {
                    break;
                }
                while let Some(event) = reader.next_event() {
                    let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
                    let text = data["text"].as_str().unwrap_or_default().to_owned();
                    let seq = event.id.as_ref().and_then(|id| id.parse().ok());
                    last_id = event.id.unwrap_or(last_id);
                    let is_last = text == until;
                    seen.push(Seen { seq, name: event.name, text });
                    if is_last {
                        return seen;
                    }
                }
            }
        }
        sleep(AGAIN).await;
    }
    seen
}
