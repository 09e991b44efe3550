//! Changes that a shopper confirms: proposed, decided once, asked of the shop once, and told.

mod decide;
mod doubt;
mod kills;
mod review;
pub mod shop;

use std::time::Duration;

use rushdesk::domain::{
    Answer, Append, Appended, Card, Draft, Ending, Event, Fact, Field, Language, MessageId, Route,
    SessionMeta, TurnId,
};
use serde_json::{Value, json};

use self::shop::Shop;
use crate::harness::*;

pub const VALID: Duration = Duration::from_secs(900);
/// Long enough on a busy machine, and short enough to wait for.
const CALL: Duration = Duration::from_millis(1_500);

/// A proposal as its shopper knows it.
#[derive(Clone, Debug)]
pub struct Proposed {
    id: String,
    hash: String,
}

impl Proposed {
    pub fn confirm(&self, shopper: &Shopper) -> reqwest::RequestBuilder {
        let body = json!({ "hash": self.hash });
        shopper.post(&format!("/v1/actions/{}/confirm", self.id)).json(&body)
    }

    pub fn decline(&self, shopper: &Shopper) -> reqwest::RequestBuilder {
        shopper.post(&format!("/v1/actions/{}/decline", self.id))
    }
}

pub fn draft(order: &str, valid_for: Duration) -> Draft {
    let arguments = json!({ "order_number": order });
    let effect = (format!("Cancel order {order}"), vec![Field::new("Order", order)]);
    let now = rushdesk::clock::now();
    Draft::new("order_cancel", arguments, effect, Language::En, now, valid_for)
}

/// A turn that proposes, as the journal of `app` takes it. Nobody may be in the session meanwhile.
pub async fn propose(app: &TestApp, session: &str, draft: Draft) -> Proposed {
    let proposal = draft.proposal.clone();
    let proposed = Proposed { id: proposal.action_id.to_string(), hash: proposal.hash.clone() };
    let journal = &app.app().journal;
    let opened = journal.open(session.parse().unwrap()).await.unwrap();
    let (first, turn_id) = (opened.meta.last_seq + 1, TurnId::new());
    let asked = Fact::MessageCreated {
        message_id: MessageId::new(),
        text: "Please cancel my order.".to_owned(),
        client_message_id: None,
    };
    let answer = Answer {
        cards: vec![Card::Action(proposal)],
        ..Answer::new("Shall I cancel it?", Route::Tool)
    };
    let ending = Ending { drafts: vec![draft], ..Fact::AnswerCompleted(answer).into() };
    let event = |(seq, fact)| Event {
        v: 1,
        seq,
        session_id: opened.meta.id,
        turn_id,
        epoch: opened.meta.epoch,
        at: rushdesk::clock::now(),
        fact,
    };
    let events: Vec<Event> =
        (first..).zip([asked].into_iter().chain(ending.facts())).map(event).collect();
    let append = Append {
        meta: SessionMeta { last_seq: events.last().unwrap().seq, ..opened.meta },
        from: opened.version,
        takes_over: true,
        events,
        idempotency: None,
        drafts: ending.drafts.clone(),
        decided: None,
    };
    assert!(matches!(journal.append(&append).await.unwrap(), Appended::Done(_)));
    // As another replica's append: the next message reads the session first.
    app.forget(session).await;
    proposed
}

/// A service, its shop, and a visitor with an empty session.
pub async fn with_shop(settings: Settings<'_>) -> (TestApp, Shop, Shopper, String) {
    let shop = Shop::start();
    let app = TestApp::with_actions(settings, shop::port(&shop.url, CALL)).await;
    let (shopper, session) = app.chatting().await;
    (app, shop, shopper, session)
}

/// What was told of an action, oldest first.
async fn results(app: &TestApp, session: &str, action: &str) -> Vec<Value> {
    let events = app.archive().events(session.parse().unwrap(), 0, 200).await.unwrap();
    let events = events.iter().map(|event| serde_json::to_value(event).unwrap());
    events.filter(|e| e["type"] == "action.result" && e["action_id"] == action).collect()
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// The state of an action in the table.
async fn state(app: &TestApp, action: &str) -> &'static str {
    let row = app.archive().action(action.parse().unwrap()).await.unwrap();
    row.map_or("gone", |row| row.state.as_str())
}
