use diesel::{ExpressionMethods as _, QueryDsl as _, dsl::sql, sql_types::BigInt};
use diesel_async::RunQueryDsl as _;

use super::*;
use crate::archive::{query::transact, schema::replicas};

/// No machine is so busy.
const SHORT: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_hours(1);

impl Archive {
    /// The last beat of `replica` was earlier by so much.
    pub(crate) async fn silence(&self, replica: &str, by: Duration) {
        let (replica, by) = (replica.to_owned(), by.as_millis());
        let silenced = transact!(self, |conn| {
            let earlier = sql::<BigInt>(&format!("seen_at - {by}"));
            let row = diesel::update(replicas::table.find(&replica));
            row.set(replicas::seen_at.eq(earlier)).execute(conn).await
        });
        silenced.unwrap();
    }
}

async fn names(archive: &Archive) -> Vec<String> {
    let mut names: Vec<_> =
        archive.replicas().await.unwrap().into_iter().map(|seen| seen.id).collect();
    names.sort_unstable();
    names
}

on_both! {
    async fn a_replica_that_beats_is_not_silent(archive) {
        assert_eq!(archive.silent_for("a/1").await.unwrap(), None);
        archive.beat("a/1", 1, at(0)).await.unwrap();
        assert!(archive.silent_for("a/1").await.unwrap().unwrap() < SHORT);
        archive.silence("a/1", HOUR).await;
        let silent = archive.silent_for("a/1").await.unwrap().unwrap();
        assert!((HOUR..HOUR + SHORT).contains(&silent), "{silent:?}");
        archive.beat("a/1", 2, at(0)).await.unwrap();
        assert!(archive.silent_for("a/1").await.unwrap().unwrap() < SHORT);
    }

    async fn all_replicas_are_listed_with_their_silence(archive) {
        for replica in ["a/1", "a/2", "b/1"] {
            archive.beat(replica, 1, at(0)).await.unwrap();
        }
        archive.silence("a/2", HOUR).await;
        let silent = archive.replicas().await.unwrap();
        assert_eq!(names(&archive).await, ["a/1", "a/2", "b/1"]);
        for seen in silent {
            assert_eq!(seen.silent >= HOUR, seen.id == "a/2", "{seen:?}");
            assert_eq!(seen.looked_at, at(0));
        }
    }

    async fn a_replica_that_left_is_known_to_nobody(archive) {
        archive.beat("a/1", 1, at(0)).await.unwrap();
        archive.beat("b/1", 1, at(0)).await.unwrap();
        archive.leave("a/1").await.unwrap();
        archive.leave("a/1").await.unwrap();
        assert_eq!(archive.silent_for("a/1").await.unwrap(), None);
        assert_eq!(names(&archive).await, ["b/1"]);
    }

    async fn replicas_that_were_silent_for_too_long_are_forgotten(archive) {
        for replica in ["a/1", "b/1", "c/1"] {
            archive.beat(replica, 1, at(0)).await.unwrap();
        }
        archive.silence("a/1", HOUR * 3).await;
        archive.silence("b/1", HOUR).await;
        archive.forget_silent(HOUR * 2).await.unwrap();
        assert_eq!(names(&archive).await, ["b/1", "c/1"]);
    }
}
