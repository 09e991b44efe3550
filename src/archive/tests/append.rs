use std::sync::Arc;

use super::*;
use crate::{
    archive::{Detached, Merged},
    domain::{Append, Appended, Part, RunningChange},
    hot::HotStore,
    journal::reconcile,
};

/// The last event of `batch` as one step of its session.
fn last_step(batch: &SessionCopy) -> Append {
    let event = batch.events.last().unwrap().clone();
    let record = batch.idempotency.iter().find(|record| record.turn_id == event.turn_id);
    Append {
        meta: batch.meta.clone(),
        expected_seq: event.seq - 1,
        idempotency: record.filter(|_| event.fact.part() == Part::Begins).cloned(),
        events: vec![event],
        running: RunningChange::Clear,
    }
}

fn creation(meta: &SessionMeta) -> Append {
    Append {
        meta: SessionMeta { last_seq: 0, ..meta.clone() },
        expected_seq: 0,
        events: vec![],
        idempotency: None,
        running: RunningChange::Keep,
    }
}

/// As [`ask`], with a key that nobody else uses.
fn ask_with_key(batch: &mut SessionCopy, text: &str) {
    ask(batch, text);
    batch.idempotency.last_mut().unwrap().key = text.into();
}

on_both! {
    async fn a_session_begins_and_goes_on_in_the_archive_alone(archive) {
        let mut talk = batch(0, "");
        let created = creation(&talk.meta);
        assert_eq!(archive.append(&created).await.unwrap(), Appended::Done);
        assert_eq!(archive.append(&created).await.unwrap(), Appended::Done);
        let turn_id = ask(&mut talk, "hello");
        let running = Running { turn_id, replica: "a/1".into() };
        let step = Append { running: RunningChange::Start(running.clone()), ..last_step(&talk) };
        assert_eq!(archive.append(&step).await.unwrap(), Appended::Done);
        let record = step.idempotency.clone().unwrap();
        assert_eq!(archive.append(&step).await.unwrap(), Appended::Replayed(record));
        assert_eq!(archive.events(talk.meta.id, 0, 10).await.unwrap(), talk.events);
        let detached = Detached { running: Some(running) };
        assert_eq!(archive.detached(talk.meta.id).await.unwrap(), Some(detached));
        assert_eq!(archive.last_seqs(&[talk.meta.id]).await.unwrap(), [(talk.meta.id, 1)]);
        assert_eq!(archive.unfinished_turns(10).await.unwrap(), [talk.meta.id]);
    }

    async fn a_step_is_taken_once_and_only_at_its_place(archive) {
        let mut mine = batch(1, "hello");
        archive.commit(std::slice::from_ref(&mine)).await.unwrap();
        let end = Append { idempotency: None, ..last_step(&mine) };
        assert_eq!(archive.append(&end).await.unwrap(), Appended::Done, "it is there already");
        let mut theirs = mine.clone();
        ask_with_key(&mut mine, "mine");
        ask_with_key(&mut theirs, "theirs");
        assert_eq!(archive.append(&last_step(&mine)).await.unwrap(), Appended::Done);
        let refused = archive.append(&last_step(&theirs)).await.unwrap();
        assert_eq!(refused, Appended::Conflict { last_seq: 3 });
        assert_eq!(archive.idempotency(mine.meta.id, "theirs").await.unwrap(), None);
        let unknown = batch(2, "never seen");
        assert_eq!(archive.append(&last_step(&unknown)).await.unwrap(), Appended::Missing);
        archive.erase_session(mine.meta.id, mine.meta.owner).await.unwrap();
        ask(&mut mine, "too late");
        assert_eq!(archive.append(&last_step(&mine)).await.unwrap(), Appended::Missing);
        assert_eq!(archive.append(&creation(&mine.meta)).await.unwrap(), Appended::Missing);
        assert_eq!(archive.session(mine.meta.id).await.unwrap(), None);
    }

    async fn many_writers_of_one_session_take_turns(archive) {
        let talk = batch(1, "hello");
        archive.commit(std::slice::from_ref(&talk)).await.unwrap();
        let steps: Vec<_> = (0..8)
            .map(|writer| {
                let mut talk = talk.clone();
                ask_with_key(&mut talk, &format!("writer {writer}"));
                last_step(&talk)
            })
            .collect();
        let taken = futures_util::future::join_all(steps.iter().map(|s| archive.append(s))).await;
        let done = taken.iter().filter(|taken| **taken == Ok(Appended::Done)).count();
        let refused = Ok(Appended::Conflict { last_seq: 3 });
        assert_eq!(done, 1, "{taken:?}");
        assert_eq!(taken.iter().filter(|taken| **taken == refused).count(), 7, "{taken:?}");
    }

    async fn facts_that_come_home_late_move_behind_and_none_is_lost(archive) {
        let mut mine = batch(1, "hello");
        let mut theirs = mine.clone();
        ask_with_key(&mut mine, "mine");
        ask_with_key(&mut theirs, "theirs");
        archive.commit(std::slice::from_ref(&mine)).await.unwrap();
        let Merged::Done { meta, moved } = archive.merge(&theirs).await.unwrap() else { panic!() };
        assert_eq!((meta.last_seq, moved), (4, 1));
        let events = archive.events(mine.meta.id, 0, 10).await.unwrap();
        assert_eq!(events[..3], mine.events);
        assert_eq!(events[3], Event { seq: 4, ..theirs.events[2].clone() });
        assert!(archive.idempotency(mine.meta.id, "theirs").await.unwrap().is_some());
        // Again, and from the other side: everything is there.
        for batch in [&theirs, &mine] {
            let again = archive.merge(batch).await.unwrap();
            let Merged::Done { meta, moved } = again else { panic!() };
            assert_eq!((meta.last_seq, moved), (4, 0));
        }
        assert_eq!(archive.events(mine.meta.id, 0, 10).await.unwrap(), events);
    }

    async fn a_turn_whose_key_was_used_again_meanwhile_stays_out(archive) {
        let mut mine = batch(1, "hello");
        let mut unknown = mine.clone();
        ask(&mut mine, "sent again, and acknowledged");
        ask(&mut unknown, "sent first, never acknowledged");
        archive.commit(std::slice::from_ref(&mine)).await.unwrap();
        let Merged::Done { meta, .. } = archive.merge(&unknown).await.unwrap() else { panic!() };
        assert_eq!(meta.last_seq, 3);
        assert_eq!(archive.events(mine.meta.id, 0, 10).await.unwrap(), mine.events);
    }

    async fn two_copies_of_a_session_are_made_to_agree(archive) {
        let hot = Arc::new(HotStore::memory());
        let mut here = batch(1, "hello");
        let mut there = here.clone();
        hot.create(&SessionMeta { last_seq: 0, ..here.meta.clone() }).await.unwrap();
        ask_with_key(&mut there, "in the hot store");
        let whole = Append { expected_seq: 0, events: there.events.clone(), ..last_step(&there) };
        assert_eq!(hot.append(&whole).await.unwrap(), Appended::Done);
        archive.commit(std::slice::from_ref(&here)).await.unwrap();
        for text in ["in the archive", "again in the archive"] {
            ask_with_key(&mut here, text);
            assert_eq!(archive.append(&last_step(&here)).await.unwrap(), Appended::Done);
        }
        assert_eq!(archive.detached_sessions(10).await.unwrap(), [here.meta.id]);
        assert_eq!(reconcile(&hot, &archive, here.meta.id).await, Ok(true));
        let events = archive.events(here.meta.id, 0, 10).await.unwrap();
        assert_eq!(events.len(), 5);
        let copy = hot.load(here.meta.id, 10).await.unwrap().unwrap();
        assert_eq!((copy.meta.last_seq, copy.flushed_seq), (5, 5));
        assert_eq!(copy.events, events);
        assert!(archive.detached_sessions(10).await.unwrap().is_empty());
        for key in ["in the hot store", "in the archive"] {
            assert!(hot.idempotency(here.meta.id, key).await.unwrap().is_some(), "{key}");
        }
    }

    async fn what_was_erased_goes_from_the_hot_store_too(archive) {
        let hot = Arc::new(HotStore::memory());
        let talk = batch(1, "hello");
        hot.create(&SessionMeta { last_seq: 0, ..talk.meta.clone() }).await.unwrap();
        archive.erase_session(talk.meta.id, talk.meta.owner).await.unwrap();
        archive.detach(talk.meta.id).await.unwrap();
        assert_eq!(reconcile(&hot, &archive, talk.meta.id).await, Ok(true));
        assert!(hot.load(talk.meta.id, 10).await.unwrap().is_none());
        assert!(archive.detached_sessions(10).await.unwrap().is_empty());
    }

    async fn a_session_that_went_on_while_it_was_attached_stays_detached(archive) {
        let mut talk = batch(1, "hello");
        archive.commit(std::slice::from_ref(&talk)).await.unwrap();
        ask(&mut talk, "more");
        archive.append(&last_step(&talk)).await.unwrap();
        archive.attach(talk.meta.id, 2).await.unwrap();
        assert_eq!(archive.detached_sessions(10).await.unwrap(), [talk.meta.id]);
        archive.attach(talk.meta.id, 3).await.unwrap();
        assert!(archive.detached_sessions(10).await.unwrap().is_empty());
    }
}
