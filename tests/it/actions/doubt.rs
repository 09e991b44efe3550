//! A call without an answer: the shopper is told that we are checking, and then what became of it.

use actix_web::rt::test;

use super::*;
use crate::distributed::Stores;

const CHECKING: &str = "The shop has not answered yet.";

#[test]
async fn a_lost_answer_is_found_out_by_the_key_and_told_once() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    for (order, status, text) in [
        ("FJ-1-lost", "done", "Order FJ-1-lost is cancelled."),
        ("FJ-2-away", "failed", "This was not done, and nothing was changed."),
    ] {
        shop.silence(true);
        let proposed = propose(&app, &session, draft(order, VALID)).await;
        let turn = ok(proposed.confirm(&shopper)).await;
        assert!(turn["answer"]["text"].as_str().unwrap().starts_with(CHECKING), "{turn}");
        assert_eq!(state(&app, &proposed.id).await, "unknown");
        // The conversation goes on meanwhile.
        shopper.ask(&session, "How long do returns take?").await;
        shop.silence(false);
        settle("it is known", async || state(&app, &proposed.id).await == status).await;
        assert_eq!(statuses(&results(&app, &session, &proposed.id).await), ["unknown", status]);
        let messages = shopper.messages(&session).await;
        let last = messages.last().unwrap();
        assert!(last["text"].as_str().unwrap().starts_with(text), "{last}");
        assert_eq!(ok(proposed.confirm(&shopper)).await["turn_id"], turn["turn_id"]);
    }
    assert_eq!((shop.done("FJ-1-lost"), shop.done("FJ-2-away")), (1, 0));
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_reader_of_another_replica_sees_the_result_that_comes_late() {
    let Some(stores) = Stores::new().await else { return };
    let shop = Shop::start();
    let start = || TestApp::with_actions(&stores.settings, shop::port(&shop.url, CALL));
    let (one, two) = (start().await, start().await);
    let (shopper, session) = one.chatting().await;
    let proposed = propose(&one, &session, draft("FJ-3-lost", VALID)).await;
    shop.silence(true);
    let mut readers =
        [shopper.events(&session, None).await, shopper.at(&two).events(&session, None).await];
    ok(proposed.confirm(&shopper)).await;
    shop.silence(false);
    for events in &mut readers {
        let mut told = Vec::new();
        while !told.iter().any(|event: &crate::harness::Event| event.data["status"] == "done") {
            told.extend(events.until("action.result").await);
        }
        let durable: Vec<_> = told.iter().filter(|e| e.name == "action.result").collect();
        assert_eq!(durable.len(), 2, "{told:?}");
        events.until("answer.completed").await;
    }
    assert_eq!(shop.done("FJ-3-lost"), 1);
    drop(readers);
    one.stop().await;
    two.stop().await;
    shop.stop().await;
}

#[test]
async fn a_stop_or_a_reader_who_leaves_takes_nothing_back() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-4-lost", VALID)).await;
    let request = proposed.confirm(&shopper).header("accept", "text/event-stream");
    let mut events = Events::of(request.send().await.unwrap());
    let begun = events.next().await.unwrap();
    drop(events);
    let turn = begun.data["turn_id"].as_str().unwrap();
    ok(shopper.cancel(&session, turn)).await;
    settle("it is known", async || state(&app, &proposed.id).await == "done").await;
    let messages = shopper.messages(&session).await;
    assert!(messages.iter().all(|message| message["status"] == "complete"), "{messages:?}");
    assert_eq!(shop.done("FJ-4-lost"), 1);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn an_erased_session_leaves_nothing_of_its_actions_and_an_export_has_them() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let shop = Shop::start();
    let app = TestApp::in_folder_with(data, &[], Some(shop::port(&shop.url, CALL))).await;
    let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let shopper = app.signed_in(&tokens);
    let id = tokens["principal"]["id"].as_str().unwrap();
    let session = shopper.session().await;
    let proposed = propose(&app, &session, draft("quokkaberry-1", VALID)).await;
    ok(proposed.confirm(&shopper)).await;
    let export = sent(shopper.export(id)).await.text().await.unwrap();
    let kept = export.lines().find(|line| line.starts_with("{\"kind\":\"action\"")).unwrap();
    assert!(kept.contains("\"order_number\":\"quokkaberry-1\""), "{kept}");
    assert!(kept.contains("\"state\":\"done\""), "{kept}");
    assert!(crate::erasure::found(&folder, "quokkaberry-1") > 0);
    sent(shopper.erase(&session)).await;
    assert_eq!(state(&app, &proposed.id).await, "gone");
    assert_eq!(crate::erasure::found(&folder, "quokkaberry-1"), 0);
    refused(proposed.confirm(&shopper), 404, "not_found").await;
    app.stop().await;
    shop.stop().await;
}
