//! What this process gave to the hot store and the archive may not have yet: a second copy, for the
//! case that the hot store goes away and takes the first one with it.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    archive::project,
    domain::{Append, Event, SessionCopy, SessionId, SessionMeta},
};

/// What an event takes beside its text, about.
const OVERHEAD: usize = 512;

/// Bounded in bytes; beyond that the oldest sessions lose their second copy.
pub struct Unsaved {
    sessions: HashMap<SessionId, Kept>,
    /// Sessions by the time at which they were first kept; a session that was saved since stands
    /// here in vain.
    order: VecDeque<(Instant, SessionId)>,
    bytes: usize,
    max_bytes: usize,
}

struct Kept {
    batch: SessionCopy,
    since: Instant,
}

impl Unsaved {
    pub fn new(max_bytes: usize) -> Self {
        Self { sessions: HashMap::new(), order: VecDeque::new(), bytes: 0, max_bytes }
    }

    pub fn created(&mut self, meta: &SessionMeta, now: Instant) {
        self.keep(SessionCopy::empty(meta), now);
    }

    pub fn appended(&mut self, append: &Append, now: Instant) {
        self.keep(append.into(), now);
    }

    fn keep(&mut self, new: SessionCopy, now: Instant) {
        let id = new.meta.id;
        match self.sessions.get_mut(&id) {
            Some(Kept { batch, .. }) => {
                self.bytes -= weight(batch);
                batch.meta = new.meta;
                batch.events.extend(new.events);
                batch.idempotency.extend(new.idempotency);
                self.bytes += weight(batch);
            }
            None => {
                self.bytes += weight(&new);
                self.sessions.insert(id, Kept { batch: new, since: now });
                self.order.push_back((now, id));
            }
        }
        while self.bytes > self.max_bytes
            && let Some((since, oldest)) = self.order.pop_front()
        {
            self.drop_kept(oldest, since);
        }
    }

    fn drop_kept(&mut self, id: SessionId, since: Instant) {
        if self.sessions.get(&id).is_some_and(|kept| kept.since == since)
            && let Some(kept) = self.sessions.remove(&id)
        {
            self.bytes -= weight(&kept.batch);
        }
    }

    pub fn get(&self, id: SessionId) -> Option<&SessionCopy> {
        self.sessions.get(&id).map(|kept| &kept.batch)
    }

    /// The archive has the session up to `through_seq`.
    pub fn saved(&mut self, id: SessionId, through_seq: u64) {
        let Some(kept) = self.sessions.get_mut(&id) else { return };
        let before = weight(&kept.batch);
        kept.batch.events.retain(|event| event.seq > through_seq);
        if kept.batch.events.is_empty() {
            self.sessions.remove(&id);
            self.bytes -= before;
        } else {
            let turns: Vec<_> = kept.batch.events.iter().map(|event| event.turn_id).collect();
            kept.batch.idempotency.retain(|record| turns.contains(&record.turn_id));
            self.bytes -= before - weight(&kept.batch);
        }
    }

    pub fn forget(&mut self, id: SessionId) {
        self.saved(id, u64::MAX);
    }

    /// At most `limit` sessions that were kept at least `age` ago, oldest first. Those that stay
    /// unsaved go to the end of the line.
    pub fn aged(&mut self, age: Duration, limit: usize, now: Instant) -> Vec<SessionId> {
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(&(since, id)) = self.order.front()
            && now.duration_since(since) >= age
        {
            self.order.pop_front();
            if let Some(kept) = self.sessions.get_mut(&id)
                && kept.since == since
            {
                kept.since = now;
                self.order.push_back((now, id));
                found.push(id);
                if age.is_zero() && found.len() >= self.sessions.len() {
                    break;
                }
            }
        }
        found
    }

    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }
}

/// A session without events takes room too.
fn weight(batch: &SessionCopy) -> usize {
    let text = |event: &Event| project(event).map_or(0, |message| message.text.len());
    let events = batch.events.iter().map(|event| OVERHEAD + text(event)).sum::<usize>();
    events.max(OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock,
        domain::RunningChange,
        domain::{Fact, IdempotencyRecord, MessageId, TurnId},
        journal::tests::meta,
    };

    fn append(meta: &SessionMeta, seq: u64) -> Append {
        let turn_id = TurnId::new();
        let fact = Fact::MessageCreated {
            message_id: MessageId::new(),
            text: "hi".into(),
            client_message_id: None,
        };
        let event =
            Event { v: 1, seq, session_id: meta.id, turn_id, epoch: 0, at: clock::now(), fact };
        Append {
            meta: SessionMeta { last_seq: seq, ..meta.clone() },
            expected_seq: seq - 1,
            events: vec![event],
            idempotency: Some(IdempotencyRecord {
                key: seq.to_string(),
                body_hash: String::new(),
                turn_id,
                trace: None,
            }),
            running: RunningChange::Keep,
        }
    }

    fn seqs(unsaved: &Unsaved, id: SessionId) -> Vec<u64> {
        unsaved.get(id).map_or(vec![], |batch| batch.events.iter().map(|e| e.seq).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_archive_has_is_forgotten_and_the_rest_is_kept() {
        let (mut unsaved, meta, now) = (Unsaved::new(100 * OVERHEAD), meta(), Instant::now());
        unsaved.created(&meta, now);
        (1..=3).for_each(|seq| unsaved.appended(&append(&meta, seq), now));
        assert_eq!(seqs(&unsaved, meta.id), [1, 2, 3]);
        unsaved.saved(meta.id, 2);
        assert_eq!(seqs(&unsaved, meta.id), [3]);
        assert_eq!(unsaved.get(meta.id).unwrap().idempotency.len(), 1);
        unsaved.saved(meta.id, 3);
        assert!(unsaved.get(meta.id).is_none());
        assert_eq!((unsaved.sessions(), unsaved.bytes), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_bound_the_oldest_sessions_go() {
        let (mut unsaved, now) = (Unsaved::new(4 * (OVERHEAD + 2)), Instant::now());
        let metas: Vec<_> = (0..3).map(|_| meta()).collect();
        for meta in &metas {
            unsaved.appended(&append(meta, 1), now);
            unsaved.appended(&append(meta, 2), now);
        }
        assert!(unsaved.get(metas[0].id).is_none());
        assert_eq!(seqs(&unsaved, metas[2].id), [1, 2]);
        assert_eq!(unsaved.bytes, 4 * (OVERHEAD + 2));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_aged_are_asked_about_and_each_once_in_a_while() {
        let (mut unsaved, now) = (Unsaved::new(100 * OVERHEAD), Instant::now());
        let (old, young) = (meta(), meta());
        let second = Duration::from_secs(1);
        unsaved.created(&old, now);
        unsaved.created(&young, now + second);
        assert_eq!(unsaved.aged(second, 10, now + second), [old.id]);
        assert_eq!(unsaved.aged(second, 10, now + second), []);
        assert_eq!(unsaved.aged(second, 1, now + second * 2), [young.id]);
        assert_eq!(unsaved.aged(Duration::ZERO, 10, now + second * 2), [old.id, young.id]);
    }
}
