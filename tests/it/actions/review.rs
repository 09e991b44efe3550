//! Confirmed changes that wait for a person of the shop.

use actix_web::rt::test;
use futures_util::future::join;
use rushdesk::domain::Role;

use super::*;

const TOLD: Duration = Duration::from_secs(20);

fn large(order: &str) -> Draft {
    Draft { approval: true, ..draft(order, VALID) }
}

fn decide(person: &Shopper, proposed: &Proposed, how: &str) -> reqwest::RequestBuilder {
    person.post(&format!("/v1/admin/actions/{}/{how}", proposed.id))
}

async fn actions_audited(app: &TestApp) -> Vec<String> {
    let audit = ok(app.admin().await.audit()).await;
    let items = audit["items"].as_array().unwrap().iter();
    let acts = items.map(|entry| entry["action"].as_str().unwrap().to_owned());
    acts.filter(|action| action.starts_with("action.")).collect()
}

#[test]
async fn a_change_that_waits_is_made_once_after_a_person_approved_it() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let agent = app.staff("demo", Role::Agent, "agent@example.com").await;
    let proposed = propose(&app, &session, large("FJ-1")).await;
    let confirmed = ok(proposed.confirm(&shopper)).await;
    assert_eq!(confirmed["answer"]["outcome"]["status"], "waiting", "{confirmed}");
    let page = ok(agent.get("/v1/admin/actions?state=waiting")).await;
    assert_eq!(page["items"][0]["id"], proposed.id, "{page}");
    assert_eq!(page["items"][0]["effect"], "Cancel order FJ-1");
    assert!(
        page["items"][0]["waits_until"].is_string() && !page.to_string().contains("order_number")
    );
    // The worker has looked at it meanwhile.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((shop.done("FJ-1"), state(&app, &proposed.id).await), (0, "waiting"));
    for _ in 0..2 {
        ok(decide(&agent, &proposed, "approve")).await;
    }
    settle_within(TOLD, "it is done", async || state(&app, &proposed.id).await == "done").await;
    refused(decide(&app.admin().await, &proposed, "refuse"), 409, "conflict").await;
    assert_eq!(shop.done("FJ-1"), 1);
    assert_eq!(statuses(&results(&app, &session, &proposed.id).await), ["waiting", "done"]);
    assert_eq!(ok(proposed.confirm(&shopper)).await["turn_id"], confirmed["turn_id"]);
    let last = shopper.messages(&session).await;
    assert_eq!(last.last().unwrap()["text"], "Order FJ-1 is cancelled.");
    assert_eq!(actions_audited(&app).await, ["action.result", "action.approve", "action.confirm"]);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn of_two_who_decide_at_once_one_does() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let agent = app.staff("demo", Role::Agent, "agent@example.com").await;
    let admin = app.admin().await;
    for round in 0..6 {
        let order = format!("FJ-{round}");
        let proposed = propose(&app, &session, large(&order)).await;
        ok(proposed.confirm(&shopper)).await;
        let (yes, no) = join(
            decide(&agent, &proposed, "approve").send(),
            decide(&admin, &proposed, "refuse").send(),
        )
        .await;
        let (yes, no) = (yes.unwrap(), no.unwrap());
        let mut both = [yes.status().as_u16(), no.status().as_u16()];
        let approved = both[0] == 200;
        both.sort_unstable();
        assert_eq!(both, [200, 409], "round {round}");
        let end = if approved { "done" } else { "failed" };
        settle_within(TOLD, "it has an end", async || state(&app, &proposed.id).await == end).await;
        assert_eq!(shop.done(&order), usize::from(approved));
        assert_eq!(statuses(&results(&app, &session, &proposed.id).await), ["waiting", end]);
    }
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_refusal_and_a_wait_that_is_over_are_told_and_the_shop_is_not_asked() {
    let (app, shop, shopper, session) = with_shop(&[("actions.approval_s", "4".into())]).await;
    let admin = app.admin().await;
    for (order, refuses, text) in
        [("FJ-1", true, "Our team has looked at this"), ("FJ-2", false, "Nobody of our team")]
    {
        let proposed = propose(&app, &session, large(order)).await;
        ok(proposed.confirm(&shopper)).await;
        if refuses {
            ok(decide(&admin, &proposed, "refuse")).await;
        }
        settle_within(TOLD, "it has an end", async || state(&app, &proposed.id).await == "failed")
            .await;
        assert_eq!(statuses(&results(&app, &session, &proposed.id).await), ["waiting", "failed"]);
        let messages = shopper.messages(&session).await;
        let last = messages.last().unwrap()["text"].as_str().unwrap().to_owned();
        assert!(last.starts_with(text), "{last}");
        refused(decide(&admin, &proposed, "approve"), 409, "conflict").await;
        assert_eq!(shop.done(order), 0);
    }
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn an_approved_change_without_an_answer_is_found_out_and_not_asked_for_again() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let admin = app.admin().await;
    let proposed = propose(&app, &session, large("FJ-1-lost")).await;
    ok(proposed.confirm(&shopper)).await;
    shop.silence(true);
    ok(decide(&admin, &proposed, "approve")).await;
    settle_within(TOLD, "nobody knows", async || state(&app, &proposed.id).await == "unknown")
        .await;
    shop.silence(false);
    settle_within(TOLD, "it is known", async || state(&app, &proposed.id).await == "done").await;
    assert_eq!(
        statuses(&results(&app, &session, &proposed.id).await),
        ["waiting", "unknown", "done"]
    );
    assert_eq!(shop.done("FJ-1-lost"), 1);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_change_of_another_shop_is_not_there() {
    let other = "[{id=\"demo\",name=\"D\",site_key=\"pk_demo\"},{id=\"other\",name=\"O\",site_key=\"pk_other\"}]";
    let (app, shop, shopper, session) = with_shop(&[("sites", other.to_owned())]).await;
    let stranger = app.staff("other", Role::Admin, "admin@other.example").await;
    let proposed = propose(&app, &session, large("FJ-1")).await;
    ok(proposed.confirm(&shopper)).await;
    refused(decide(&stranger, &proposed, "approve"), 404, "not_found").await;
    assert_eq!(ok(stranger.get("/v1/admin/actions")).await["items"], json!([]));
    refused(decide(&shopper, &proposed, "approve"), 403, "forbidden").await;
    refused(stranger.get("/v1/admin/actions?state=open"), 422, "schema_violation").await;
    assert_eq!(state(&app, &proposed.id).await, "waiting");
    app.stop().await;
    shop.stop().await;
}
