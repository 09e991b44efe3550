//! Every event of a session, as a stream sends it and as a socket does.

use actix_web::rt::test;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::{mentioned, shape, words_of};
use crate::{
    actions::{VALID, draft, propose, with_shop},
    harness::*,
};

const QUESTION: &str = "When do boots ship?";

/// The event of this name: its id, and its data.
fn event(events: &[Event], name: &str) -> Value {
    let found = events.iter().find(|event| event.name == name);
    let Event { id, data, .. } = found.unwrap_or_else(|| panic!("no {name} in {events:?}"));
    json!({ "id": id, "data": shape(data) })
}

#[::core::prelude::v1::test]
fn every_event_has_its_shape_here() {
    let mut names = &words_of("Fact") | &words_of("Live");
    names.extend(words_of("People"));
    names.extend(
        [
            "stream.reset",
            "server.draining",
            "error",
            "agent.typing",
            "shopper.typing",
            "desk.queue",
        ]
        .map(str::to_owned),
    );
    let shown = mentioned(include_str!("events.rs"), concat!("event", "(&events, \""), "\"");
    assert_eq!(shown, names);
}

#[test]
async fn an_answer_of_the_model() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    let events = shopper.stream(&session, QUESTION).await.rest().await;
    assert_json_snapshot!(event(&events, "message.created"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "message_id": "[id]",
        "seq": 1,
        "session_id": "[id]",
        "text": "When do boots ship?",
        "turn_id": "[id]",
        "type": "message.created",
        "v": 1
      },
      "id": "1"
    }
    "#);
    assert_json_snapshot!(event(&events, "turn.started"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "route": "model",
        "seq": 1,
        "service_level": 0,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "turn.started",
        "v": 1
      },
      "id": null
    }
    "#);
    assert_json_snapshot!(event(&events, "turn.status"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "seq": 1,
        "session_id": "[id]",
        "stage": "searching",
        "turn_id": "[id]",
        "type": "turn.status",
        "v": 1
      },
      "id": null
    }
    "#);
    assert_json_snapshot!(event(&events, "answer.delta"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "index": 0,
        "seq": 1,
        "session_id": "[id]",
        "text": "All ",
        "turn_id": "[id]",
        "type": "answer.delta",
        "v": 1
      },
      "id": "1.0"
    }
    "#);
    assert_json_snapshot!(event(&events, "answer.citation"), @r#"
    {
      "data": {
        "at": "[time]",
        "document_id": "[document_id]",
        "epoch": 0,
        "id": "1",
        "quote": "[quote]",
        "seq": 1,
        "session_id": "[id]",
        "title": "[title]",
        "turn_id": "[id]",
        "type": "answer.citation",
        "v": 1
      },
      "id": null
    }
    "#);
    assert_json_snapshot!(event(&events, "answer.completed"), @r#"
    {
      "data": {
        "at": "[time]",
        "citations": [
          {
            "document_id": "[document_id]",
            "id": "1",
            "quote": "[quote]",
            "title": "[title]"
          }
        ],
        "epoch": 0,
        "finish_reason": "stop",
        "intent": {
          "also": [],
          "confidence": "[confidence]",
          "topic": "shipping"
        },
        "language": "en",
        "message_id": "[id]",
        "route": "model",
        "seq": 2,
        "service_level": 0,
        "session_id": "[id]",
        "text": "All boots ship within two days [1].",
        "timings": {
          "cache_ms": "[cache_ms]",
          "first_token_ms": "[first_token_ms]",
          "queue_ms": "[queue_ms]",
          "retrieve_ms": "[retrieve_ms]",
          "total_ms": "[total_ms]"
        },
        "turn_id": "[id]",
        "type": "answer.completed",
        "usage": {
          "completion_tokens": 6,
          "prompt_tokens": 9
        },
        "v": 1
      },
      "id": "2"
    }
    "#);
    app.stop().await;
}

#[test]
async fn a_turn_that_waits() {
    let app = TestApp::with_slots(1, "step", &[]).await;
    let ((first, one), (second, two)) = (app.chatting().await, app.chatting().await);
    app.model().steps.add_permits(2);
    let mut running = first.stream(&one, QUESTION).await;
    running.until("answer.delta").await;
    let mut waiting = second.stream(&two, "Do tents come with pegs?").await;
    let events = waiting.until("turn.queued").await;
    assert_json_snapshot!(event(&events, "turn.queued"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "eta_ms": "[eta_ms]",
        "position": 1,
        "seq": 1,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "turn.queued",
        "v": 1
      },
      "id": null
    }
    "#);
    app.model().steps.add_permits(100);
    running.rest().await;
    waiting.rest().await;
    app.stop().await;
}

#[test]
async fn an_answer_that_begins_again() {
    let (app, shopper, session) = TestApp::chat("no_end_once").await;
    let events = shopper.stream(&session, QUESTION).await.rest().await;
    assert_json_snapshot!(event(&events, "answer.replaced"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "reason": "restarted",
        "seq": 1,
        "session_id": "[id]",
        "text": "",
        "turn_id": "[id]",
        "type": "answer.replaced",
        "v": 1
      },
      "id": null
    }
    "#);
    app.stop().await;
}

#[test]
async fn a_turn_that_fails() {
    let (app, shopper, session) = TestApp::chat("error_frame").await;
    let events = shopper.stream(&session, "Zzyzx qwerty?").await.rest().await;
    assert_json_snapshot!(event(&events, "turn.failed"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "message_id": "[id]",
        "problem": {
          "code": "dependency_unavailable",
          "detail": "A part of the service is unavailable; please try again in a moment.",
          "status": 503,
          "title": "A part of the service is unavailable; please try again in a moment.",
          "type": "urn:rushdesk:problem:dependency_unavailable"
        },
        "seq": 2,
        "session_id": "[id]",
        "text": "All boots ship within two days [1].",
        "turn_id": "[id]",
        "type": "turn.failed",
        "v": 1
      },
      "id": "2"
    }
    "#);
    app.stop().await;
}

#[test]
async fn a_turn_that_is_cancelled() {
    let (app, shopper, session) = TestApp::chat("step").await;
    app.model().steps.add_permits(2);
    let mut stream = shopper.stream(&session, QUESTION).await;
    let begun = stream.until("answer.delta").await;
    sent(shopper.cancel(&session, begun[0].data["turn_id"].as_str().unwrap())).await;
    let events = stream.rest().await;
    assert_json_snapshot!(event(&events, "turn.cancelled"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "message_id": "[id]",
        "seq": 2,
        "session_id": "[id]",
        "text": "All ",
        "turn_id": "[id]",
        "type": "turn.cancelled",
        "v": 1
      },
      "id": "2"
    }
    "#);
    app.stop().await;
}

#[test]
async fn a_change_that_is_proposed_and_confirmed() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-1", VALID)).await;
    let events = shopper.events(&session, None).await.until("answer.completed").await;
    assert_json_snapshot!(event(&events, "action.proposed"), @r#"
    {
      "data": {
        "action_id": "[id]",
        "at": "[time]",
        "effect": "Cancel order FJ-1",
        "epoch": 0,
        "expires_at": "[time]",
        "fields": [
          {
            "label": "Order",
            "value": "FJ-1"
          }
        ],
        "hash": "b1fc33a423cc60272010fbb3fb679521c57e69c20b1a501da0ed723ac5df5db4",
        "seq": 2,
        "session_id": "[id]",
        "tool": "order_cancel",
        "turn_id": "[id]",
        "type": "action.proposed",
        "v": 1
      },
      "id": "2"
    }
    "#);
    ok(proposed.confirm(&shopper)).await;
    let events = shopper.events(&session, Some("3")).await.until("answer.completed").await;
    assert_json_snapshot!(event(&events, "action.result"), @r#"
    {
      "data": {
        "action_id": "[id]",
        "at": "[time]",
        "detail": "Order FJ-1 is cancelled.",
        "epoch": 0,
        "seq": 5,
        "session_id": "[id]",
        "status": "done",
        "turn_id": "[id]",
        "type": "action.result",
        "v": 1
      },
      "id": "5"
    }
    "#);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn what_ends_or_interrupts_a_stream() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    shopper.ask(&session, QUESTION).await;
    let events = shopper.events(&session, Some("nonsense")).await.until("stream.reset").await;
    assert_json_snapshot!(event(&events, "stream.reset"), @r#"
    {
      "data": {
        "at": "[time]",
        "seq": 2,
        "session_id": "[id]",
        "type": "stream.reset",
        "v": 1
      },
      "id": "2"
    }
    "#);
    let erased = shopper.session().await;
    let mut stream = shopper.events(&erased, None).await;
    sent(shopper.erase(&erased)).await;
    let events = stream.rest().await;
    assert_json_snapshot!(event(&events, "error"), @r#"
    {
      "data": {
        "at": "[time]",
        "problem": {
          "code": "erased",
          "detail": "This conversation has been erased.",
          "status": 410,
          "title": "This conversation has been erased.",
          "type": "urn:rushdesk:problem:erased"
        },
        "session_id": "[id]",
        "type": "error",
        "v": 1
      },
      "id": null
    }
    "#);
    let mut stream = shopper.events(&session, None).await;
    app.stop().await;
    let events = stream.rest().await;
    assert_json_snapshot!(event(&events, "server.draining"), @r#"
    {
      "data": {
        "at": "[time]",
        "reconnect_after_ms": "[reconnect_after_ms]",
        "session_id": "[id]",
        "type": "server.draining",
        "v": 1
      },
      "id": null
    }
    "#);
}

#[test]
async fn what_a_socket_says() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    socket.message(QUESTION, "k").await;
    let frames = socket.until("answer.completed").await;
    let first = |kind: &str| shape(frames.iter().find(|frame| frame["type"] == kind).unwrap());
    assert_json_snapshot!(first("message.created"), @r#"
    {
      "at": "[time]",
      "epoch": 0,
      "event_id": "1",
      "message_id": "[id]",
      "seq": 1,
      "session_id": "[id]",
      "text": "When do boots ship?",
      "turn_id": "[id]",
      "type": "message.created",
      "v": 1
    }
    "#);
    assert_json_snapshot!(first("answer.delta"), @r#"
    {
      "at": "[time]",
      "epoch": 0,
      "event_id": "1.0",
      "index": 0,
      "seq": 1,
      "session_id": "[id]",
      "text": "All ",
      "turn_id": "[id]",
      "type": "answer.delta",
      "v": 1
    }
    "#);
    socket.message("", "k2").await;
    let refused = socket.until("error").await.pop().unwrap();
    assert_json_snapshot!(shape(&refused), @r#"
    {
      "idempotency_key": "k2",
      "problem": {
        "code": "schema_violation",
        "detail": "Some fields of the request are not valid.",
        "field_errors": [
          {
            "detail": "must not be empty: write what you want to know",
            "field": "text"
          }
        ],
        "status": 422,
        "title": "Some fields of the request are not valid.",
        "type": "urn:rushdesk:problem:schema_violation"
      },
      "type": "error",
      "v": 1
    }
    "#);
    app.stop().await;
    let notice = socket.until("server.draining").await.pop().unwrap();
    assert_json_snapshot!(shape(&notice), @r#"
    {
      "at": "[time]",
      "reconnect_after_ms": "[reconnect_after_ms]",
      "session_id": "[id]",
      "type": "server.draining",
      "v": 1
    }
    "#);
    assert_json_snapshot!(socket.closed().await, @r#"
    [
      1012,
      "draining"
    ]
    "#);
}

#[test]
async fn what_people_do() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = app.agent("Mara").await;
    ok(agent.presence("online", 1)).await;
    ok(shopper.handoff(&session)).await;
    ok(agent.accept(&session)).await;
    sent(agent.say(&session, "k", "Hello", 0)).await;
    sent(shopper.message(&session, "s", "Hi")).await;
    ok(agent.close(&session)).await;
    shopper.ask(&session, QUESTION).await;
    let events = shopper.events(&session, None).await.until("answer.completed").await;
    assert_json_snapshot!(event(&events, "handoff.requested"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "handoff_id": "[id]",
        "reason": "the shopper asked for a person",
        "seq": 1,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "handoff.requested",
        "v": 1
      },
      "id": "1"
    }
    "#);
    assert_json_snapshot!(event(&events, "handoff.queued"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 0,
        "handoff_id": "[id]",
        "position": 1,
        "seq": 2,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "handoff.queued",
        "v": 1
      },
      "id": "2"
    }
    "#);
    assert_json_snapshot!(event(&events, "handoff.accepted"), @r#"
    {
      "data": {
        "agent": {
          "name": "Mara"
        },
        "at": "[time]",
        "epoch": 0,
        "handoff_id": "[id]",
        "seq": 3,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "handoff.accepted",
        "v": 1
      },
      "id": "3"
    }
    "#);
    assert_json_snapshot!(event(&events, "control.changed"), @r#"
    {
      "data": {
        "at": "[time]",
        "controller": "agent:[id]",
        "epoch": 1,
        "seq": 4,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "control.changed",
        "v": 1
      },
      "id": "4"
    }
    "#);
    assert_json_snapshot!(event(&events, "agent.message"), @r#"
    {
      "data": {
        "agent": {
          "name": "Mara"
        },
        "at": "[time]",
        "epoch": 1,
        "message_id": "[id]",
        "seq": 5,
        "session_id": "[id]",
        "text": "Hello",
        "turn_id": "[id]",
        "type": "agent.message",
        "v": 1
      },
      "id": "5"
    }
    "#);
    assert_json_snapshot!(event(&events, "message.delivered"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 1,
        "message_id": "[id]",
        "seq": 6,
        "session_id": "[id]",
        "text": "Hi",
        "turn_id": "[id]",
        "type": "message.delivered",
        "v": 1
      },
      "id": "6"
    }
    "#);
    assert_json_snapshot!(event(&events, "handoff.ended"), @r#"
    {
      "data": {
        "at": "[time]",
        "by": "agent",
        "epoch": 1,
        "handoff_id": "[id]",
        "seq": 7,
        "session_id": "[id]",
        "to": "closed",
        "turn_id": "[id]",
        "type": "handoff.ended",
        "v": 1
      },
      "id": "7"
    }
    "#);
    assert_json_snapshot!(event(&events, "session.closed"), @r#"
    {
      "data": {
        "at": "[time]",
        "by": "agent",
        "epoch": 2,
        "seq": 9,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "session.closed",
        "v": 1
      },
      "id": "9"
    }
    "#);
    assert_json_snapshot!(event(&events, "session.reopened"), @r#"
    {
      "data": {
        "at": "[time]",
        "epoch": 2,
        "seq": 10,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "session.reopened",
        "v": 1
      },
      "id": "10"
    }
    "#);
    sent(shopper.csat(&session, &json!({"score": 5, "comment": "kind"}))).await;
    let events = shopper.events(&session, Some("12")).await.until("session.rated").await;
    assert_json_snapshot!(event(&events, "session.rated"), @r#"
    {
      "data": {
        "at": "[time]",
        "comment": "kind",
        "epoch": 2,
        "of": {
          "handoff": "[id]"
        },
        "score": "[score]",
        "seq": 13,
        "session_id": "[id]",
        "turn_id": "[id]",
        "type": "session.rated",
        "v": 1
      },
      "id": "13"
    }
    "#);
    app.stop().await;
}

#[test]
async fn who_writes() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = app.agent("Mara").await;
    ok(agent.presence("online", 1)).await;
    ok(agent.accept(&session)).await;
    let mut stream = shopper.events(&session, None).await;
    let mut events = stream.until("control.changed").await;
    sent(agent.typing(&session)).await;
    events.extend(stream.until("agent.typing").await);
    sent(shopper.typing(&session)).await;
    events.extend(stream.until("shopper.typing").await);
    assert_json_snapshot!(event(&events, "agent.typing"), @r#"
    {
      "data": {
        "at": "[time]",
        "session_id": "[id]",
        "type": "agent.typing",
        "v": 1
      },
      "id": null
    }
    "#);
    assert_json_snapshot!(event(&events, "shopper.typing"), @r#"
    {
      "data": {
        "at": "[time]",
        "session_id": "[id]",
        "type": "shopper.typing",
        "v": 1
      },
      "id": null
    }
    "#);
    drop(stream);
    app.stop().await;
}

#[test]
async fn what_an_agent_s_own_stream_adds() {
    let app = TestApp::start().await;
    let agent = app.agent("Mara").await;
    ok(agent.presence("online", 1)).await;
    let events = agent.desk_events(None).await.until("desk.queue").await;
    assert_json_snapshot!(event(&events, "desk.queue"), @r#"
    {
      "data": {
        "active": [],
        "agents": [
          {
            "active": 0,
            "capacity": 1,
            "id": "[id]",
            "name": "Mara"
          }
        ],
        "type": "desk.queue",
        "v": 1,
        "waiting": []
      },
      "id": "d"
    }
    "#);
    app.stop().await;
}
