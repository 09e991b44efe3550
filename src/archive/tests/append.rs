use super::{talk::take, *};
use crate::archive::{Advanced, Step};

/// `writers` steps from the same place.
fn rivals(talk: &Talk, writers: usize, round: u32) -> Vec<Talk> {
    let rival = |writer: usize| {
        let mut talk = talk.clone();
        talk.replica = ["a/1", "b/1", "c/1"][writer % 3];
        talk.ask_with_key("me first", &format!("round {round} writer {writer}"));
        talk
    };
    (0..writers).map(rival).collect()
}

on_both! {
    async fn a_session_begins_and_goes_on(archive) {
        let mut talk = Talk::new();
        for _ in 0..2 {
            let created = take(&archive, talk.creation()).await;
            assert_eq!(created, Advanced::Done(Version::NEW));
        }
        let turn_id = talk.ask("hello");
        assert_eq!(take(&archive, talk.last()).await, talk.done());
        let stored = archive.stored(talk.id(), 10).await.unwrap().unwrap();
        assert_eq!((stored.version.owner_epoch, stored.version.open_turn), (1, Some(turn_id)));
        assert_eq!(stored.owner.as_deref(), Some("a/1"));
        talk.end(turn_id, answer("hi"));
        assert_eq!(take(&archive, talk.last()).await, talk.done());
        let stored = archive.stored(talk.id(), 10).await.unwrap().unwrap();
        assert_eq!((stored.version.owner_epoch, stored.version.open_turn), (1, None));
        assert_eq!(archive.events(talk.id(), 0, 10).await.unwrap(), talk.events);
        // A creation that comes late finds the session and leaves it as it is.
        take(&archive, talk.creation()).await;
        assert_eq!(archive.version(talk.id()).await.unwrap(), Some(talk.version));
    }

    async fn the_version_that_is_read_back_is_the_one_that_the_steps_lead_to(archive) {
        let mut talk = Talk::of(2, "hello");
        talk.replica = "b/1";
        let turn_id = talk.ask("mine now");
        talk.end(turn_id, answer("fine"));
        keep(&archive, [&talk]).await;
        assert_eq!(talk.version.owner_epoch, 2);
        assert_eq!(archive.version(talk.id()).await.unwrap(), Some(talk.version));
        let payloads = talk.events.iter().map(|event| serde_json::to_string(event).unwrap());
        let head = payloads.fold(Head::EMPTY, |head, payload| head.then(&payload));
        let stored = archive.stored(talk.id(), 100).await.unwrap().unwrap();
        assert_eq!((stored.version.head, stored.owner.as_deref()), (head, Some("b/1")));
        assert_eq!((stored.meta, stored.events), (talk.meta, talk.events));
    }

    async fn the_same_step_again_is_done_and_changes_nothing(archive) {
        let mut talk = Talk::of(1, "hello");
        talk.ask("again");
        keep(&archive, [&talk]).await;
        for _ in 0..2 {
            assert_eq!(take(&archive, talk.last()).await, talk.done());
        }
        let twice = archive.advance([talk.last(), talk.last()].into()).await.unwrap();
        assert_eq!(twice, [talk.done(), talk.done()]);
        assert_eq!(archive.events(talk.id(), 0, 100).await.unwrap(), talk.events);
        assert_eq!(archive.session(talk.id()).await.unwrap(), Some(talk.meta.clone()));
        let counts = archive.erase_session(talk.id(), talk.meta.owner).await.unwrap();
        assert_eq!((counts.events, counts.messages, counts.idempotency), (3, 3, 2));
    }

    async fn a_step_that_was_taken_and_left_behind_is_not_taken_again(archive) {
        let mut talk = Talk::new();
        let turn_id = talk.ask("hello");
        let (begin, record) = (talk.last(), talk.records[0].clone());
        talk.end(turn_id, answer("hi"));
        let end = talk.last();
        talk.ask("more");
        keep(&archive, [&talk]).await;
        assert_eq!(take(&archive, begin).await, Advanced::Replayed(record));
        assert_eq!(take(&archive, end).await, Advanced::Outrun);
        assert_eq!(archive.events(talk.id(), 0, 10).await.unwrap(), talk.events);
    }

    async fn a_writer_that_was_outrun_is_refused_and_nothing_of_it_is_kept(archive) {
        let mut mine = Talk::of(1, "hello");
        keep(&archive, [&mine]).await;
        let mut theirs = mine.clone();
        theirs.replica = "b/1";
        mine.ask_with_key("mine", "mine");
        theirs.ask_with_key("theirs", "theirs");
        let taken = archive.advance([mine.last(), theirs.last()].into()).await.unwrap();
        assert_eq!(taken, [mine.done(), Advanced::Outrun]);
        assert_eq!(archive.idempotency(mine.id(), "theirs").await.unwrap(), None);
        let stored = archive.stored(mine.id(), 10).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.events), (mine.version, mine.events));
        assert_eq!((stored.meta, stored.owner.as_deref()), (mine.meta, Some("a/1")));
    }

    async fn a_step_that_starts_from_the_same_seq_and_another_version_is_refused(archive) {
        let talk = Talk::of(1, "hello");
        keep(&archive, [&talk]).await;
        let open_turn = Some(TurnId::new());
        let elsewhere = [
            Version { owner_epoch: 2, ..talk.version },
            Version { head: Head::EMPTY, ..talk.version },
            Version { open_turn, ..talk.version },
        ];
        for version in elsewhere {
            let mut astray = talk.clone();
            astray.version = version;
            astray.ask("from nowhere");
            assert_eq!(take(&archive, astray.last()).await, Advanced::Outrun, "{version:?}");
        }
        assert_eq!(archive.version(talk.id()).await.unwrap(), Some(talk.version));
    }

    async fn a_key_that_is_known_begins_nothing_and_names_its_turn(archive) {
        let mut talk = Talk::of(2, "hello");
        keep(&archive, [&talk]).await;
        talk.ask_with_key("hello again", "k1");
        let known = talk.records[0].clone();
        assert_eq!(take(&archive, talk.last()).await, Advanced::Replayed(known));
        assert_eq!(archive.events(talk.id(), 0, 10).await.unwrap(), talk.events[..4]);
        let mut other = Talk::new();
        other.ask_with_key("another session", "k1");
        keep(&archive, [&other]).await;
    }

    async fn a_session_that_is_not_there_takes_no_step(archive) {
        let talk = Talk::of(2, "never seen");
        assert_eq!(take(&archive, talk.last()).await, Advanced::Missing);
        assert_eq!(archive.session(talk.id()).await.unwrap(), None);
        assert!(archive.events(talk.id(), 0, 10).await.unwrap().is_empty());
    }

    async fn of_many_writers_of_one_session_exactly_one_wins_each_seq(archive) {
        let mut talk = Talk::new();
        keep(&archive, [&talk]).await;
        for round in 0..5 {
            let rivals = rivals(&talk, 8, round);
            let all = rivals.iter().map(|rival| take(&archive, rival.last()));
            let taken = futures_util::future::join_all(all).await;
            let won: Vec<_> = (0..8).filter(|n| taken[*n] == rivals[*n].done()).collect();
            assert_eq!(won.len(), 1, "{taken:?}");
            let outrun = taken.iter().filter(|taken| **taken == Advanced::Outrun).count();
            assert_eq!(outrun, 7, "{taken:?}");
            talk = rivals[won[0]].clone();
            let stored = archive.stored(talk.id(), 100).await.unwrap().unwrap();
            assert_eq!((stored.version, stored.events), (talk.version, talk.events.clone()));
            let turn_id = talk.version.open_turn.unwrap();
            talk.end(turn_id, answer("you were"));
            assert_eq!(take(&archive, talk.last()).await, talk.done());
        }
    }

    async fn steps_of_many_sessions_share_a_transaction(archive) {
        let mut talks: Vec<_> = (0..40).map(|n| Talk::of(1 + n % 3, "hello")).collect();
        keep(&archive, &talks).await;
        for talk in &mut talks {
            talk.ask("and now");
        }
        let steps: Vec<Step> = talks.iter().map(Talk::last).collect();
        let reversed: Vec<Step> = steps.iter().rev().cloned().collect();
        let some = steps[10..30].to_vec();
        let (a, b, c) = tokio::join!(
            archive.advance(steps.into()),
            archive.advance(reversed.into()),
            archive.advance(some.into()),
        );
        let done: Vec<Advanced> = talks.iter().map(Talk::done).collect();
        assert_eq!(a.unwrap(), done);
        assert_eq!(b.unwrap(), done.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(c.unwrap(), done[10..30]);
        for talk in &talks {
            assert_eq!(archive.events(talk.id(), 0, 100).await.unwrap(), talk.events);
        }
    }
}
