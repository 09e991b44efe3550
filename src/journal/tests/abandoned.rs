use tokio::time::advance;

use super::*;
use crate::domain::{Appended, Running};

fn replica(archive: &Archive, name: &str) -> Journal {
    journal(archive, Peers::many(name.into(), DEAD_AFTER))
}

/// All of them beat without a gap for so long that they may judge others.
async fn beat(journals: &[&Journal]) {
    for _ in 0..=DEAD_AFTER.as_secs() {
        for journal in journals {
            journal.beat().await.unwrap();
        }
        advance(Duration::from_secs(1)).await;
    }
}

/// A session whose first turn `journal` has begun.
async fn begin(journal: &Journal) -> (SessionId, Running) {
    let meta = meta();
    journal.create(&meta).await.unwrap();
    let message = message(&meta, "hello");
    let turn_id = message.events[0].turn_id;
    assert!(matches!(journal.append(&message).await.unwrap(), Appended::Done(_)));
    (meta.id, Running { turn_id, replica: journal.replica().into() })
}

#[tokio::test(start_paused = true)]
async fn a_turn_of_a_replica_that_beats_is_left_alone_and_that_of_a_dead_one_is_not() {
    let (_folder, archive) = archive().await;
    let (me, living, dead) =
        (replica(&archive, "me/1"), replica(&archive, "living/1"), replica(&archive, "dead/1"));
    beat(&[&me, &living, &dead]).await;
    let (_, running) = begin(&living).await;
    let (ended, abandoned) = begin(&dead).await;
    assert!(!me.is_abandoned(&running).await.unwrap());
    assert!(!me.is_abandoned(&abandoned).await.unwrap());
    assert!(me.abandoned(10).await.unwrap().is_empty());

    archive.silence("dead/1", DEAD_AFTER).await;
    beat(&[&me, &living]).await;
    assert!(!me.is_abandoned(&running).await.unwrap());
    assert!(me.is_abandoned(&abandoned).await.unwrap());
    assert_eq!(me.abandoned(10).await.unwrap(), [ended]);
    let opened = me.open(ended).await.unwrap();
    assert_eq!(opened.running, Some(abandoned));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_missed_its_own_beats_calls_nobody_dead() {
    let (_folder, archive) = archive().await;
    let (me, other) = (replica(&archive, "me/1"), replica(&archive, "other/1"));
    beat(&[&me, &other]).await;
    let (id, running) = begin(&other).await;
    // The archive was away: nobody could beat.
    for name in ["me/1", "other/1"] {
        archive.silence(name, DEAD_AFTER * 2).await;
    }
    advance(DEAD_AFTER * 2).await;
    me.beat().await.unwrap();
    assert!(!me.is_abandoned(&running).await.unwrap());
    assert!(me.abandoned(10).await.unwrap().is_empty());
    // One that has just started knows as little.
    let new = replica(&archive, "new/1");
    new.beat().await.unwrap();
    assert!(!new.is_abandoned(&running).await.unwrap());
    beat(&[&me]).await;
    assert!(me.is_abandoned(&running).await.unwrap());
    assert_eq!(me.abandoned(10).await.unwrap(), [id]);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_left_has_no_turns() {
    let (_folder, archive) = archive().await;
    let (me, other) = (replica(&archive, "me/1"), replica(&archive, "other/1"));
    me.beat().await.unwrap();
    other.beat().await.unwrap();
    let (id, running) = begin(&other).await;
    assert!(!me.is_abandoned(&running).await.unwrap());
    archive.leave("other/1").await.unwrap();
    assert!(me.is_abandoned(&running).await.unwrap());
    me.beat().await.unwrap();
    assert_eq!(me.abandoned(10).await.unwrap(), [id]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_of_this_process_is_abandoned_unless_it_runs_it_or_will() {
    let (_folder, archive) = archive().await;
    for peers in [Peers::alone("me/1".into()), Peers::many("me/2".into(), DEAD_AFTER)] {
        let me = journal(&archive, peers);
        let (id, running) = begin(&me).await;
        assert!(me.is_abandoned(&running).await.unwrap());
        assert_eq!(me.abandoned(10).await.unwrap(), [id]);
        let held = me.will_run(running.turn_id);
        assert!(!me.is_abandoned(&running).await.unwrap());
        assert!(me.abandoned(10).await.unwrap().is_empty());
        drop(held);
        assert!(me.is_abandoned(&running).await.unwrap());
        archive.erase_session(id, meta().owner).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_one_process_every_other_one_is_dead() {
    let (_folder, archive) = archive().await;
    let before = journal(&archive, Peers::alone("me/1".into()));
    let (id, running) = begin(&before).await;
    let _held = before.will_run(running.turn_id);
    let me = journal(&archive, Peers::alone("me/2".into()));
    assert!(me.is_abandoned(&running).await.unwrap());
    assert_eq!(me.abandoned(10).await.unwrap(), [id]);
}
