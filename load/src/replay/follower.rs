//! More readers of a session, each at a replica of its own: they follow its events, lose their connection and resume, and
//! read the history page by page.
//!
//! They judge nothing; what they read is noted for the judge.

use std::{cell::Cell, rc::Rc, time::Duration};

use rand::{Rng, RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{RequestBuilder, Response, header};
use serde::Deserialize;
use tokio::{
    task::{JoinHandle, spawn_local},
    time::{Instant, sleep, timeout},
};

use super::{
    api::SILENCE,
    line::{Came, Line},
    message::Message,
    reading::{Page, Reading, Readings, SharedReader, Told},
};

const AGAIN: Duration = Duration::from_millis(150);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// A page is read this often, at one replica after the other.
const PAGE_EVERY: std::ops::Range<u64> = 300..1_000;
const PAGE_WITHIN: Duration = Duration::from_secs(10);
const PAGE: usize = 100;
const POLL: Duration = Duration::from_millis(50);
/// A follower gives up its connection on purpose after so many frames.
const CUT_AFTER: std::ops::Range<usize> = 5..200;

/// The readers of one session. They stop when this is dropped.
pub struct Audience {
    /// `seq` of the last event that each follower has read.
    places: Vec<Rc<Cell<u64>>>,
    tasks: Vec<JoinHandle<()>>,
}

/// What all readers of a session know.
#[derive(Clone)]
struct Session {
    http: reqwest::Client,
    id: String,
    token: String,
    /// Share of the connections that are cut on purpose.
    cut: f64,
}

impl Audience {
    /// One follower at each of `urls`, and one reader of pages that goes from one to the next.
    pub fn gather(
        http: &reqwest::Client,
        urls: &[String],
        session_id: &str,
        token: &str,
        cut: f64,
        seed: u64,
        readings: &Readings,
    ) -> Self {
        let id = session_id.to_owned();
        let session = Session { http: http.clone(), id, token: token.to_owned(), cut };
        let mut audience = Self { places: Vec::new(), tasks: Vec::new() };
        for (number, url) in urls.iter().enumerate() {
            let reader =
                readings.reader(session_id, &format!("follower of replica {}", number + 1));
            reader.borrow_mut().follows_to_the_end = true;
            let place = Rc::new(Cell::new(0));
            let random = StdRng::seed_from_u64(seed ^ ((number as u64 + 1) << 32));
            audience.places.push(place.clone());
            let follow = follow(session.clone(), url.clone(), reader, place, random);
            audience.tasks.push(spawn_local(follow));
        }
        if !urls.is_empty() {
            let reader = readings.reader(session_id, "reader of pages");
            let pages = read_pages(session, urls.to_vec(), reader, StdRng::seed_from_u64(seed));
            audience.tasks.push(spawn_local(pages));
        }
        audience
    }

    /// Waits until every follower has read the event `seq`, for at most `within`.
    pub async fn caught_up(&self, seq: u64, within: Duration) {
        let since = Instant::now();
        while self.places.iter().any(|place| place.get() < seq) && since.elapsed() < within {
            sleep(POLL).await;
        }
    }

    /// Returns when nothing is read any more.
    pub async fn leave(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            // It was aborted: how it ended says nothing.
            let _ = task.await;
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Session {
    fn get(&self, url: &str, path: &str) -> RequestBuilder {
        let url = format!("{url}/v1/sessions/{}/{path}", self.id);
        self.http.get(url).bearer_auth(&self.token)
    }

    /// The answer, or a pause where there is none.
    async fn ask(&self, request: RequestBuilder, reader: &SharedReader) -> Option<Response> {
        let Ok(response) = request.send().await else {
            sleep(AGAIN).await;
            return None;
        };
        if response.status().is_success() {
            return Some(response);
        }
        reader.borrow_mut().note(Reading::Refused(response.status().as_u16()));
        let after = response.headers().get(header::RETRY_AFTER);
        let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
        sleep(after.map_or(AGAIN, Duration::from_secs).min(LONGEST_WAIT)).await;
        None
    }
}

/// Follows until it is stopped.
async fn follow(
    session: Session,
    url: String,
    reader: SharedReader,
    place: Rc<Cell<u64>>,
    mut random: StdRng,
) {
    let mut last_id = "0".to_owned();
    loop {
        let request = session
            .get(&url, "events")
            .header("accept", "text/event-stream")
            .header("last-event-id", &last_id);
        let Some(response) = session.ask(request, &reader).await else { continue };
        let recorder = reader.borrow_mut().open(&session.id, Some(&last_id));
        let Ok(mut line) = Line::of_response(response, recorder) else {
            sleep(AGAIN).await;
            continue;
        };
        let mut left = pick_cut(&mut random, session.cut);
        while left != Some(0) {
            left = left.map(|left| left - 1);
            let Ok(Came::Frame(frame)) = timeout(SILENCE, line.next()).await else { break };
            match frame.event.kind.as_str() {
                "server.draining" | "error" => break,
                "stream.reset" => {
                    let seq = frame.event.seq.unwrap_or(0);
                    place.set(seq);
                    last_id = seq.to_string();
                }
                _ => {
                    if let Some(told) = Told::of_frame(&frame) {
                        place.set(told.seq);
                    }
                    last_id = frame.id.unwrap_or(last_id);
                }
            }
        }
        drop(line);
        sleep(AGAIN).await;
    }
}

fn pick_cut(random: &mut impl Rng, share: f64) -> Option<usize> {
    random.random_bool(share).then(|| random.random_range(CUT_AFTER))
}

#[derive(Deserialize)]
struct Body {
    items: Vec<Message>,
    #[serde(default)]
    last_seq: u64,
}

/// Reads pages from a random position on until it is stopped.
async fn read_pages(session: Session, urls: Vec<String>, reader: SharedReader, mut random: StdRng) {
    let mut newest = 0;
    for url in urls.iter().cycle() {
        sleep(Duration::from_millis(random.random_range(PAGE_EVERY))).await;
        let after_seq = random.random_range(0..=newest);
        let path = format!("messages?after_seq={after_seq}&limit={PAGE}");
        let request = session.get(url, &path).timeout(PAGE_WITHIN);
        let Some(response) = session.ask(request, &reader).await else { continue };
        let Ok(Body { items, last_seq }) = response.json().await else { continue };
        newest = newest.max(last_seq);
        reader.borrow_mut().note(Reading::Page(Page { after_seq, last_seq, items }));
    }
}
