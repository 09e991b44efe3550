//! Looks for everything that was acknowledged: in the history, and in the list of all events from the first one on; and
//! holds what anybody read against that list.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Run,
    api::{Api, Failed, SILENCE, Visitor},
    event::Ended,
    judge::{Contradiction, Found, List, judge_list, judge_readers},
    ledger::Expected,
    line::{Came, Line},
    message::Message,
    reading::{self, Read, Reader, Reading, SharedReader, Stream, Told},
    report::Report,
};

const PAGE: usize = 100;
const POLL: Duration = Duration::from_millis(500);
/// A replica that was away has its stores back by then.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(90);

#[derive(Deserialize)]
struct Page {
    items: Vec<Message>,
    #[serde(default)]
    last_seq: u64,
}

#[derive(Deserialize)]
struct Snapshot {
    last_seq: u64,
}

/// One session as the verification reads it.
struct Look<'a> {
    api: &'a Api,
    session_id: &'a str,
    visitor: Visitor,
    reader: SharedReader,
}

/// Compares one session with what is expected of it and adds what it finds to `report`. A turn that still runs is
/// given the time of a turn to end, and the followers are given time to catch up. Returns the final list.
///
/// # Errors
/// [`Failed::Gone`], or another failure to read the session. Its messages then count as unverified.
pub async fn verify(
    run: &Run,
    expected: &Expected,
    report: &mut Report,
) -> Result<Vec<Told>, Failed> {
    let session_id = &expected.session_id;
    let audience = run.audiences.borrow_mut().remove(session_id);
    let mut look = Look {
        api: &run.api,
        session_id,
        visitor: Visitor {
            access_token: expected.access_token.clone(),
            refresh_token: expected.refresh_token.clone(),
        },
        reader: run.readings.reader(session_id, "verification"),
    };
    let settle = run.turn_timeout;
    let since = Instant::now();
    let history = loop {
        let history = match look.history().await {
            // A session that is not there has lost everything.
            Err(Failed::Refused(problem)) if matches!(problem.status, 404 | 410) => Vec::new(),
            history => history?,
        };
        let is_settled = history.is_empty() || unanswered(expected, &history).is_empty();
        if is_settled || since.elapsed() >= settle {
            break history;
        }
        sleep(POLL).await;
    };
    compare(expected, &history, report);
    if history.is_empty() {
        return Ok(Vec::new());
    }
    let at_least = history.iter().filter(|message| !message.is_streaming());
    let at_least = at_least.map(|message| message.seq).max().unwrap_or(0);
    let mut list = look.list(at_least, settle).await?;
    if let Some(audience) = audience {
        // A replica that lags may have given the list, and what comes late makes it longer. The lists before are readings
        // like the others.
        loop {
            let seen = list.last_seq();
            audience.caught_up(seen, CATCHES_UP_WITHIN).await;
            list = look.list(at_least.max(seen), settle).await?;
            if list.last_seq() <= seen {
                break;
            }
        }
        audience.leave().await;
        list = look.list(at_least.max(list.last_seq()), settle).await?;
    }
    let known = known(expected, &history);
    let found = judge_list(&list, &expected.acknowledged).into_iter();
    let mut found: Vec<Found> = found.filter(|found| !known.contains(&key(found))).collect();
    let mut readers = run.readings.take(session_id);
    readers.push(before(expected));
    found.extend(judge_readers(&list, &readers));
    for Found { what, place, .. } in found {
        report.contradict(what);
        report.find(|| format!("session {session_id}: {what:?}, {place}"));
    }
    Ok(list.into_events())
}

/// The list that was found before, as a reading.
fn before(expected: &Expected) -> Reader {
    let reads = expected.list.iter().cloned().map(Read::Event).collect();
    let stream = Stream { after: Some("0".into()), reads };
    let readings = vec![Reading::Stream(Rc::new(RefCell::new(stream)))];
    Reader { name: "the list before".into(), readings, ..Reader::default() }
}

fn key(found: &Found) -> (Contradiction, Option<&str>) {
    (found.what, found.subject.as_deref())
}

/// What the history showed already, so that it is not counted twice.
fn known<'a>(
    expected: &'a Expected,
    history: &[Message],
) -> BTreeSet<(Contradiction, Option<&'a str>)> {
    let unended = unanswered(expected, history).into_iter();
    let unended = unended.map(|turn| (Contradiction::NoEnd, Some(turn)));
    let is_there = |id: &str| history.iter().any(|message| message.id == id);
    let ids = expected.acknowledged.iter().map(|said| said.message_id.as_str());
    let lost = ids.filter(|id| !is_there(id));
    unended.chain(lost.map(|id| (Contradiction::AcknowledgedLost, Some(id)))).collect()
}

impl Look<'_> {
    async fn history(&mut self) -> Result<Vec<Message>, Failed> {
        let mut history: Vec<Message> = Vec::new();
        loop {
            let after_seq = history.last().map_or(0, |message| message.seq);
            let path = format!("messages?after_seq={after_seq}&limit={PAGE}");
            let url = self.api.url(&format!("/v1/sessions/{}/{path}", self.session_id));
            let get =
                |visitor: &Visitor| self.api.http.get(&url).bearer_auth(&visitor.access_token);
            let Page { items, last_seq } = self.api.json(&mut self.visitor, get).await?;
            let page = reading::Page { after_seq, last_seq, items: items.clone() };
            self.reader.borrow_mut().note(Reading::Page(page));
            let moved = items.last().is_some_and(|message| message.seq > after_seq);
            history.extend(items);
            if !moved {
                return Ok(history);
            }
        }
    }

    /// All events from the first to the last that the snapshot names, or to `at_least` where a snapshot lags, over as
    /// many connections as it takes.
    async fn list(&mut self, at_least: u64, within: Duration) -> Result<List, Failed> {
        let url = self.api.url(&format!("/v1/sessions/{}", self.session_id));
        let get = |visitor: &Visitor| self.api.http.get(&url).bearer_auth(&visitor.access_token);
        let Snapshot { last_seq } = self.api.json(&mut self.visitor, get).await?;
        self.reader.borrow_mut().note(Reading::Snapshot(last_seq));
        let last_seq = last_seq.max(at_least);
        let since = Instant::now();
        let mut events: Vec<Told> = Vec::new();
        while self.read_events(&mut events, last_seq).await? < last_seq && since.elapsed() < within
        {
            sleep(POLL).await;
        }
        Ok(List::new(events))
    }

    /// One connection; returns the place that was reached.
    async fn read_events(&mut self, events: &mut Vec<Told>, last_seq: u64) -> Result<u64, Failed> {
        let mut seq = events.last().map_or(0, |event| event.seq);
        if seq >= last_seq {
            return Ok(seq);
        }
        let after = seq.to_string();
        let url = self.api.url(&format!("/v1/sessions/{}/events?after={after}", self.session_id));
        let get = |visitor: &Visitor| {
            let request = self.api.http.get(&url).bearer_auth(&visitor.access_token);
            request.header("accept", "text/event-stream")
        };
        let response = self.api.send(&mut self.visitor, get).await?;
        let recorder = self.reader.borrow_mut().open(self.session_id, Some(&after));
        let mut line = Line::of_response(response, recorder).map_err(Failed::Broken)?;
        while seq < last_seq {
            let Ok(Came::Frame(frame)) = timeout(SILENCE, line.next()).await else { break };
            if frame.event.kind == "stream.reset" {
                // The judge counts it; what is there is read from the beginning.
                events.clear();
                return Ok(0);
            }
            if let Some(told) = Told::of_frame(&frame) {
                seq = told.seq;
                events.push(told);
            }
        }
        Ok(seq)
    }
}

/// Acknowledged turns without a final assistant message.
fn unanswered<'a>(expected: &'a Expected, history: &[Message]) -> Vec<&'a str> {
    let is_final = |message: &&Message| message.role != "user" && message.status != "streaming";
    let answered: BTreeSet<_> =
        history.iter().filter(is_final).map(|message| message.turn_id.as_str()).collect();
    let turns = expected.acknowledged.iter().map(|message| message.turn_id.as_str());
    turns.filter(|turn| !answered.contains(turn)).collect()
}

fn compare(expected: &Expected, history: &[Message], report: &mut Report) {
    let session = &expected.session_id;
    let mut by_id: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
    for message in history {
        by_id.entry(&message.id).or_default().push(message);
    }
    for said in &expected.acknowledged {
        let Some(there) = by_id.get(said.message_id.as_str()) else {
            report.lost += 1;
            report.find(|| format!("session {session}: message {} is lost", said.message_id));
            continue;
        };
        if there[0].seq == said.seq && there[0].text == said.text && there[0].role == "user" {
            report.found += 1;
        } else {
            report.altered += 1;
            report.find(|| format!("session {session}: message {} is altered", said.message_id));
        }
    }
    for (id, copies) in by_id.iter().filter(|(_, copies)| copies.len() > 1) {
        report.duplicated += copies.len() as u64 - 1;
        report.find(|| format!("session {session}: message {id} is there {} times", copies.len()));
    }
    strangers(expected, history, report);
    answers(expected, history, report);
}

/// Messages of the user that were never acknowledged. Each message sent without a response may
/// exist once.
fn strangers(expected: &Expected, history: &[Message], report: &mut Report) {
    let session = &expected.session_id;
    let known: BTreeSet<_> =
        expected.acknowledged.iter().map(|said| said.message_id.as_str()).collect();
    let mut unknown: Vec<_> = expected.unknown.values().map(String::as_str).collect();
    for message in history.iter().filter(|m| m.role == "user" && !known.contains(m.id.as_str())) {
        if let Some(at) = unknown.iter().position(|text| *text == message.text) {
            unknown.swap_remove(at);
        } else if expected.acknowledged.iter().any(|said| said.text == message.text) {
            report.duplicated += 1;
            report.find(|| format!("session {session}: message {} is a second copy", message.id));
        } else {
            report.foreign += 1;
            report.find(|| format!("session {session}: message {} is foreign", message.id));
        }
    }
}

fn answers(expected: &Expected, history: &[Message], report: &mut Report) {
    let session = &expected.session_id;
    for turn in unanswered(expected, history) {
        report.missing_terminal += 1;
        report.find(|| format!("session {session}: turn {turn} has no final answer"));
    }
    for said in &expected.acknowledged {
        let is_answer = |m: &&Message| m.role == "assistant" && m.turn_id == said.turn_id;
        let count = history.iter().filter(is_answer).count();
        if count > 1 {
            report.doubled_terminal += count as u64 - 1;
            report.find(|| format!("session {session}: turn {} has {count} answers", said.turn_id));
        }
    }
    for turn in &expected.ended {
        let status = match turn.ended {
            Ended::Completed => "complete",
            Ended::Failed => "failed",
            Ended::Cancelled => "cancelled",
        };
        let is_same =
            |m: &Message| m.id == turn.message_id && m.text == turn.text && m.status == status;
        if !history.iter().any(is_same) {
            report.answers_altered += 1;
            report
                .find(|| format!("session {session}: the answer of turn {} differs", turn.turn_id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::ledger::{Acknowledged, EndedTurn};

    fn message(id: &str, seq: u64, role: &str, text: &str) -> Message {
        Message {
            id: id.into(),
            seq,
            turn_id: "t".into(),
            role: role.into(),
            text: text.into(),
            status: "complete".into(),
        }
    }

    fn expected() -> Expected {
        Expected {
            session_id: "s".into(),
            acknowledged: vec![Acknowledged {
                message_id: "m".into(),
                turn_id: "t".into(),
                seq: 1,
                text: "hello".into(),
            }],
            unknown: BTreeMap::from([("key".into(), "maybe".into())]),
            ended: vec![EndedTurn {
                turn_id: "t".into(),
                ended: Ended::Completed,
                message_id: "a".into(),
                text: "hi".into(),
            }],
            ..Expected::default()
        }
    }

    fn good() -> Vec<Message> {
        vec![message("m", 1, "user", "hello"), message("a", 2, "assistant", "hi")]
    }

    fn compared(history: &[Message]) -> Report {
        let mut report = Report::default();
        compare(&expected(), history, &mut report);
        report
    }

    #[test]
    fn a_whole_history_is_found_with_or_without_the_message_of_unknown_fate() {
        let mut history = good();
        let report = compared(&history);
        assert_eq!((report.found, report.has_failed()), (1, false));
        history.push(message("u", 3, "user", "maybe"));
        assert!(!compared(&history).has_failed());
        history.push(message("v", 4, "user", "maybe"));
        assert_eq!(compared(&history).foreign, 1);
    }

    #[test]
    fn lost_altered_doubled_and_foreign_messages_are_told_apart() {
        assert_eq!(compared(&good()[1..]).lost, 1);
        let mut altered = good();
        altered[0].text = "hallo".into();
        assert_eq!(compared(&altered).altered, 1);
        let mut moved = good();
        moved[0].seq = 7;
        assert_eq!(compared(&moved).altered, 1);
        let mut twice = good();
        twice.push(message("m2", 3, "user", "hello"));
        assert_eq!(compared(&twice).duplicated, 1);
        let mut same = good();
        same.push(same[0].clone());
        assert_eq!(compared(&same).duplicated, 1);
        let mut foreign = good();
        foreign.push(message("x", 3, "user", "of somebody else"));
        assert_eq!(compared(&foreign).foreign, 1);
    }

    #[test]
    fn an_answer_that_is_missing_running_doubled_or_changed_is_seen() {
        let report = compared(&good()[..1]);
        assert_eq!((report.missing_terminal, report.answers_altered), (1, 1));
        let mut running = good();
        running[1].status = "streaming".into();
        assert_eq!(compared(&running).missing_terminal, 1);
        let mut twice = good();
        twice.push(message("b", 3, "assistant", "hi"));
        assert_eq!(compared(&twice).doubled_terminal, 1);
        let mut changed = good();
        changed[1].text = "h".into();
        assert_eq!(compared(&changed).answers_altered, 1);
    }

    #[test]
    fn what_the_history_showed_is_not_counted_again() {
        let (expected, history) = (expected(), good());
        assert!(known(&expected, &history).is_empty());
        let lost = known(&expected, &history[1..]);
        assert_eq!(Vec::from_iter(lost), [(Contradiction::AcknowledgedLost, Some("m"))]);
        let unended = known(&expected, &history[..1]);
        assert_eq!(Vec::from_iter(unended), [(Contradiction::NoEnd, Some("t"))]);
    }
}
