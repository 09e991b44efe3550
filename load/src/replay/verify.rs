//! Checks that all acknowledged messages exist: in the history, and in the journal from its first
//! event.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::{
    api::{Api, Failed, SILENCE, Visitor},
    event::{Ended, Frame},
    ledger::Expected,
    line::{Came, Line},
    report::Report,
};

const PAGE: usize = 100;
const POLL: Duration = Duration::from_millis(500);

/// A message of the history.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    pub id: String,
    pub seq: u64,
    pub turn_id: String,
    pub role: String,
    pub text: String,
    pub status: String,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Message>,
}

#[derive(Deserialize)]
struct Snapshot {
    last_seq: u64,
}

/// Compares one session with what is expected and adds its findings to `report`. A running turn
/// gets `settle` to end.
///
/// # Errors
/// [`Failed::Gone`], or another failure to read the session. Its messages then count as unverified.
pub async fn verify(
    api: &Api,
    expected: &Expected,
    settle: Duration,
    report: &mut Report,
) -> Result<(), Failed> {
    let mut visitor = Visitor {
        access_token: expected.access_token.clone(),
        refresh_token: expected.refresh_token.clone(),
    };
    let since = Instant::now();
    let history = loop {
        let history = match history(api, &mut visitor, &expected.session_id).await {
            // A session that does not exist has lost everything.
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
        return Ok(());
    }
    let journal = journal(api, &mut visitor, &expected.session_id).await?;
    compare_journal(expected, &unanswered(expected, &history), &journal, report);
    Ok(())
}

async fn history(api: &Api, visitor: &mut Visitor, session: &str) -> Result<Vec<Message>, Failed> {
    let mut history: Vec<Message> = Vec::new();
    loop {
        let after = history.last().map_or(0, |message| message.seq);
        let path = format!("/v1/sessions/{session}/messages?after_seq={after}&limit={PAGE}");
        let url = api.url(&path);
        let build = |visitor: &Visitor| api.http.get(&url).bearer_auth(&visitor.access_token);
        let page: Page = api.json(visitor, build).await?;
        let moved = page.items.last().is_some_and(|message| message.seq > after);
        history.extend(page.items);
        if !moved {
            return Ok(history);
        }
    }
}

/// All events of a session, from the first to the last in its snapshot.
async fn journal(api: &Api, visitor: &mut Visitor, session: &str) -> Result<Vec<Frame>, Failed> {
    let url = api.url(&format!("/v1/sessions/{session}"));
    let build = |visitor: &Visitor| api.http.get(&url).bearer_auth(&visitor.access_token);
    let Snapshot { last_seq } = api.json(visitor, build).await?;
    let url = api.url(&format!("/v1/sessions/{session}/events?after=0"));
    let build = |visitor: &Visitor| {
        api.http.get(&url).bearer_auth(&visitor.access_token).header("accept", "text/event-stream")
    };
    let response = api.send(visitor, build).await?;
    let mut line = Line::of_response(response).map_err(Failed::Broken)?;
    let mut frames = Vec::new();
    loop {
        let Ok(Came::Frame(frame)) = timeout(SILENCE, line.next()).await else {
            return Ok(frames);
        };
        let seq = frame.event.seq.unwrap_or(0);
        if frame.id.as_ref().is_some_and(|id| !id.contains('.')) {
            frames.push(*frame);
        }
        if seq >= last_seq {
            return Ok(frames);
        }
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

/// `unanswered` turns have already been counted.
fn compare_journal(
    expected: &Expected,
    unanswered: &[&str],
    journal: &[Frame],
    report: &mut Report,
) {
    let session = &expected.session_id;
    let seqs = journal.iter().map(|frame| frame.event.seq.unwrap_or(0));
    if !seqs.eq(1..=journal.len() as u64) {
        report.journal_gaps += 1;
        report.find(|| format!("session {session}: the journal does not count 1, 2, 3, ..."));
    }
    for said in &expected.acknowledged {
        let of_turn = |frame: &&Frame| frame.event.turn_id.as_ref() == Some(&said.turn_id);
        let ends =
            journal.iter().filter(of_turn).filter(|f| Ended::of_kind(&f.event.kind).is_some());
        match ends.count() {
            0 if unanswered.contains(&said.turn_id.as_str()) => {}
            0 => {
                report.missing_terminal += 1;
                report.find(|| format!("session {session}: turn {} has no end", said.turn_id));
            }
            1 => {}
            count => {
                report.doubled_terminal += count as u64 - 1;
                report.find(|| {
                    format!("session {session}: turn {} ends {count} times", said.turn_id)
                });
            }
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
    fn a_journal_must_count_without_gaps_and_end_each_turn_once() {
        let frame = |seq: u64, kind: &str| {
            let json =
                format!(r#"{{"type":"{kind}","seq":{seq},"turn_id":"t","event_id":"{seq}"}}"#);
            Frame::of_socket(&json).unwrap()
        };
        let run = |journal: &[Frame]| {
            let mut report = Report::default();
            compare_journal(&expected(), &[], journal, &mut report);
            (report.journal_gaps, report.missing_terminal, report.doubled_terminal)
        };
        let (created, completed) = ("message.created", "answer.completed");
        assert_eq!(run(&[frame(1, created), frame(2, completed)]), (0, 0, 0));
        assert_eq!(run(&[frame(1, created), frame(3, completed)]), (1, 0, 0));
        assert_eq!(run(&[frame(1, created)]), (0, 1, 0));
        assert_eq!(
            run(&[frame(1, created), frame(2, completed), frame(3, "turn.failed")]),
            (0, 0, 1)
        );
    }
}
