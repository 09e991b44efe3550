//! Who writes is shown to the other side, and kept nowhere.

use std::time::Duration;

use actix_web::rt::test;
use tokio::time::sleep;

use super::{names, on_duty};
use crate::{distributed::Stores, harness::*};

#[test]
async fn each_side_sees_that_the_other_one_writes_on_any_replica() {
    let Some(stores) = Stores::new().await else { return };
    let one = TestApp::with(&stores.with(&[])).await;
    let two = TestApp::with(&stores.with(&[])).await;
    let (mara, noor) = (on_duty(&two, "Mara").await, on_duty(&two, "Noor").await);
    let (shopper, session) = one.chatting().await;
    let mut at_shopper = shopper.events(&session, None).await;
    let mut at_agent = mara.events(&session, None).await;
    // The assistant answers, and then somebody else has it.
    sent(shopper.typing(&session)).await;
    sent(mara.typing(&session)).await;
    ok(mara.accept(&session)).await;
    sent(noor.typing(&session)).await;
    let taken = ["handoff.requested", "handoff.accepted", "control.changed"];
    for stream in [&mut at_shopper, &mut at_agent] {
        assert_eq!(names(&stream.until("control.changed").await), taken);
    }
    for _ in 0..8 {
        for _ in 0..4 {
            sent(mara.typing(&session)).await;
            sent(shopper.typing(&session)).await;
        }
        sleep(Duration::from_millis(300)).await;
    }
    sent(mara.say(&session, "m1", "Hello", 0)).await;
    let seen = at_shopper.until("agent.message").await;
    let shown = names(&seen).iter().filter(|name| **name == "agent.typing").count();
    assert!((1..10).contains(&shown), "at most one a second: {seen:?}");
    assert!(seen.iter().filter(|event| event.name.ends_with(".typing")).all(|e| e.id.is_none()));
    let seen = at_agent.until("agent.message").await;
    assert!(names(&seen).contains(&"shopper.typing"), "{seen:?}");
    let after = shopper.events(&session, Some("3")).await.until("agent.message").await;
    assert_eq!(names(&after), ["agent.message"], "it is in no journal");
    let (other, _) = one.chatting().await;
    refused(other.typing(&session), 404, "not_found").await;
    drop((at_shopper, at_agent));
    one.stop().await;
    two.stop().await;
}
