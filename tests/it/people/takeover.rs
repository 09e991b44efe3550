//! A person takes over in the middle of an answer: no word of the assistant follows, and nothing
//! that either side said is lost. `RUSHDESK_TAKEOVERS` sets how often this is tried.

use std::time::Duration;

use actix_web::rt::test;
use futures_util::future::join_all;

use super::{names, on_duty};
use crate::{distributed::Stores, fake_model::FakeModel, harness::*};

/// Conversations at once.
const AT_ONCE: usize = 5;
/// An answer of the `slow` model takes about this long.
const ANSWER: Duration = Duration::from_millis(320);

fn tries() -> usize {
    let wanted = std::env::var("RUSHDESK_TAKEOVERS").ok();
    wanted.map_or(50, |wanted| wanted.parse().unwrap())
}

pub(super) fn generous() -> OwnedSettings {
    vec![
        ("limits.visitor_burst", "100000".to_owned()),
        ("limits.visitor_messages_per_hour", "1000000".to_owned()),
        ("limits.address_messages_per_minute", "1000000".to_owned()),
        ("limits.address_reads_per_minute", "1000000".to_owned()),
        ("limits.address_sessions_per_minute", "1000000".to_owned()),
        ("cache.enabled", "false".to_owned()),
    ]
}

/// One take-over at a random moment. The agent may be at another replica than the shopper.
async fn take_over(shopper: &Shopper, agent: &Shopper, nth: usize) {
    let session = shopper.session().await;
    let there = shopper.beside(agent);
    let mut here = shopper.events(&session, None).await;
    let mut elsewhere = there.events(&session, None).await;
    let mut own = shopper.stream(&session, "When do boots ship?").await;
    let moment = ANSWER.mul_f64(rand::random::<f64>());
    tokio::time::sleep(moment).await;
    // At the same time the shopper says something, which may come before or after it.
    let key = format!("second-{nth}");
    let also = shopper.message(&session, &key, "And when do slippers ship?");
    let also = also.header("prefer", "respond-async").send();
    let (accepted, also) = tokio::join!(agent.accept(&session).send(), also);
    let accepted = accepted.unwrap();
    assert_eq!(accepted.status(), 200, "{:?}", accepted.text().await);
    let also = also.unwrap();
    let was_taken = also.status().is_success();
    assert!(was_taken || also.status() == 409, "{:?}", also.text().await);
    // Where the turn ran, which may not have heard of its end yet.
    let key = format!("agent-{nth}");
    let seq = async |who: &Shopper| ok(who.view(&session)).await["last_seq"].as_u64().unwrap();
    let seen = seq(agent).await.max(seq(shopper).await);
    sent(agent.beside(shopper).say(&session, &key, "Hello, I am a person.", seen)).await;
    let key = format!("third-{nth}");
    sent(shopper.message(&session, &key, "Good to hear.")).await;
    for reader in [&mut here, &mut elsewhere] {
        let mut seen = reader.until("agent.message").await;
        seen.extend(reader.until("message.delivered").await);
        while !seen.iter().any(|event| event.data["text"] == "Good to hear.") {
            seen.extend(reader.until("message.delivered").await);
        }
        let taken = seen.iter().position(|event| event.name == "control.changed").unwrap();
        let after = names(&seen[taken + 1..]);
        let speaks = |name: &&str| name.starts_with("answer.") || name.starts_with("turn.");
        let words: Vec<_> = after.iter().filter(|name| speaks(name)).collect();
        assert!(words.is_empty(), "after {moment:?} the assistant said {words:?}: {seen:?}");
        let ids: Vec<u64> =
            seen.iter().filter_map(|event| event.id.as_ref()?.parse().ok()).collect();
        let gapless: Vec<u64> = (1..=ids.len() as u64).collect();
        assert_eq!(ids, gapless, "both sides read the same, in this order");
    }
    own.rest().await;
    let said = shopper.messages(&session).await;
    assert_eq!(said, there.messages(&session).await);
    let count = |text: &str| said.iter().filter(|message| message["text"] == text).count();
    assert_eq!(
        (count("When do boots ship?"), count("Hello, I am a person."), count("Good to hear.")),
        (1, 1, 1)
    );
    assert_eq!(count("And when do slippers ship?"), usize::from(was_taken), "{said:?}");
    // What was broken off is gone, and not half a sentence.
    let cut = said.iter().find(|message| message["status"] == "cancelled");
    assert!(cut.is_none_or(|cut| cut["text"] == ""), "{cut:?}");
}

async fn take_over_again_and_again(shopper: &Shopper, agent: &Shopper) {
    let all: Vec<usize> = (0..tries()).collect();
    for some in all.chunks(AT_ONCE) {
        join_all(some.iter().map(|nth| take_over(shopper, agent, *nth))).await;
    }
}

#[test]
async fn after_a_person_took_over_no_word_of_the_assistant_follows() {
    let app = TestApp::with_model_and("slow", &generous()).await;
    let agent = on_duty(&app, "Mara").await;
    let shopper = app.visitor().await;
    take_over_again_and_again(&shopper, &agent).await;
    app.stop().await;
}

#[test]
async fn after_a_person_took_over_on_another_replica_no_word_of_the_assistant_follows() {
    let Some(stores) = Stores::new().await else { return };
    let fake = FakeModel::start().await;
    let settings = stores.with(&[&[backend("slow", &fake.url)], &generous()[..]].concat());
    let one = TestApp::with(&settings).await;
    let two = TestApp::with(&settings).await;
    let agent = on_duty(&two, "Mara").await;
    let shopper = one.visitor().await;
    take_over_again_and_again(&shopper, &agent).await;
    one.stop().await;
    two.stop().await;
    fake.stop().await;
}
