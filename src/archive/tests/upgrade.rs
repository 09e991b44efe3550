//! A database of the build before sessions had owners.

use diesel::{migration::Migration, sql_query};
use diesel_async::{
    AsyncConnection, RunQueryDsl as _, async_connection_wrapper::AsyncConnectionWrapper,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{talk::take, *};
use crate::archive::{handle::Store, query::transact};

const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// The first step that the old build does not know.
const OWNERS: &str = "20261129";

fn apply_older<C>(connection: C, steps: EmbeddedMigrations)
where
    C: AsyncConnection,
    AsyncConnectionWrapper<C>: MigrationHarness<C::Backend>,
{
    let mut connection = AsyncConnectionWrapper::<C>::from(connection);
    let steps = connection.pending_migrations(steps).unwrap();
    for step in steps.iter().filter(|step| *step.name().version().to_string() < *OWNERS) {
        connection.run_migration(step.as_ref()).unwrap();
    }
}

async fn migrate_to_the_old_build(archive: &Archive) {
    let done = match &archive.store {
        Store::Mysql(pool) => {
            let lease = pool.take().await.unwrap();
            archive
                .on_blocking_thread(move || {
                    apply_older(lease.connection, MYSQL);
                    Ok(())
                })
                .await
        }
        Store::Sqlite { writer, .. } => {
            let lease = writer.take().await.unwrap();
            archive
                .on_blocking_thread(move || {
                    apply_older(lease.connection, SQLITE);
                    Ok(())
                })
                .await
        }
    };
    done.unwrap();
}

/// Writes a session as the old build did: without an owner and without a head.
async fn write_as_the_old_build(archive: &Archive, talk: &Talk) {
    let SessionMeta { id, owner, last_seq, .. } = talk.meta;
    let (created, updated) = (talk.meta.created_at.as_millis(), talk.meta.updated_at.as_millis());
    let open = talk.version.open_turn.map_or("NULL".into(), |turn| format!("'{turn}'"));
    let mut statements = vec![format!(
        "INSERT INTO sessions (id, site_id, owner_id, created_at, updated_at, last_seq, state, \
         controller, epoch, locale, open_turn_id) VALUES ('{id}', 'demo', '{owner}', {created}, \
         {updated}, {last_seq}, 'open', 'bot', 0, 'en', {open})"
    )];
    for event in &talk.events {
        let (seq, turn_id, at) = (event.seq, event.turn_id, event.at.as_millis());
        let (kind, payload) = (event.fact.name(), serde_json::to_string(event).unwrap());
        statements.push(format!(
            "INSERT INTO events (session_id, seq, turn_id, kind, epoch, at, payload) VALUES \
             ('{id}', {seq}, '{turn_id}', '{kind}', 0, {at}, '{payload}')"
        ));
    }
    statements.push(format!(
        "INSERT INTO detached_sessions (session_id, last_seq, running) VALUES ('{id}', 0, NULL)"
    ));
    let written = transact!(archive, |conn| {
        for statement in &statements {
            sql_query(statement).execute(conn).await?;
        }
        Ok(())
    });
    written.unwrap();
}

async fn check(archive: Archive) {
    migrate_to_the_old_build(&archive).await;
    let mut answered = Talk::of(2, "hello");
    let mut asked = Talk::of(1, "hello");
    let turn_id = asked.ask("are you there?");
    for talk in [&answered, &asked] {
        write_as_the_old_build(&archive, talk).await;
    }
    let applied = archive.migrate().await.unwrap();
    assert!(applied[0].starts_with(OWNERS), "{applied:?}");

    for talk in [&mut answered, &mut asked] {
        // Nobody owns it, and its head begins here.
        talk.version = Version { owner_epoch: 0, head: Head::EMPTY, ..talk.version };
        let stored = archive.stored(talk.id(), 100).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.owner), (talk.version, None));
        assert_eq!((&stored.meta, &stored.events), (&talk.meta, &talk.events));
        talk.replica = "b/1";
    }
    let open = archive.open_turns_without(&["b/1".into()], 10).await.unwrap();
    assert_eq!((open.len(), open[0].turn, open[0].owner.as_str()), (1, turn_id, ""));

    answered.ask("still there?");
    asked.end(turn_id, answer("yes"));
    for talk in [&answered, &asked] {
        assert_eq!(talk.version.owner_epoch, 1);
        assert_eq!(take(&archive, talk.last()).await, talk.done());
        assert_eq!(take(&archive, talk.last()).await, talk.done());
        let stored = archive.stored(talk.id(), 100).await.unwrap().unwrap();
        assert_eq!((stored.version, &stored.events), (talk.version, &talk.events));
        assert_eq!(stored.owner.as_deref(), Some("b/1"));
    }
}

#[tokio::test]
async fn sessions_of_the_build_before_owners_go_on_on_sqlite() {
    with_empty_sqlite(check).await;
}

#[tokio::test]
async fn sessions_of_the_build_before_owners_go_on_on_mysql() {
    with_empty_mysql(check).await;
}
