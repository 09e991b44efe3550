use futures_util::future::join_all;
use tokio_util::task::TaskTracker;

use super::*;
use crate::archive::{ArchiveError, GroupCommit};

on_both! {
    async fn everybody_who_waits_is_answered_when_their_batch_is_kept(archive) {
        let tracker = TaskTracker::new();
        let group = GroupCommit::start(archive.clone(), 32, &tracker);
        let batches: Vec<_> = (0..300).map(|_| batch(1, "hello")).collect();
        let outcomes = join_all(batches.iter().map(|batch| async {
            group.commit(batch.clone()).await.unwrap();
            archive.events(batch.meta.id, 0, 10).await.unwrap() == batch.events
        }))
        .await;
        assert!(outcomes.into_iter().all(|kept| kept));
        drop(group);
        tracker.close();
        tracker.wait().await;
    }

    async fn one_bad_batch_does_not_fail_the_others(archive) {
        let tracker = TaskTracker::new();
        let group = GroupCommit::start(archive.clone(), 32, &tracker);
        let mut mine = batch(1, "hello");
        let mut theirs = mine.clone();
        ask(&mut mine, "mine");
        ask(&mut theirs, "theirs");
        archive.commit(std::slice::from_ref(&mine)).await.unwrap();
        let mut batches: Vec<_> = (0..9).map(|_| batch(1, "fine")).collect();
        batches.insert(4, theirs);
        let outcomes = join_all(batches.iter().map(|batch| group.commit(batch.clone()))).await;
        for (n, outcome) in outcomes.into_iter().enumerate() {
            assert_eq!(outcome, if n == 4 { Err(ArchiveError::Conflict) } else { Ok(()) });
        }
    }
}
