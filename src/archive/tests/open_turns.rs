use super::{talk::take, *};
use crate::archive::OpenTurn;

/// Sessions with an open turn of each replica, oldest first, and one without.
async fn asked(archive: &Archive, replicas: &[&'static str]) -> Vec<Talk> {
    let mut talks = Vec::new();
    for replica in replicas {
        let mut talk = Talk::of(1, "done");
        talk.replica = replica;
        talk.ask("and then?");
        talks.push(talk);
    }
    let done = Talk::of(1, "done");
    keep(archive, talks.iter().chain([&done])).await;
    talks
}

fn told(turns: &[OpenTurn]) -> Vec<(SessionId, TurnId, &str)> {
    turns.iter().map(|open| (open.session, open.turn, open.owner.as_str())).collect()
}

fn open<'a>(talks: impl IntoIterator<Item = &'a Talk>) -> Vec<(SessionId, TurnId, &'a str)> {
    let turn = |talk: &'a Talk| (talk.id(), talk.version.open_turn.unwrap(), talk.replica);
    talks.into_iter().map(turn).collect()
}

on_both! {
    async fn a_turn_is_open_until_it_has_an_end(archive) {
        let mut talks = asked(&archive, &["a/1"]).await;
        let found = archive.open_turns_without(&[], 10).await.unwrap();
        assert_eq!(told(&found), open(&talks));
        let turn_id = talks[0].version.open_turn.unwrap();
        talks[0].end(turn_id, Fact::cancelled(String::new()));
        assert_eq!(take(&archive, talks[0].last()).await, talks[0].done());
        assert!(archive.open_turns_without(&[], 10).await.unwrap().is_empty());
        assert!(archive.open_turns_of("a/1", 10).await.unwrap().is_empty());
    }

    async fn open_turns_are_told_apart_by_their_replica(archive) {
        let talks = asked(&archive, &["a/1", "b/1", "a/1", "c/1"]).await;
        let living = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let without = async |names: &[&str], limit| {
            archive.open_turns_without(&living(names), limit).await.unwrap()
        };
        assert_eq!(told(&without(&["a/1", "d/1"], 10).await), open([&talks[1], &talks[3]]));
        assert_eq!(told(&without(&["a/1"], 1).await), open([&talks[1]]));
        assert!(without(&["a/1", "b/1", "c/1"], 10).await.is_empty());
        let own = archive.open_turns_of("a/1", 10).await.unwrap();
        assert_eq!(told(&own), open([&talks[0], &talks[2]]));
        let own = archive.open_turns_of("a/1", 1).await.unwrap();
        assert_eq!(told(&own), open([&talks[0]]));
        assert!(archive.open_turns_of("d/1", 10).await.unwrap().is_empty());
    }

    async fn an_open_turn_belongs_to_the_replica_that_took_its_session_over(archive) {
        let mut talk = Talk::of(1, "hello");
        talk.replica = "b/1";
        talk.ask("and you?");
        keep(&archive, [&talk]).await;
        assert!(archive.open_turns_of("a/1", 10).await.unwrap().is_empty());
        let own = archive.open_turns_of("b/1", 10).await.unwrap();
        assert_eq!(told(&own), open([&talk]));
    }
}
