//! Yes and no: by button and by words, once, by their owner, in time, and within limits.

use actix_web::rt::test;
use futures_util::future::join;
use serde_json::json;

use super::*;
use crate::distributed::Stores;

#[test]
async fn a_confirmed_change_is_made_once_and_the_same_again_is_the_same_turn() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-1", VALID)).await;
    let confirmed = ok(proposed.confirm(&shopper)).await;
    assert_eq!(confirmed["message"]["text"], "Yes, please: Cancel order FJ-1");
    assert_eq!(confirmed["answer"]["text"], "Order FJ-1 is cancelled.");
    assert_eq!(confirmed["answer"]["route"], "tool");
    for _ in 0..2 {
        let again = sent(proposed.confirm(&shopper)).await;
        assert_eq!(again.headers()["idempotency-replayed"], "true");
        assert_eq!(body(again).await["turn_id"], confirmed["turn_id"]);
    }
    refused(proposed.decline(&shopper), 409, "conflict").await;
    assert_eq!(shop.done("FJ-1"), 1);
    let events = app.archive().events(session.parse().unwrap(), 3, 10).await.unwrap();
    let names: Vec<String> = events.iter().map(|event| event.fact.name().into_owned()).collect();
    assert_eq!(names, ["message.created", "action.result", "answer.completed"]);
    assert_eq!(statuses(&results(&app, &session, &proposed.id).await), ["done"]);
    assert_eq!(state(&app, &proposed.id).await, "done");
    let audit = ok(app.admin().await.audit()).await;
    let acts: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(acts, ["action.result", "action.confirm"]);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_declined_change_is_not_made_and_cannot_be_confirmed_afterwards() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-2", VALID)).await;
    let declined = ok(proposed.decline(&shopper)).await;
    assert_eq!(declined["answer"]["text"], "All right, nothing was changed.");
    assert_eq!(ok(proposed.decline(&shopper)).await["turn_id"], declined["turn_id"]);
    refused(proposed.confirm(&shopper), 409, "conflict").await;
    assert_eq!(shop.done("FJ-2"), 0);
    assert_eq!(statuses(&results(&app, &session, &proposed.id).await), ["declined"]);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn nobody_confirms_what_was_not_shown_or_is_not_theirs() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-3", VALID)).await;
    let other = Proposed { hash: "0".repeat(64), ..proposed.clone() };
    refused(other.confirm(&shopper), 409, "effect_changed").await;
    let stranger = app.visitor().await;
    refused(proposed.confirm(&stranger), 404, "not_found").await;
    refused(proposed.decline(&stranger), 404, "not_found").await;
    refused(proposed.confirm(&app.admin().await), 403, "forbidden").await;
    let unknown = Proposed { id: uuid::Uuid::now_v7().to_string(), ..proposed.clone() };
    refused(unknown.confirm(&shopper), 404, "not_found").await;
    let mut draft = draft("FJ-3-own", VALID);
    draft.signed_in = true;
    let own = propose(&app, &session, draft).await;
    refused(own.confirm(&shopper), 409, "identity_required").await;
    assert_eq!((shop.done("FJ-3"), shop.done("FJ-3-own")), (0, 0));
    assert_eq!(state(&app, &proposed.id).await, "proposed");
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_proposal_expires_and_a_late_yes_is_told_so() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-4", Duration::ZERO)).await;
    let late = ok(proposed.confirm(&shopper)).await;
    assert!(late["answer"]["text"].as_str().unwrap().contains("expired"), "{late}");
    assert_eq!(ok(proposed.confirm(&shopper)).await["turn_id"], late["turn_id"]);
    let other = propose(&app, &session, draft("FJ-5", Duration::ZERO)).await;
    settle("nobody decided", async || state(&app, &other.id).await == "expired").await;
    let late = ok(other.confirm(&shopper)).await;
    assert!(late["answer"]["text"].as_str().unwrap().contains("expired"), "{late}");
    assert_eq!(statuses(&results(&app, &session, &other.id).await), ["expired"]);
    assert_eq!((shop.done("FJ-4"), shop.done("FJ-5")), (0, 0));
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn yes_and_no_in_words_decide_right_after_the_answer_only() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-6", VALID)).await;
    let turn = ok(shopper.message(&session, "yes", "Yes, please!")).await;
    assert_eq!(turn["message"]["text"], "Yes, please!");
    assert_eq!(turn["answer"]["text"], "Order FJ-6 is cancelled.");
    // The button and the message repeat the same turn.
    assert_eq!(ok(proposed.confirm(&shopper)).await["turn_id"], turn["turn_id"]);
    let again = ok(shopper.message(&session, "yes", "Yes, please!")).await;
    assert_eq!(again["turn_id"], turn["turn_id"]);

    let proposed = propose(&app, &session, draft("FJ-7", VALID)).await;
    let turn = shopper.ask(&session, "No, thanks").await;
    assert_eq!(turn["answer"]["text"], "All right, nothing was changed.");
    assert_eq!(state(&app, &proposed.id).await, "declined");

    // Another message is in between, so "yes" is about something else; the button still works.
    let proposed = propose(&app, &session, draft("FJ-8", VALID)).await;
    shopper.ask(&session, "How long do returns take?").await;
    shopper.ask(&session, "yes").await;
    assert_eq!((shop.done("FJ-8"), state(&app, &proposed.id).await), (0, "proposed"));
    ok(proposed.confirm(&shopper)).await;
    let done = ["FJ-6", "FJ-7", "FJ-8"].map(|order| shop.done(order));
    assert_eq!(done, [1, 0, 1]);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_decision_streams_like_a_message_on_its_response_and_on_sockets() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-9", VALID)).await;
    let request = proposed.confirm(&shopper).header("accept", "text/event-stream");
    let mut events = Events::of(request.send().await.unwrap());
    let names: Vec<String> = events.rest().await.into_iter().map(|event| event.name).collect();
    assert_eq!(names.first().unwrap(), "message.created");
    assert_eq!(names[names.len() - 2..], ["action.result", "answer.completed"]);
    let proposed = propose(&app, &session, draft("FJ-10", VALID)).await;
    let mut socket = Socket::open(&shopper, &session, Some("8")).await;
    socket.send(json!({"type": "confirm", "action_id": proposed.id, "hash": "0"})).await;
    let error = socket.until("error").await;
    assert_eq!(error.last().unwrap()["problem"]["code"], "effect_changed");
    socket.send(json!({"type": "confirm", "action_id": proposed.id, "hash": proposed.hash})).await;
    let told = socket.until("action.result").await;
    assert_eq!(told.last().unwrap()["status"], "done");
    socket.until("answer.completed").await;
    drop((events, socket));
    let proposed = propose(&app, &session, draft("FJ-11", VALID)).await;
    let mut socket = Socket::open(&shopper, &session, Some("14")).await;
    socket.send(json!({"type": "decline", "action_id": proposed.id})).await;
    let told = socket.until("action.result").await;
    assert_eq!(told.last().unwrap()["status"], "declined");
    drop(socket);
    let proposed = propose(&app, &session, draft("FJ-12-slow", VALID)).await;
    let accepted = proposed.confirm(&shopper).header("prefer", "respond-async");
    assert_eq!(accepted.send().await.unwrap().status(), 202);
    settle("it was done", async || state(&app, &proposed.id).await == "done").await;
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn more_changes_than_a_day_may_have_are_not_made() {
    let limits = [("actions.per_shopper_a_day", "2".to_owned())];
    let (app, shop, shopper, session) = with_shop(&limits).await;
    for order in ["FJ-20", "FJ-21"] {
        ok(propose(&app, &session, draft(order, VALID)).await.confirm(&shopper)).await;
    }
    let third = propose(&app, &session, draft("FJ-22", VALID)).await;
    let turn = ok(third.confirm(&shopper)).await;
    assert!(turn["answer"]["text"].as_str().unwrap().contains("in one day"), "{turn}");
    assert_eq!(["FJ-20", "FJ-21", "FJ-22"].map(|order| shop.done(order)), [1, 1, 0]);
    let other = app.visitor().await;
    let session = other.session().await;
    ok(propose(&app, &session, draft("FJ-23", VALID)).await.confirm(&other)).await;
    assert_eq!(shop.done("FJ-23"), 1);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn confirmations_at_the_same_moment_do_not_exceed_the_limit_of_a_day() {
    let limits = [
        ("actions.per_shopper_a_day", "1".to_owned()),
        ("limits.visitor_burst", "1000".to_owned()),
    ];
    let (app, shop, ..) = with_shop(&limits).await;
    race(&app, &app, &shop).await;
    app.stop().await;
    let Some(stores) = Stores::new().await else { return };
    let settings = stores.with(&limits);
    let start = || TestApp::with_actions(&settings, shop::port(&shop.url, CALL));
    let (one, two) = (start().await, start().await);
    race(&one, &two, &shop).await;
    one.stop().await;
    two.stop().await;
    shop.stop().await;
}

/// A shopper confirms two changes at once, in two sessions, where one is too much.
async fn race(one: &TestApp, two: &TestApp, shop: &Shop) {
    for _ in 0..8 {
        let shopper = one.visitor().await;
        let elsewhere = shopper.at(two);
        let sessions = [shopper.session().await, shopper.session().await];
        let orders = sessions.each_ref().map(|session| format!("FJ-{session}"));
        let first = propose(one, &sessions[0], draft(&orders[0], VALID)).await;
        let second = propose(one, &sessions[1], draft(&orders[1], VALID)).await;
        let both = join(ok(first.confirm(&shopper)), ok(second.confirm(&elsewhere))).await;
        let texts = [both.0, both.1].map(|turn| turn["answer"]["text"].to_string());
        let refused = texts.iter().filter(|text| text.contains("in one day")).count();
        assert_eq!(refused, 1, "{texts:?}");
        assert_eq!(orders.iter().map(|order| shop.done(order)).sum::<usize>(), 1);
    }
}

#[test]
async fn two_replicas_that_confirm_at_once_ask_the_shop_once() {
    let Some(stores) = Stores::new().await else { return };
    let shop = Shop::start();
    let settings = stores.with(&[("limits.visitor_burst", "1000".to_owned())]);
    let start = || TestApp::with_actions(&settings, shop::port(&shop.url, CALL));
    let (one, two) = (start().await, start().await);
    let shopper = one.visitor().await;
    let elsewhere = shopper.at(&two);
    for number in 0..8 {
        let (session, order) = (shopper.session().await, format!("FJ-3{number}"));
        let proposed = propose(&one, &session, draft(&order, VALID)).await;
        let (here, there) =
            (proposed.confirm(&shopper).send(), proposed.confirm(&elsewhere).send());
        let (here, there) = join(here, there).await;
        for response in [here.unwrap(), there.unwrap()] {
            // The one that is beaten may see the turn run at the other one.
            assert!([200, 202, 409].contains(&response.status().as_u16()), "{response:?}");
        }
        let again = ok(proposed.confirm(&elsewhere)).await;
        assert_eq!(again["answer"]["text"], format!("Order {order} is cancelled."));
        assert_eq!(shop.done(&order), 1);
        assert_eq!(statuses(&results(&one, &session, &proposed.id).await), ["done"]);
    }
    one.stop().await;
    two.stop().await;
    shop.stop().await;
}
