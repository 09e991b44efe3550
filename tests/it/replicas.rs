//! Two replicas, one session: a reader of one sees what the other one writes, as it is written.

use actix_web::rt::test;
use reqwest::StatusCode;

use super::{
    distributed::Stores,
    fake_model::{FakeModel, WORDS},
    harness::*,
    servers::Server,
};

struct Pair {
    fake: FakeModel,
    one: TestApp,
    two: TestApp,
}

impl Pair {
    /// Two under one name, as on one machine.
    async fn start() -> Option<Self> {
        let stores = Stores::new().await?;
        let fake = FakeModel::start().await;
        let settings = stores.with(&[backend("step", &fake.url)]);
        let one = TestApp::with(&settings).await;
        let two = TestApp::with(&settings).await;
        Some(Self { fake, one, two })
    }

    async fn stop(self) {
        self.one.stop().await;
        self.two.stop().await;
        self.fake.stop().await;
    }
}

/// Everything until the answer reads like this.
async fn until_text(events: &mut Events, text: &str) -> Vec<Event> {
    let mut seen = Vec::new();
    while text_of(&seen) != text {
        seen.push(events.next().await.expect("the stream ended early"));
    }
    seen
}

#[test]
async fn a_reader_on_another_replica_reads_along_while_the_answer_is_written() {
    let Some(pair) = Pair::start().await else { return };
    let (here, session) = pair.one.chatting().await;
    let there = here.at(&pair.two);
    pair.fake.steps.add_permits(3);
    let mut own = here.stream(&session, "When do boots ship?").await;
    until_text(&mut own, "All boots ").await;
    // Opened in the middle.
    let mut other = there.events(&session, None).await;
    let seen = until_text(&mut other, "All boots ").await;
    assert_eq!(seen[0].name, "message.created");
    let history = there.messages(&session).await;
    assert_eq!(
        (history[1]["status"].as_str(), history[1]["text"].as_str()),
        (Some("streaming"), Some("All boots "))
    );
    pair.fake.steps.add_permits(1);
    until_text(&mut other, "ship ").await;
    pair.fake.steps.add_permits(100);
    let rest = other.until("answer.completed").await;
    assert_eq!(rest.last().unwrap().data["text"], WORDS.concat());
    own.until("answer.completed").await;
    assert_eq!(there.messages(&session).await, here.messages(&session).await);
    assert_eq!(pair.fake.requests(), 1);
    pair.stop().await;
}

#[test]
async fn replicas_of_one_name_leave_each_others_turns_alone() {
    let Some(pair) = Pair::start().await else { return };
    let ((one, here), (two, there)) = (pair.one.chatting().await, pair.two.chatting().await);
    let mut first = one.stream(&here, "When do boots ship?").await;
    first.until("message.created").await;
    let mut second = two.stream(&there, "And when do tents ship?").await;
    second.until("message.created").await;
    for app in [&pair.one, &pair.two] {
        settle("both turns are known to run", async || {
            app.archive().open_turns_without(&[], 10).await.is_ok_and(|turns| turns.len() == 2)
        })
        .await;
        assert!(app.app().journal.abandoned(10).await.unwrap().is_empty());
    }
    // Each session is opened on the other replica too, which would end what nobody runs.
    for (app, session, shopper) in [(&pair.two, &here, &one), (&pair.one, &there, &two)] {
        let elsewhere = shopper.at(app);
        assert_eq!(elsewhere.messages(session).await[0]["seq"], 1);
    }
    pair.fake.steps.add_permits(100);
    for events in [&mut first, &mut second] {
        let end = events.until("answer.completed").await.pop().unwrap();
        assert_eq!(end.data["text"], WORDS.concat());
    }
    pair.stop().await;
}

#[test]
async fn an_idle_stream_on_another_replica_hears_of_every_turn() {
    let Some(pair) = Pair::start().await else { return };
    let (here, session) = pair.one.chatting().await;
    let there = here.at(&pair.two);
    let mut other = there.events(&session, None).await;
    for question in ["When do boots ship?", "And when do tents ship?"] {
        let key = uuid::Uuid::now_v7().to_string();
        let sent = here.message(&session, &key, question).header("prefer", "respond-async");
        assert_eq!(status_of(sent).await, StatusCode::ACCEPTED);
        let created = other.until("message.created").await;
        assert_eq!(created.last().unwrap().data["text"], question);
        pair.fake.steps.add_permits(2);
        until_text(&mut other, "All ").await;
        pair.fake.steps.add_permits(8);
        other.until("answer.completed").await;
    }
    // Its turn now: the other replica knows what was said.
    pair.fake.steps.add_permits(100);
    let turn = there.ask(&session, "And what about socks?").await;
    assert_eq!(turn["message"]["seq"], 5);
    assert!(pair.fake.last_prompt().contains("tents"));
    pair.stop().await;
}

#[test]
async fn the_same_request_on_another_replica_streams_the_same_turn() {
    let Some(pair) = Pair::start().await else { return };
    let (here, session) = pair.one.chatting().await;
    let there = here.at(&pair.two);
    pair.fake.steps.add_permits(2);
    let streamed = |shopper: &Shopper| {
        let request = shopper.message(&session, "same", "When do boots ship?");
        request.header("accept", "text/event-stream")
    };
    let mut first = Events::of(streamed(&here).send().await.unwrap());
    let turn = first.until("answer.delta").await[0].data["turn_id"].clone();
    let again = streamed(&there).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    let mut again = Events::of(again);
    until_text(&mut again, "All ").await;
    pair.fake.steps.add_permits(100);
    let end = again.until("answer.completed").await.pop().unwrap();
    assert_eq!((&end.data["turn_id"], end.data["text"].as_str()), (&turn, Some(&*WORDS.concat())));
    first.until("answer.completed").await;
    assert_eq!(pair.fake.requests(), 1);
    pair.stop().await;
}

#[test]
async fn a_cancel_and_an_erasure_reach_the_other_replica() {
    let Some(pair) = Pair::start().await else { return };
    let (here, session) = pair.one.chatting().await;
    let there = here.at(&pair.two);
    let mut other = there.events(&session, None).await;
    pair.fake.steps.add_permits(2);
    let mut own = here.stream(&session, "When do boots ship?").await;
    let delta = own.until("answer.delta").await.pop().unwrap();
    other.until("answer.delta").await;
    let turn = delta.data["turn_id"].as_str().unwrap();
    assert_eq!(ok(there.cancel(&session, turn)).await["status"], "stopping");
    own.until("turn.cancelled").await;
    other.until("turn.cancelled").await;
    sent(here.erase(&session)).await;
    let last = other.rest().await.pop().unwrap();
    assert_eq!((last.name.as_str(), &last.data["problem"]["code"]), ("error", &"erased".into()));
    refused(there.view(&session), 410, "erased").await;
    pair.stop().await;
}

#[test]
async fn one_question_at_once_on_two_replicas_is_answered_once() {
    let Some(pair) = Pair::start().await else { return };
    let ((one, here), (two, there)) = (pair.one.chatting().await, pair.two.chatting().await);
    pair.fake.steps.add_permits(2);
    let mut leader = one.stream(&here, "When do boots ship?").await;
    until_text(&mut leader, "All ").await;
    let mut follower = two.stream(&there, "When do boots ship?").await;
    until_text(&mut follower, "All ").await;
    pair.fake.steps.add_permits(100);
    let end = follower.until("answer.completed").await.pop().unwrap();
    assert_eq!(
        (end.data["route"].as_str(), end.data["text"].as_str()),
        (Some("coalesced"), Some(&*WORDS.concat()))
    );
    leader.until("answer.completed").await;
    assert_eq!(pair.fake.requests(), 1);
    pair.stop().await;
}

#[test]
async fn a_leader_that_is_cancelled_is_replaced_by_its_follower_on_the_other_replica() {
    let Some(pair) = Pair::start().await else { return };
    let ((one, here), (two, there)) = (pair.one.chatting().await, pair.two.chatting().await);
    pair.fake.steps.add_permits(2);
    let mut leader = one.stream(&here, "When do boots ship?").await;
    let delta = leader.until("answer.delta").await.pop().unwrap();
    let mut follower = two.stream(&there, "When do boots ship?").await;
    until_text(&mut follower, "All ").await;
    let turn = delta.data["turn_id"].as_str().unwrap();
    sent(one.cancel(&here, turn)).await;
    leader.until("turn.cancelled").await;
    pair.fake.steps.add_permits(100);
    let end = follower.until("answer.completed").await.pop().unwrap();
    assert_eq!(end.data["text"], WORDS.concat());
    assert_eq!(pair.fake.requests(), 2);
    pair.stop().await;
}

#[test]
async fn without_redis_a_reader_on_another_replica_is_a_second_behind_and_misses_nothing() {
    let Some(stores) = Stores::new().await else { return };
    let Some(mut redis) = Server::redis().await else { return };
    let settings = stores
        .with(&[("store.redis_url", redis.redis_url()), ("store.redis_timeout_ms", "500".into())]);
    let one = TestApp::with(&settings).await;
    let two = TestApp::with(&settings).await;
    let (here, session) = one.chatting().await;
    let there = here.at(&two);
    let mut other = there.events(&session, None).await;
    redis.kill();
    for question in ["What is the price guarantee?", "Which payment methods do you accept?"] {
        here.ask(&session, question).await;
        let seen = other.until("answer.completed").await;
        assert!(seen.iter().all(|event| event.name != "stream.reset"), "{seen:?}");
        // The owner changes with every message.
        there.ask(&session, "And what are your hours?").await;
        let seen = other.until("answer.completed").await;
        assert!(seen.last().unwrap().id.is_some());
    }
    drop(other);
    assert_eq!(there.messages(&session).await.len(), 8);
    assert_eq!(there.messages(&session).await, here.messages(&session).await);
    one.stop().await;
    two.stop().await;
}

#[test]
async fn a_position_that_only_the_other_replica_has_shown_is_no_reset() {
    let Some(stores) = Stores::new().await else { return };
    // Without letters: another prefix is another inbox.
    let one = TestApp::with(&stores.settings).await;
    let two = TestApp::with(&stores.with(&[("store.redis_prefix", "elsewhere".into())])).await;
    let (here, session) = one.chatting().await;
    let there = here.at(&two);
    // Both know the session as it was.
    assert_eq!((here.messages(&session).await.len(), there.messages(&session).await.len()), (0, 0));
    here.ask(&session, "What is the price guarantee?").await;
    let mut other = there.events(&session, Some("2")).await;
    here.ask(&session, "Which payment methods do you accept?").await;
    let seen = other.until("answer.completed").await;
    assert!(seen.iter().all(|event| event.name != "stream.reset"), "{seen:?}");
    drop(other);
    let mut beyond = there.events(&session, Some("77")).await;
    assert_eq!(beyond.next().await.unwrap().name, "stream.reset");
    drop(beyond);
    one.stop().await;
    two.stop().await;
}

#[test]
async fn sessions_move_between_replicas_with_every_message() {
    let Some(pair) = Pair::start().await else { return };
    pair.fake.steps.add_permits(1_000);
    let (here, session) = pair.one.chatting().await;
    let there = here.at(&pair.two);
    for turn in 0..4 {
        let shopper = if turn % 2 == 0 { &here } else { &there };
        let answer = shopper.ask(&session, &format!("When do boots ship, part {turn}?")).await;
        assert_eq!(answer["message"]["seq"], 2 * turn + 1, "{answer}");
    }
    assert_eq!(here.messages(&session).await, there.messages(&session).await);
    pair.stop().await;
}
