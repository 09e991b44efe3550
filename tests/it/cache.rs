//! Answers that are shared, and answers that must not be. Needs the embedding model for the semantic tier.

use actix_web::rt::test;
use serde_json::json;

use super::{fake_model::WORDS, harness::*};

/// Answers of the model serve others at once: these tests are about what comes after that.
fn at_once() -> (&'static str, String) {
    ("cache.confirmations", "1".to_owned())
}

#[test]
async fn the_same_question_of_another_shopper_is_served_from_the_exact_cache() {
    let app = TestApp::with_model_and("ok", &[at_once()]).await;
    for (question, route) in [
        ("Which payment methods do you accept?", "model"),
        ("  which payment METHODS do you accept ", "exact"),
    ] {
        let turn = app.ask(question).await;
        assert_eq!(turn["answer"]["route"], route, "{turn}");
        assert_eq!(turn["answer"]["text"], WORDS.concat());
    }
    assert_eq!(app.model().requests(), 1);
    app.stop().await;
}

#[test]
async fn another_wording_is_served_by_meaning_and_another_fact_is_not() {
    let Some(embedder) = embedder() else { return };
    let app = TestApp::with_model_and("ok", &[embedder, vec![at_once()]].concat()).await;
    for (question, route) in [
        ("How long does standard delivery to Germany take?", "model"),
        ("How long does the standard delivery to Germany take?", "semantic"),
        ("How long does standard delivery to Norway take?", "model"),
    ] {
        let turn = app.ask(question).await;
        assert_eq!(turn["answer"]["route"], route, "{question}: {turn}");
    }
    app.stop().await;
}

#[test]
async fn a_follow_up_or_a_question_with_personal_data_is_never_shared() {
    let app = TestApp::with_model_and("ok", &[at_once()]).await;
    for _ in 0..2 {
        let (shopper, session) = app.chatting().await;
        for question in
            ["Where is my order 00123842?", "and how much is it?", "write to eva@example.com"]
        {
            let turn = shopper.ask(&session, question).await;
            assert_eq!(turn["answer"]["route"], "model", "{question}: {turn}");
        }
    }
    assert_eq!(app.model().requests(), 6);
    app.stop().await;
}

#[test]
async fn a_flood_of_one_question_makes_one_call_and_all_stream_along() {
    let app = TestApp::with_model("step").await;
    let mut streams = Vec::new();
    let mut shoppers = Vec::new();
    for _ in 0..8 {
        shoppers.push(app.visitor().await);
    }
    for shopper in &shoppers {
        let session = shopper.session().await;
        streams.push(shopper.stream(&session, "Which payment methods do you accept?").await);
    }
    app.model().steps.add_permits(100);
    let mut ends = Vec::new();
    for mut stream in streams {
        let events = stream.rest().await;
        assert_eq!(text_of(&events), WORDS.concat());
        ends.push(events.last().unwrap().data.clone());
    }
    assert_eq!(app.model().requests(), 1);
    let routes: Vec<&str> = ends.iter().map(|end| end["route"].as_str().unwrap()).collect();
    let leader = ends.iter().find(|end| end["route"] == "model").unwrap();
    for follower in ends.iter().filter(|end| end["route"] == "coalesced") {
        let expected = json!({"tier": "exact", "entry": leader["message_id"]});
        assert_eq!(follower["cache"], expected);
    }
    assert_eq!(routes.iter().filter(|route| **route == "model").count(), 1, "{routes:?}");
    assert_eq!(routes.iter().filter(|route| **route == "coalesced").count(), 7, "{routes:?}");
    app.stop().await;
}

#[test]
async fn a_follower_takes_over_when_the_leader_is_stopped() {
    let app = TestApp::with_model("step").await;
    let (leader, follower) = (app.visitor().await, app.visitor().await);
    let (first, second) = (leader.session().await, follower.session().await);
    app.model().steps.add_permits(3);
    let question = "Which payment methods do you accept?";
    let mut leading = leader.stream(&first, question).await;
    let seen = leading.until("answer.delta").await;
    let mut following = follower.stream(&second, question).await;
    following.until("answer.delta").await;
    let turn = seen[0].data["turn_id"].as_str().unwrap();
    sent(leader.cancel(&first, turn)).await;
    assert_eq!(leading.rest().await.last().unwrap().name, "turn.cancelled");
    app.model().steps.add_permits(100);
    let rest = following.rest().await;
    assert!(rest.iter().any(|event| event.name == "answer.replaced"), "{rest:?}");
    assert_eq!(rest.last().unwrap().data["text"], WORDS.concat());
    assert_eq!(app.model().requests(), 2);
    app.stop().await;
}

#[test]
async fn a_bad_rating_takes_the_cached_answer_away() {
    let app = TestApp::with_model_and("ok", &[at_once()]).await;
    let question = "Which payment methods do you accept?";
    let mut last = json!(null);
    for _ in 0..2 {
        let (shopper, session) = app.chatting().await;
        last = shopper.ask(&session, question).await;
        if last["answer"]["route"] == "exact" {
            let message = last["answer"]["message_id"].as_str().unwrap();
            sent(shopper.rate(message, "down")).await;
            assert_eq!(shopper.messages(&session).await[1]["feedback"], "down");
        }
    }
    assert_eq!(last["answer"]["route"], "exact");
    assert_eq!(app.ask(question).await["answer"]["route"], "model");
    app.stop().await;
}

#[test]
async fn a_bad_rating_finds_the_cached_answer_after_the_knowledge_changed() {
    let app = TestApp::with_model_and("ok", &[at_once()]).await;
    let admin = app.admin().await;
    let ids = async || {
        let items = ok(admin.cache()).await["items"].as_array().unwrap().clone();
        items.into_iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    for (n, rated) in ["the first answer", "a served answer"].into_iter().enumerate() {
        let question = format!("Which payment methods do you accept for gift box {n}?");
        let (first, session) = app.chatting().await;
        let made = first.ask(&session, &question).await["answer"].clone();
        assert_eq!(ids().await, [made["message_id"].clone()]);
        let (second, session) = app.chatting().await;
        let served = second.ask(&session, &question).await["answer"].clone();
        assert_eq!(served["route"], "exact");
        assert_eq!(served["cache"]["entry"], made["message_id"]);

        let document = json!({"title": "News", "text": format!("# News\n\nNumber {n} is out.")});
        sent(admin.put_document("news", &document)).await;
        assert_eq!(ids().await.len(), 1, "the document is another one");

        let (shopper, answer) = if n == 0 { (&first, &made) } else { (&second, &served) };
        sent(shopper.rate(answer["message_id"].as_str().unwrap(), "down")).await;
        assert!(ids().await.is_empty(), "{rated} was rated down");
    }
    app.stop().await;
}

#[test]
async fn an_operator_lists_and_purges_and_it_is_written_down() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    shopper.ask(&session, "Which payment methods do you accept?").await;
    let admin = app.admin().await;
    assert_eq!(ok(admin.cache()).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(ok(admin.purge(&json!({"all": true}))).await["removed"], 1);
    assert!(ok(admin.cache()).await["items"].as_array().unwrap().is_empty());
    let audit = ok(admin.audit()).await;
    assert_eq!(audit["items"][0]["action"], "cache.purge");
    refused(shopper.purge(&json!({"all": true})), 403, "forbidden").await;
    app.stop().await;
}

#[test]
async fn a_purge_by_tag_takes_what_was_answered_from_its_documents() {
    let app = TestApp::with_model("ok").await;
    let (admin, shopper) = (app.admin().await, app.visitor().await);
    let document = json!({
        "title": "Moonlight Club",
        "text": "# Moonlight Club\n\nThe Moonlight Club costs 12 EUR a year.",
        "tags": ["club"],
    });
    sent(admin.put_document("club", &document)).await;
    for question in ["What does the Moonlight Club cost?", "Which payment methods do you accept?"] {
        let session = shopper.session().await;
        shopper.ask(&session, question).await;
    }
    let purge = async |tag: &str| ok(admin.purge(&json!({ "tag": tag }))).await["removed"].clone();
    assert_eq!(purge("unknown").await, 0);
    assert_eq!(purge("club").await, 1);
    assert_eq!(purge("club").await, 0);
    app.stop().await;
}

#[test]
async fn a_paraphrase_in_flight_is_answered_along() {
    let Some(embedder) = embedder() else { return };
    let app = TestApp::with_model_and("step", &embedder).await;
    let (first, second, third) = (app.visitor().await, app.visitor().await, app.visitor().await);
    let session = first.session().await;
    let mut leader =
        first.stream(&session, "How long does standard delivery to Germany take?").await;
    leader.until("message.created").await;
    settle("the model is asked", async || app.model().requests() == 1).await;
    let session = second.session().await;
    let mut follower =
        second.stream(&session, "How long does the standard delivery to Germany take?").await;
    let started = follower.until("turn.started").await;
    assert_eq!(started.last().unwrap().data["route"], "coalesced");
    // Another country is another question.
    let session = third.session().await;
    let mut other = third.stream(&session, "How long does standard delivery to France take?").await;
    other.until("message.created").await;
    settle("the model is asked again", async || app.model().requests() == 2).await;
    app.model().steps.add_permits(100);
    for stream in [&mut leader, &mut follower, &mut other] {
        let events = stream.until("answer.completed").await;
        assert_eq!(events.last().unwrap().data["text"], WORDS.concat());
    }
    assert_eq!(app.model().requests(), 2);
    drop((leader, follower, other));
    app.stop().await;
}
