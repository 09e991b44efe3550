//! A session as the archive should have it, and the steps that bring it there.

use std::sync::Arc;

use super::{answer, at, event, meta, question};
use crate::{
    archive::{Advanced, Archive, Step},
    domain::{
        Append, Event, Fact, IdempotencyRecord, PrincipalId, SessionId, SessionMeta, TurnId,
        Version,
    },
};

#[derive(Clone)]
pub struct Talk {
    pub meta: SessionMeta,
    pub version: Version,
    pub events: Vec<Event>,
    pub records: Vec<IdempotencyRecord>,
    pub replica: &'static str,
    created: SessionMeta,
    appends: Vec<(Append, &'static str)>,
}

impl Talk {
    /// A session without events.
    pub fn new() -> Self {
        Self::made(meta(0))
    }

    fn made(created: SessionMeta) -> Self {
        Self {
            meta: created.clone(),
            version: Version::NEW,
            events: Vec::new(),
            records: Vec::new(),
            replica: "a/1",
            created,
            appends: Vec::new(),
        }
    }

    /// A session of `turns` answered turns, each one step with a record `k<seq>`.
    pub fn of(turns: u64, text: &str) -> Self {
        Self::of_owner(PrincipalId::new(), turns, text)
    }

    /// As [`Talk::of`], of this person.
    pub fn of_owner(owner: PrincipalId, turns: u64, text: &str) -> Self {
        let mut talk = Self::made(SessionMeta { owner, ..meta(0) });
        for _ in 0..turns {
            let key = format!("k{}", talk.meta.last_seq + 1);
            let turn_id = TurnId::new();
            talk.add(turn_id, [question(text), answer(text)], Some(&key));
        }
        talk
    }

    pub fn id(&self) -> SessionId {
        self.meta.id
    }

    /// Adds a question without an answer, with a record `k<seq>`.
    pub fn ask(&mut self, text: &str) -> TurnId {
        let key = format!("k{}", self.meta.last_seq + 1);
        self.ask_with_key(text, &key)
    }

    pub fn ask_with_key(&mut self, text: &str, key: &str) -> TurnId {
        let turn_id = TurnId::new();
        self.add(turn_id, [question(text)], Some(key));
        turn_id
    }

    pub fn end(&mut self, turn_id: TurnId, fact: Fact) {
        self.add(turn_id, [fact], None);
    }

    /// One more step of [`Talk::replica`].
    pub fn add(
        &mut self,
        turn_id: TurnId,
        facts: impl IntoIterator<Item = Fact>,
        key: Option<&str>,
    ) {
        let from = self.version;
        let events: Vec<Event> = (from.seq + 1..)
            .zip(facts)
            .map(|(seq, fact)| event(self.meta.id, seq, turn_id, fact))
            .collect();
        self.meta.last_seq += events.len() as u64;
        self.meta.updated_at = at(self.meta.last_seq.cast_signed());
        let record = key.map(|key| IdempotencyRecord {
            key: key.into(),
            body_hash: "b".repeat(64),
            turn_id,
            trace: None,
        });
        let before = self.appends.last().map(|(_, replica)| *replica);
        let append = Append {
            meta: self.meta.clone(),
            from,
            takes_over: before != Some(self.replica),
            events,
            idempotency: record,
            drafts: Vec::new(),
            decided: None,
        };
        append.check().unwrap();
        let payloads: Vec<String> =
            append.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        self.version = append.to(payloads.iter().map(String::as_str));
        self.events.extend_from_slice(&append.events);
        self.records.extend(append.idempotency.clone());
        self.appends.push((append, self.replica));
    }

    pub fn creation(&self) -> Step {
        Step::creation(&self.created)
    }

    /// The newest step.
    pub fn last(&self) -> Step {
        let (append, replica) = self.appends.last().unwrap();
        Step::new(append, replica)
    }

    /// All steps from the creation on.
    pub fn steps(&self) -> Vec<Step> {
        let appends = self.appends.iter().map(|(append, replica)| Step::new(append, replica));
        std::iter::once(self.creation()).chain(appends).collect()
    }

    /// What the newest step is answered with.
    pub fn done(&self) -> Advanced {
        Advanced::Done(self.version)
    }
}

/// Takes one step.
pub async fn take(archive: &Archive, step: Step) -> Advanced {
    archive.advance(Arc::new([step])).await.unwrap().pop().unwrap()
}

/// Brings sessions that the archive has not seen yet to where they stand, in one transaction.
pub async fn keep<'a>(archive: &Archive, talks: impl IntoIterator<Item = &'a Talk>) {
    let steps: Vec<Step> = talks.into_iter().flat_map(Talk::steps).collect();
    let taken = archive.advance(steps.into()).await.unwrap();
    assert!(taken.iter().all(|taken| matches!(taken, Advanced::Done(_))), "{taken:?}");
}
