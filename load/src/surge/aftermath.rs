//! After the day: checks that abandoned turns have an end, and what happened to the tickets.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::shopper::{End, Visit};
use crate::{replay::Api, sse::SseReader};

const AT_ONCE: usize = 16;
const POLL: Duration = Duration::from_secs(1);
/// A turn without readers ends within the server's own limits.
const TURNS_END_WITHIN: Duration = Duration::from_secs(120);
const JOURNAL_WITHIN: Duration = Duration::from_secs(10);
/// How many tickets are checked one by one.
const MOST_TICKETS: usize = 200;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Aftermath {
    /// Turns whose message was acknowledged.
    pub admitted: u64,
    /// How many of those have an end on the stream or in the history.
    pub ended: u64,
    pub tickets: u64,
    /// Tickets that were checked, spread over all of them.
    pub sampled: u64,
    /// In the sample: the ticket is in the session's journal.
    pub kept: u64,
    /// In the sample: answered in the session before the wait ended.
    pub delivered: u64,
    /// In the sample: answered more than once.
    pub doubled: u64,
    pub ticket_wait_s: f64,
}

pub async fn aftermath(api: &Api, visits: &[Visit], ticket_wait: Duration) -> Aftermath {
    let mut after = Aftermath::default();
    ends(api, visits, &mut after).await;
    tickets(api, visits, ticket_wait, &mut after).await;
    after
}

async fn ends(api: &Api, visits: &[Visit], after: &mut Aftermath) {
    let is_seen = |visit: &&Visit| match &visit.end {
        End::Answered(_) | End::Ticket => true,
        // On the stream after an acknowledgement. Otherwise the message was not accepted.
        End::Refused { .. } | End::Failed(_) => visit.turn.is_some(),
        End::Left | End::Broken(_) => false,
    };
    let seen = visits.iter().filter(is_seen).count() as u64;
    after.admitted = seen;
    after.ended = seen;
    let mut open: Vec<&Visit> = visits
        .iter()
        .filter(|visit| matches!(visit.end, End::Left | End::Broken(_)) && visit.session.is_some())
        .collect();
    let since = Instant::now();
    let mut admitted = BTreeSet::new();
    while !open.is_empty() && since.elapsed() < TURNS_END_WITHIN {
        let looked: Vec<_> = stream::iter(open)
            .map(|visit| async move { (visit, history(api, visit).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        open = Vec::new();
        for (visit, history) in looked {
            match history {
                // The shopper left before the message was accepted, and it never was.
                Some(Fate::NotThere) if visit.turn.is_none() => {}
                Some(Fate::Ended) => {
                    admitted.remove(&visit.session);
                    after.admitted += 1;
                    after.ended += 1;
                }
                Some(Fate::NotThere | Fate::Running) | None => {
                    admitted.insert(visit.session.clone());
                    open.push(visit);
                }
            }
        }
        if !open.is_empty() {
            sleep(POLL).await;
        }
    }
    after.admitted += admitted.len() as u64;
}

enum Fate {
    NotThere,
    Running,
    Ended,
}

async fn history(api: &Api, visit: &Visit) -> Option<Fate> {
    let session = visit.session.as_deref()?;
    let url = api.url(&format!("/v1/sessions/{session}/messages"));
    let response = api.http.get(url).bearer_auth(&visit.token).send().await.ok()?;
    let page: Value = response.error_for_status().ok()?.json().await.ok()?;
    let items = page["items"].as_array()?;
    let is = |item: &Value, role: &str| item["role"] == role;
    if !items.iter().any(|item| is(item, "user")) {
        return Some(Fate::NotThere);
    }
    let is_end = |item: &Value| is(item, "assistant") && item["status"] != "streaming";
    Some(if items.iter().any(is_end) { Fate::Ended } else { Fate::Running })
}

async fn tickets(api: &Api, visits: &[Visit], wait: Duration, after: &mut Aftermath) {
    let with_ticket: Vec<&Visit> = visits.iter().filter(|visit| visit.ticket.is_some()).collect();
    after.tickets = with_ticket.len() as u64;
    let step = with_ticket.len().div_ceil(MOST_TICKETS).max(1);
    let mut open: Vec<&Visit> = with_ticket.into_iter().step_by(step).collect();
    after.sampled = open.len() as u64;
    let mut kept = BTreeSet::new();
    let since = Instant::now();
    while !open.is_empty() {
        let looked: Vec<_> = stream::iter(open)
            .map(|visit| async move { (visit, answers_to_ticket(api, visit).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        open = Vec::new();
        for (visit, answers) in looked {
            let answers = answers.unwrap_or(0);
            if answers > 0 {
                kept.insert(visit.ticket.clone());
            }
            match answers {
                0 | 1 => open.push(visit),
                2 => after.delivered += 1,
                _ => {
                    after.delivered += 1;
                    after.doubled += 1;
                }
            }
        }
        if since.elapsed() >= wait {
            break;
        }
        sleep(POLL).await;
    }
    after.kept = kept.len() as u64;
    after.ticket_wait_s = since.elapsed().as_secs_f64();
}

/// How many `answer.completed` events in the session's journal contain the visit's ticket: the
/// first creates it, the next answers it.
async fn answers_to_ticket(api: &Api, visit: &Visit) -> Option<u64> {
    let session = visit.session.as_deref()?;
    let url = api.url(&format!("/v1/sessions/{session}"));
    let response = api.http.get(url).bearer_auth(&visit.token).send().await.ok()?;
    let snapshot: Value = response.error_for_status().ok()?.json().await.ok()?;
    let last_seq = snapshot["last_seq"].as_u64()?;
    let url = api.url(&format!("/v1/sessions/{session}/events?after=0"));
    let request = api.http.get(url).bearer_auth(&visit.token).header("accept", "text/event-stream");
    let response = request.send().await.ok()?.error_for_status().ok()?;
    let read = async {
        let (mut body, mut reader, mut count) =
            (response.bytes_stream(), SseReader::default(), 0_u64);
        while let Some(Ok(bytes)) = body.next().await {
            reader.push(&bytes).ok()?;
            while let Some(event) = reader.next_event() {
                let json: Value = serde_json::from_str(&event.data).unwrap_or_default();
                let is_same = json["ticket"]["id"].as_str() == visit.ticket.as_deref();
                if event.name == "answer.completed" && is_same {
                    count += 1;
                }
                if json["seq"].as_u64().is_some_and(|seq| seq >= last_seq) {
                    return Some(count);
                }
            }
        }
        Some(count)
    };
    timeout(JOURNAL_WITHIN, read).await.ok().flatten()
}
