//! Who may speak: one controller at a time.

use actix_web::rt::test;
use serde_json::json;

use super::{id_of, names, on_duty};
use crate::{
    actions::{VALID, draft, propose, with_shop},
    harness::*,
};

#[test]
async fn of_two_agents_one_has_the_session_and_the_other_is_told_who() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let (mara, noor) = (on_duty(&app, "Mara").await, on_duty(&app, "Noor").await);
    ok(shopper.handoff(&session)).await;
    let (one, two) = tokio::join!(mara.accept(&session).send(), noor.accept(&session).send());
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut codes = [one.status().as_u16(), two.status().as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [200, 409]);
    let (has, other) = if one.status() == 200 { (&mara, &noor) } else { (&noor, &mara) };
    let controller = id_of(has).await;
    for request in [
        other.accept(&session),
        other.say(&session, "k", "Me too!", 9),
        other.release(&session, "bot"),
        other.release(&session, "queue"),
        other.transfer(&session, &id_of(other).await),
        other.close(&session),
    ] {
        let problem = refused(request, 409, "control_conflict").await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&controller) && detail.contains("epoch 1"), "{detail}");
    }
    let view = ok(has.transfer(&session, &id_of(other).await)).await;
    assert_eq!(view["epoch"], 2);
    sent(other.say(&session, "k", "Now me.", 0)).await;
    refused(has.say(&session, "k2", "And me.", 0), 409, "control_conflict").await;
    refused(other.transfer(&session, &id_of(&shopper).await), 422, "schema_violation").await;
    app.stop().await;
}

#[test]
async fn nobody_answers_blind_and_a_message_is_said_once() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = on_duty(&app, "Mara").await;
    ok(agent.accept(&session)).await;
    refused(agent.message(&session, "k0", "Hello"), 422, "schema_violation").await;
    let delivered = ok(shopper.message(&session, "s1", "One more thing")).await;
    let seq = delivered["seq"].as_u64().unwrap();
    let stale = refused(agent.say(&session, "k1", "Hello", seq - 1), 409, "stale_view").await;
    assert!(stale["detail"].as_str().unwrap().contains(&seq.to_string()), "{stale}");
    let ahead = agent.say(&session, "k1", "Hello", seq + 1);
    let ahead = refused(ahead, 422, "schema_violation").await;
    assert_eq!(ahead["field_errors"][0]["field"], "last_seen_seq", "{ahead}");
    let first = agent.say(&session, "k1", "Hello", seq).send().await.unwrap();
    assert_eq!(first.status(), 201);
    let first = body(first).await;
    // The answer was lost, and by now the shopper has said more, or the agent has left.
    sent(shopper.message(&session, "s2", "And another")).await;
    for _ in 0..2 {
        let again = agent.say(&session, "k1", "Hello", seq).send().await.unwrap();
        assert_eq!(
            (again.status().as_u16(), &again.headers()["idempotency-replayed"]),
            (200, &"true".parse().unwrap())
        );
        assert_eq!(body(again).await, first);
        refused(agent.say(&session, "k1", "Goodbye", 99), 422, "idempotency_key_reused").await;
        ok(agent.release(&session, "bot")).await;
    }
    let texts: Vec<_> =
        shopper.messages(&session).await.iter().map(|m| m["text"].clone()).collect();
    assert_eq!(texts, ["One more thing", "Hello", "And another"]);
    app.stop().await;
}

#[test]
async fn a_message_to_a_person_is_delivered_once_by_every_road() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = on_duty(&app, "Mara").await;
    ok(agent.accept(&session)).await;
    let seq = ok(shopper.message(&session, "s1", "Hello?")).await["seq"].clone();
    let again = shopper.message(&session, "s1", "Hello?").send().await.unwrap();
    assert_eq!(
        (again.status().as_u16(), again.headers().contains_key("idempotency-replayed")),
        (202, true)
    );
    assert_eq!(body(again).await["seq"], seq);
    refused(shopper.message(&session, "s1", "Other words"), 422, "idempotency_key_reused").await;
    let mut stream = shopper.stream(&session, "As a stream").await;
    assert_eq!(names(&stream.rest().await), ["message.delivered"]);
    let mut socket = Socket::open(&shopper, &session, None).await;
    socket.message("By a socket", "s3").await;
    // It shows first what was delivered before.
    let is_mine = |frame: &serde_json::Value| frame.to_string().contains("By a socket");
    while !socket.until("message.delivered").await.iter().any(is_mine) {}
    drop(socket);
    // A key that began a turn is still that turn, and a delivered one is still delivered.
    ok(agent.release(&session, "bot")).await;
    let replayed = body(shopper.message(&session, "s1", "Hello?").send().await.unwrap()).await;
    assert_eq!((&replayed["status"], &replayed["seq"]), (&json!("delivered"), &seq));
    let turn = ok(shopper.message(&session, "t1", "What is the price guarantee?")).await;
    ok(agent.accept(&session)).await;
    let replayed = ok(shopper.message(&session, "t1", "What is the price guarantee?")).await;
    assert_eq!(
        (&replayed["turn_id"], &replayed["status"]),
        (&turn["turn_id"], &json!("completed"))
    );
    let said = shopper.messages(&session).await;
    assert_eq!(said.iter().filter(|m| m["role"] == "user").count(), 4, "{said:?}");
    app.stop().await;
}

#[test]
async fn the_assistant_is_silent_while_a_person_has_control() {
    let (app, _shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-10240", VALID)).await;
    let agent = on_duty(&app, "Mara").await;
    ok(agent.accept(&session)).await;
    refused(proposed.confirm(&shopper), 409, "control_conflict").await;
    refused(proposed.decline(&shopper), 409, "control_conflict").await;
    // Said in words it is a message to the person, and later no yes to what was proposed before.
    assert_eq!(ok(shopper.message(&session, "s1", "yes")).await["status"], "delivered");
    ok(agent.release(&session, "bot")).await;
    let turn = shopper.ask(&session, "yes").await;
    assert!(turn["answer"]["outcome"].is_null(), "{turn}");
    app.stop().await;
}

#[test]
async fn a_change_on_its_way_to_the_shop_is_not_cut_off() {
    let (app, _shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-12-held", VALID)).await;
    let agent = on_duty(&app, "Mara").await;
    let mut events = shopper.events(&session, None).await;
    let mut made = events.until("answer.completed").await;
    let confirm = proposed.confirm(&shopper).header("prefer", "respond-async");
    assert_eq!(confirm.send().await.unwrap().status(), 202);
    ok(agent.accept(&session)).await;
    made.extend(events.until("control.changed").await);
    let facts: Vec<_> = names(&made).into_iter().filter(|name| *name != "turn.cancelled").collect();
    let end = ["action.result", "answer.completed"];
    assert!(facts.windows(2).any(|pair| pair == end), "{facts:?}");
    let result = made.iter().find(|event| event.name == "action.result").unwrap();
    assert_eq!(result.data["status"], "done");
    drop(events);
    app.stop().await;
}

#[test]
async fn a_closed_session_opens_again_with_a_message() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = on_duty(&app, "Mara").await;
    ok(agent.accept(&session)).await;
    let closed = ok(agent.close(&session)).await;
    assert_eq!((&closed["state"], &closed["controller"]), (&json!("closed"), &json!("bot")));
    let seq = closed["last_seq"].clone();
    assert_eq!(ok(agent.close(&session)).await["last_seq"], seq, "closed once");
    // Out of memory it is still closed, and still there.
    app.forget(&session).await;
    assert_eq!(ok(shopper.view(&session)).await["state"], "closed");
    let turn = shopper.ask(&session, "What is the price guarantee?").await;
    assert_eq!(turn["status"], "completed", "{turn}");
    let open = ok(shopper.view(&session)).await;
    assert_eq!((&open["state"], &open["controller"]), (&json!("open"), &json!("bot")));
    let events =
        shopper.events(&session, Some(&seq.to_string())).await.until("message.created").await;
    assert_eq!(names(&events), ["session.reopened", "message.created"]);
    ok(shopper.close(&session)).await;
    assert_eq!(ok(shopper.view(&session)).await["state"], "closed");
    app.stop().await;
}

#[test]
async fn a_conversation_goes_back_to_the_queue_and_keeps_its_place_in_time() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let (mara, noor) = (on_duty(&app, "Mara").await, on_duty(&app, "Noor").await);
    let first = ok(shopper.handoff(&session)).await["handoff"].clone();
    ok(mara.accept(&session)).await;
    let back = ok(mara.release(&session, "queue")).await;
    assert_eq!(back["controller"], "bot");
    assert_ne!(back["handoff"], first);
    assert_eq!(ok(noor.desk()).await["waiting"][0]["handoff_id"], back["handoff"]);
    assert_eq!(ok(noor.accept(&session)).await["handoff"], back["handoff"]);
    app.stop().await;
}
