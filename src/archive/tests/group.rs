use futures_util::future::join_all;
use tokio_util::task::TaskTracker;

use super::*;
use crate::archive::{Advanced, ArchiveError, GroupCommit};

on_both! {
    async fn everybody_who_waits_is_answered_when_their_step_is_kept(archive) {
        let tracker = TaskTracker::new();
        let group = GroupCommit::start(archive.clone(), 32, &tracker);
        let talks: Vec<_> = (0..300).map(|_| Talk::of(1, "hello")).collect();
        let kept = join_all(talks.iter().map(|talk| async {
            let created = group.advance(talk.creation()).await;
            assert_eq!(created, Ok(Advanced::Done(Version::NEW)));
            assert_eq!(group.advance(talk.last()).await, Ok(talk.done()));
            archive.events(talk.id(), 0, 10).await.unwrap() == talk.events
        }))
        .await;
        assert!(kept.into_iter().all(|kept| kept));
        drop(group);
        tracker.close();
        tracker.wait().await;
    }

    async fn one_bad_step_does_not_hurt_the_others(archive) {
        let group = GroupCommit::start(archive.clone(), 32, &TaskTracker::new());
        let known = Talk::of(1, "hello");
        let mut talks: Vec<_> = (0..9).map(|_| Talk::new()).collect();
        keep(&archive, talks.iter().chain([&known])).await;
        for (n, talk) in talks.iter_mut().enumerate() {
            // No two messages have the same id.
            let fact = if n == 4 { known.events[0].fact.clone() } else { question("fine") };
            talk.add(TurnId::new(), [fact], Some("key"));
        }
        let taken = join_all(talks.iter().map(|talk| group.advance(talk.last()))).await;
        for (n, (talk, taken)) in talks.iter().zip(taken).enumerate() {
            let bad = n == 4;
            assert_eq!(taken, if bad { Err(ArchiveError::Conflict) } else { Ok(talk.done()) });
            let events = archive.events(talk.id(), 0, 10).await.unwrap();
            assert_eq!(events, talk.events[usize::from(bad)..]);
            let version = archive.version(talk.id()).await.unwrap().unwrap();
            assert_eq!(version, if bad { Version::NEW } else { talk.version });
        }
    }
}
