//! The answer of each operation of the OpenAPI document when all is well.

use std::collections::BTreeSet;

use actix_web::rt::test;
use insta::assert_json_snapshot;
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::RequestBuilder;
use rushdesk::domain::Draft;
use serde_json::{Value, json};

use super::{document, mentioned, shape};
use crate::{
    actions::{VALID, draft, propose, with_shop},
    harness::*,
};

const IDENTITY: &str = "the-identity-key-of-this-shop-7f3c9a21";
const QUESTION: &str = "What is the price guarantee?";

/// Sends a request of this operation; its status and what it answers.
async fn answer(operation: &str, request: RequestBuilder) -> Value {
    let request = request.build().unwrap();
    let (method, template) = operation.split_once(' ').unwrap();
    let path = request.url().path().trim_start_matches('/').split('/');
    let parts: Vec<_> = template.trim_start_matches('/').split('/').zip(path).collect();
    let fits = parts.iter().all(|(part, got)| part.starts_with('{') || part == got);
    assert!(
        request.method() == method && fits,
        "{operation}: {} {}",
        request.method(),
        request.url()
    );
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let response = client.execute(request).await.unwrap();
    assert!(response.status().is_success(), "{operation}: {response:?}");
    let status = response.status().as_u16();
    let is_lines =
        response.headers().get("content-type").is_some_and(|kind| kind == "application/x-ndjson");
    let text = response.text().await.unwrap();
    if is_lines {
        let lines = text.lines().map(|line| shape(&serde_json::from_str(line).unwrap()));
        return json!({ "status": status, "lines": lines.collect::<Vec<_>>() });
    }
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    json!({ "status": status, "body": shape(&body) })
}

#[::core::prelude::v1::test]
fn every_operation_has_its_shape_here() {
    let mut operations = BTreeSet::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            operations.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    // Streams have their shapes in `events.rs`, metrics in `docs/metrics.md`.
    for elsewhere in [
        "GET /v1/sessions/{id}/events",
        "GET /v1/sessions/{id}/socket",
        "GET /v1/desk/events",
        "GET /metrics",
    ] {
        assert!(operations.remove(elsewhere), "{elsewhere}");
    }
    assert_eq!(mentioned(include_str!("endpoints.rs"), concat!("answer", "(\""), "\""), operations);
}

#[test]
async fn signing_in() {
    let site =
        format!("[{{id=\"shop\",name=\"S\",site_key=\"pk_shop\",identity_secret=\"{IDENTITY}\"}}]");
    let app = TestApp::with(&[("sites", site)]).await;
    let eva =
        json!({"site_key": "pk_shop", "email": "eva@example.com", "password": "correct horse"});
    let visitor = app.auth("visitor", &json!({"site_key": "pk_shop"}));
    assert_json_snapshot!(answer("POST /v1/auth/visitor", visitor).await, @r#"
    {
      "body": {
        "access_token": "[access_token]",
        "expires_in": 900,
        "principal": {
          "id": "[id]",
          "role": "visitor",
          "site_id": "shop"
        },
        "refresh_token": "[refresh_token]",
        "token_type": "Bearer"
      },
      "status": 201
    }
    "#);
    assert_json_snapshot!(answer("POST /v1/auth/register", app.auth("register", &eva)).await, @r#"
    {
      "body": {
        "access_token": "[access_token]",
        "expires_in": 900,
        "principal": {
          "id": "[id]",
          "role": "customer",
          "site_id": "shop"
        },
        "refresh_token": "[refresh_token]",
        "token_type": "Bearer"
      },
      "status": 201
    }
    "#);
    assert_json_snapshot!(answer("POST /v1/auth/login", app.auth("login", &eva)).await, @r#"
    {
      "body": {
        "access_token": "[access_token]",
        "expires_in": 900,
        "principal": {
          "id": "[id]",
          "role": "customer",
          "site_id": "shop"
        },
        "refresh_token": "[refresh_token]",
        "token_type": "Bearer"
      },
      "status": 200
    }
    "#);
    let exp = rushdesk::clock::now().as_millis() / 1_000 + 600;
    let claims = json!({"iss": "shop", "sub": "customer-7", "exp": exp});
    let key = EncodingKey::from_secret(IDENTITY.as_bytes());
    let token = encode(&Header::default(), &claims, &key).unwrap();
    let identify = app.auth("identify", &json!({"site_key": "pk_shop", "identity_token": token}));
    assert_json_snapshot!(answer("POST /v1/auth/identify", identify).await, @r#"
    {
      "body": {
        "access_token": "[access_token]",
        "expires_in": 900,
        "principal": {
          "id": "[id]",
          "role": "customer",
          "site_id": "shop"
        },
        "refresh_token": "[refresh_token]",
        "token_type": "Bearer"
      },
      "status": 200
    }
    "#);
    let tokens = ok(app.auth("login", &eva)).await;
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let refreshed = app.auth("refresh", &refresh);
    assert_json_snapshot!(answer("POST /v1/auth/refresh", refreshed).await, @r#"
    {
      "body": {
        "access_token": "[access_token]",
        "expires_in": 900,
        "principal": {
          "id": "[id]",
          "role": "customer",
          "site_id": "shop"
        },
        "refresh_token": "[refresh_token]",
        "token_type": "Bearer"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("POST /v1/auth/logout", app.auth("logout", &refresh)).await, @r#"
    {
      "body": null,
      "status": 204
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/auth/me", app.signed_in(&tokens).me()).await, @r#"
    {
      "body": {
        "id": "[id]",
        "role": "customer",
        "site_id": "shop"
      },
      "status": 200
    }
    "#);
    let passwords = json!({"current_password": "correct horse", "new_password": "battery staple"});
    let eva = app.signed_in(&ok(app.auth("login", &eva)).await);
    let change = eva.post("/v1/auth/password").json(&passwords);
    assert_json_snapshot!(answer("POST /v1/auth/password", change).await, @r#"
    {
      "body": {
        "access_token": "[access_token]",
        "expires_in": 900,
        "principal": {
          "id": "[id]",
          "role": "customer",
          "site_id": "shop"
        },
        "refresh_token": "[refresh_token]",
        "token_type": "Bearer"
      },
      "status": 200
    }
    "#);
    let admin = app.staff("shop", rushdesk::domain::Role::Admin, "admin@example.com").await;
    let link = || admin.post("/v1/admin/users/reset").json(&json!({"email": "eva@example.com"}));
    assert_json_snapshot!(answer("POST /v1/admin/users/reset", link()).await, @r#"
    {
      "body": {
        "expires_at": "[time]",
        "link": "[link]",
        "reset_token": "[reset_token]"
      },
      "status": 201
    }
    "#);
    let token = &ok(link()).await["reset_token"];
    let reset = json!({"site_key": "pk_shop", "reset_token": token, "new_password": "new horse"});
    assert_json_snapshot!(answer("POST /v1/auth/reset", app.auth("reset", &reset)).await, @r#"
    {
      "body": null,
      "status": 204
    }
    "#);
    app.stop().await;
}

#[test]
async fn a_change_that_waits_for_a_yes() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let proposed = propose(&app, &session, draft("FJ-1", VALID)).await;
    let confirm = proposed.confirm(&shopper);
    assert_json_snapshot!(answer("POST /v1/actions/{id}/confirm", confirm).await, @r#"
    {
      "body": {
        "answer": {
          "cache": null,
          "citations": [],
          "finish_reason": "stop",
          "language": "en",
          "message_id": "[id]",
          "outcome": {
            "action_id": "[id]",
            "detail": "Order FJ-1 is cancelled.",
            "status": "done"
          },
          "route": "tool",
          "service_level": 0,
          "text": "Order FJ-1 is cancelled.",
          "timings": {
            "first_token_ms": "[first_token_ms]",
            "total_ms": "[total_ms]"
          },
          "usage": null
        },
        "message": {
          "created_at": "[time]",
          "id": "[id]",
          "role": "user",
          "seq": 4,
          "status": "complete",
          "text": "Yes, please: Cancel order FJ-1",
          "turn_id": "[id]"
        },
        "status": "completed",
        "turn_id": "[id]"
      },
      "status": 200
    }
    "#);
    let session = shopper.session().await;
    let decline = propose(&app, &session, draft("FJ-2", VALID)).await.decline(&shopper);
    assert_json_snapshot!(answer("POST /v1/actions/{id}/decline", decline).await, @r#"
    {
      "body": {
        "answer": {
          "cache": null,
          "citations": [],
          "finish_reason": "stop",
          "language": "en",
          "message_id": "[id]",
          "outcome": {
            "action_id": "[id]",
            "detail": "All right, nothing was changed.",
            "status": "declined"
          },
          "route": "tool",
          "service_level": 0,
          "text": "All right, nothing was changed.",
          "timings": {
            "first_token_ms": "[first_token_ms]",
            "total_ms": "[total_ms]"
          },
          "usage": null
        },
        "message": {
          "created_at": "[time]",
          "id": "[id]",
          "role": "user",
          "seq": 4,
          "status": "complete",
          "text": "No, thank you: Cancel order FJ-2",
          "turn_id": "[id]"
        },
        "status": "completed",
        "turn_id": "[id]"
      },
      "status": 200
    }
    "#);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_change_that_waits_for_a_person() {
    let (app, shop, shopper, session) = with_shop(&[]).await;
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for order in ["FJ-1", "FJ-2"] {
        let waits = Draft { approval: true, ..draft(order, VALID) };
        let proposed = propose(&app, &session, waits).await;
        ids.push(ok(proposed.confirm(&shopper)).await["answer"]["outcome"]["action_id"].clone());
    }
    let listed = admin.get("/v1/admin/actions?state=waiting&limit=1");
    assert_json_snapshot!(answer("GET /v1/admin/actions", listed).await, @r#"
    {
      "body": {
        "items": [
          {
            "decided_at": "[time]",
            "effect": "Cancel order FJ-2",
            "id": "[id]",
            "proposed_at": "[time]",
            "session_id": "[id]",
            "state": "waiting",
            "tool": "order_cancel",
            "waits_until": "[time]"
          }
        ],
        "next_cursor": "[id]"
      },
      "status": 200
    }
    "#);
    let path = |number: usize, how: &str| {
        format!("/v1/admin/actions/{}/{how}", ids[number].as_str().unwrap())
    };
    let approve = admin.post(&path(0, "approve"));
    assert_json_snapshot!(answer("POST /v1/admin/actions/{id}/approve", approve).await, @r#"
    {
      "body": {
        "decided_at": "[time]",
        "effect": "Cancel order FJ-1",
        "id": "[id]",
        "proposed_at": "[time]",
        "reviewed_at": "[time]",
        "reviewer_id": "[id]",
        "session_id": "[id]",
        "state": "approved",
        "tool": "order_cancel"
      },
      "status": 200
    }
    "#);
    let refuse = admin.post(&path(1, "refuse"));
    assert_json_snapshot!(answer("POST /v1/admin/actions/{id}/refuse", refuse).await, @r#"
    {
      "body": {
        "decided_at": "[time]",
        "effect": "Cancel order FJ-2",
        "id": "[id]",
        "proposed_at": "[time]",
        "reviewed_at": "[time]",
        "reviewer_id": "[id]",
        "session_id": "[id]",
        "state": "refused",
        "tool": "order_cancel"
      },
      "status": 200
    }
    "#);
    app.stop().await;
    shop.stop().await;
}

#[test]
async fn a_conversation() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    let new = shopper.new_session(&json!({"locale": "de"}));
    assert_json_snapshot!(answer("POST /v1/sessions", new).await, @r#"
    {
      "body": {
        "controller": "bot",
        "created_at": "[time]",
        "epoch": 0,
        "id": "[id]",
        "last_seq": 0,
        "locale": "de",
        "site_id": "demo",
        "state": "open",
        "updated_at": "[time]"
      },
      "status": 201
    }
    "#);
    let message = shopper.message(&session, "k", "When do boots ship?");
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/messages", message).await, @r#"
    {
      "body": {
        "answer": {
          "cache": null,
          "citations": [
            {
              "document_id": "[document_id]",
              "id": "1",
              "quote": "[quote]",
              "title": "[title]"
            }
          ],
          "finish_reason": "stop",
          "intent": {
            "also": [],
            "confidence": "[confidence]",
            "topic": "shipping"
          },
          "language": "en",
          "message_id": "[id]",
          "route": "model",
          "service_level": 0,
          "text": "All boots ship within two days [1].",
          "timings": {
            "cache_ms": "[cache_ms]",
            "first_token_ms": "[first_token_ms]",
            "queue_ms": "[queue_ms]",
            "retrieve_ms": "[retrieve_ms]",
            "total_ms": "[total_ms]"
          },
          "usage": {
            "completion_tokens": 6,
            "prompt_tokens": 9
          }
        },
        "message": {
          "created_at": "[time]",
          "id": "[id]",
          "role": "user",
          "seq": 1,
          "status": "complete",
          "text": "When do boots ship?",
          "turn_id": "[id]"
        },
        "status": "completed",
        "turn_id": "[id]"
      },
      "status": 200
    }
    "#);
    let later = shopper.message(&session, "k2", "And tents?").header("prefer", "respond-async");
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/messages", later).await, @r#"
    {
      "body": {
        "message": {
          "created_at": "[time]",
          "id": "[id]",
          "role": "user",
          "seq": 3,
          "status": "complete",
          "text": "And tents?",
          "turn_id": "[id]"
        },
        "status": "running",
        "turn_id": "[id]"
      },
      "status": 202
    }
    "#);
    settle("the turn has ended", async || {
        shopper.messages(&session).await.get(3).is_some_and(|m| m["status"] == "complete")
    })
    .await;
    let history = shopper.get(&format!("/v1/sessions/{session}/messages?limit=2"));
    assert_json_snapshot!(answer("GET /v1/sessions/{id}/messages", history).await, @r#"
    {
      "body": {
        "items": [
          {
            "created_at": "[time]",
            "id": "[id]",
            "role": "user",
            "seq": 1,
            "status": "complete",
            "text": "When do boots ship?",
            "turn_id": "[id]"
          },
          {
            "citations": [
              {
                "document_id": "[document_id]",
                "id": "1",
                "quote": "[quote]",
                "title": "[title]"
              }
            ],
            "created_at": "[time]",
            "id": "[id]",
            "role": "assistant",
            "route": "model",
            "seq": 2,
            "status": "complete",
            "text": "All boots ship within two days [1].",
            "turn_id": "[id]"
          }
        ],
        "last_seq": 2,
        "next_cursor": "2"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/sessions/{id}", shopper.view(&session)).await, @r#"
    {
      "body": {
        "controller": "bot",
        "created_at": "[time]",
        "epoch": 0,
        "id": "[id]",
        "last_seq": 4,
        "locale": "en",
        "site_id": "demo",
        "state": "open",
        "updated_at": "[time]"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/sessions", shopper.get("/v1/sessions?limit=1")).await, @r#"
    {
      "body": {
        "items": [
          {
            "controller": "bot",
            "created_at": "[time]",
            "epoch": 0,
            "id": "[id]",
            "last_seq": 0,
            "locale": "de",
            "site_id": "demo",
            "state": "open",
            "updated_at": "[time]"
          }
        ],
        "next_cursor": "[id]"
      },
      "status": 200
    }
    "#);
    let turn = ok(shopper.message(&session, "k", "When do boots ship?")).await;
    let cancel = shopper.cancel(&session, turn["turn_id"].as_str().unwrap());
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/turns/{turn}/cancel", cancel).await, @r#"
    {
      "body": {
        "status": "not_running",
        "turn_id": "[id]"
      },
      "status": 200
    }
    "#);
    let rating = shopper.rate(turn["answer"]["message_id"].as_str().unwrap(), "up");
    assert_json_snapshot!(answer("POST /v1/messages/{id}/feedback", rating).await, @r#"
    {
      "body": {
        "message_id": "[id]",
        "rating": "up"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("DELETE /v1/sessions/{id}", shopper.erase(&session)).await, @r#"
    {
      "body": {
        "erased_at": "[time]",
        "events": 4,
        "feedback": 1,
        "messages": 4,
        "session_id": "[id]",
        "tickets": 0
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn what_the_openai_compatible_side_answers() {
    let app = TestApp::with_model("ok").await;
    let shopper = app.visitor().await;
    assert_json_snapshot!(answer("GET /v1/models", shopper.models()).await, @r#"
    {
      "body": {
        "data": [
          {
            "created": "[created]",
            "id": "rushdesk",
            "object": "model",
            "owned_by": "rushdesk"
          }
        ],
        "object": "list"
      },
      "status": 200
    }
    "#);
    let messages = json!([{"role": "user", "content": "When do boots ship?"}]);
    let completion = shopper.complete(&json!({"model": "rushdesk", "messages": messages}));
    assert_json_snapshot!(answer("POST /v1/chat/completions", completion).await, @r#"
    {
      "body": {
        "choices": [
          {
            "finish_reason": "stop",
            "index": 0,
            "logprobs": null,
            "message": {
              "content": "All boots ship within two days [1].",
              "refusal": null,
              "role": "assistant"
            }
          }
        ],
        "created": "[created]",
        "id": "chatcmpl-[id]",
        "model": "rushdesk",
        "object": "chat.completion",
        "rushdesk": {
          "cache": null,
          "choices": [],
          "citations": [
            {
              "document_id": "[document_id]",
              "id": "1",
              "quote": "[quote]",
              "title": "[title]"
            }
          ],
          "intent": {
            "also": [],
            "confidence": "[confidence]",
            "topic": "shipping"
          },
          "language": "en",
          "route": "model",
          "service_level": 0,
          "timings": {
            "cache_ms": "[cache_ms]",
            "first_token_ms": "[first_token_ms]",
            "queue_ms": "[queue_ms]",
            "retrieve_ms": "[retrieve_ms]",
            "total_ms": "[total_ms]"
          }
        },
        "usage": {
          "completion_tokens": 6,
          "prompt_tokens": 9,
          "total_tokens": 15
        }
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn the_shops_knowledge() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let document = json!({
        "title": "Moonlight Club", "text": "The Moonlight Club costs 12 EUR a year.",
        "tags": ["club"], "url": "https://fjellheim.example/club",
    });
    let put = admin.put_document("a-club", &document);
    assert_json_snapshot!(answer("PUT /v1/knowledge/documents/{external_id}", put).await, @r#"
    {
      "body": {
        "chunks": 1,
        "external_id": "a-club",
        "status": "created",
        "version": 1
      },
      "status": 201
    }
    "#);
    let got = admin.document("a-club");
    assert_json_snapshot!(answer("GET /v1/knowledge/documents/{external_id}", got).await, @r#"
    {
      "body": {
        "audience": "public",
        "content_hash": "[content_hash]",
        "created_at": "[time]",
        "external_id": "a-club",
        "faq": null,
        "format": "markdown",
        "locale": null,
        "site_id": "demo",
        "status": "ready",
        "tags": [
          "[tags]"
        ],
        "text": "The Moonlight Club costs 12 EUR a year.",
        "title": "[title]",
        "trusted": false,
        "updated_at": "[time]",
        "url": "https://fjellheim.example/club",
        "version": 1
      },
      "status": 200
    }
    "#);
    let list = admin.documents("limit=1");
    assert_json_snapshot!(answer("GET /v1/knowledge/documents", list).await, @r#"
    {
      "body": {
        "items": [
          {
            "audience": "public",
            "content_hash": "[content_hash]",
            "external_id": "a-club",
            "format": "markdown",
            "locale": null,
            "status": "ready",
            "tags": [
              "[tags]"
            ],
            "title": "[title]",
            "updated_at": "[time]",
            "url": "https://fjellheim.example/club",
            "version": 1
          }
        ],
        "next_cursor": "a-club"
      },
      "status": 200
    }
    "#);
    let search = admin.post("/v1/knowledge/search");
    let search = search.json(&json!({"query": "moonlight club", "limit": 1}));
    assert_json_snapshot!(answer("POST /v1/knowledge/search", search).await, @r#"
    {
      "body": {
        "items": [
          {
            "confidence": "[confidence]",
            "document_id": "[document_id]",
            "heading": "",
            "score": "[score]",
            "text": "The Moonlight Club costs 12 EUR a year.",
            "title": "[title]",
            "url": "https://fjellheim.example/club"
          }
        ]
      },
      "status": 200
    }
    "#);
    let delete = admin.delete_document("a-club");
    assert_json_snapshot!(answer("DELETE /v1/knowledge/documents/{external_id}", delete).await, @r#"
    {
      "body": {
        "cache_entries": 0,
        "chunks": 1,
        "external_id": "a-club"
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn what_is_held_of_a_customer() {
    let app = TestApp::start().await;
    let (shopper, session) = app.chatting().await;
    let id = ok(shopper.me()).await["id"].as_str().unwrap().to_owned();
    let admin = app.admin().await;
    let turn = shopper.ask(&session, "hello").await;
    sent(shopper.rate(turn["answer"]["message_id"].as_str().unwrap(), "up")).await;
    sent(admin.export(&id)).await.text().await.unwrap();
    assert_json_snapshot!(answer("GET /v1/customers/{id}/export", shopper.export(&id)).await, @r#"
    {
      "lines": [
        {
          "exported_at": "[time]",
          "id": "[id]",
          "kind": "customer"
        },
        {
          "created_at": "[time]",
          "expires_at": "[time]",
          "kind": "sign_in",
          "revoked_at": null,
          "used_at": null
        },
        {
          "action": "customer.export",
          "actor_role": "admin",
          "at": "[time]",
          "detail": {},
          "kind": "audit",
          "target": "[id]"
        },
        {
          "kind": "session",
          "session": {
            "controller": "bot",
            "created_at": "[time]",
            "epoch": 0,
            "id": "[id]",
            "last_seq": 2,
            "locale": "en",
            "site_id": "demo",
            "state": "open",
            "updated_at": "[time]"
          }
        },
        {
          "event": {
            "at": "[time]",
            "epoch": 0,
            "message_id": "[id]",
            "seq": 1,
            "session_id": "[id]",
            "text": "hello",
            "turn_id": "[id]",
            "type": "message.created",
            "v": 1
          },
          "kind": "event"
        },
        {
          "event": {
            "at": "[time]",
            "citations": [],
            "epoch": 0,
            "finish_reason": "stop",
            "intent": {
              "also": [],
              "confidence": "[confidence]",
              "topic": "smalltalk"
            },
            "language": "en",
            "message_id": "[id]",
            "route": "template",
            "seq": 2,
            "service_level": 0,
            "session_id": "[id]",
            "text": "Hello! What can I help you with?",
            "timings": {
              "first_token_ms": "[first_token_ms]",
              "total_ms": "[total_ms]"
            },
            "turn_id": "[id]",
            "type": "answer.completed",
            "v": 1
          },
          "kind": "event"
        },
        {
          "comment": null,
          "created_at": "[time]",
          "kind": "rating",
          "message_id": "[id]",
          "rating": "up",
          "updated_at": "[time]"
        },
        {
          "key": "[key]",
          "kind": "request_key",
          "turn_id": "[id]"
        },
        {
          "kind": "end",
          "lines": 8
        }
      ],
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("DELETE /v1/customers/{id}", shopper.erase_customer(&id)).await, @r#"
    {
      "body": {
        "accounts": 0,
        "audit": 1,
        "customer_id": "[id]",
        "erased_at": "[time]",
        "events": 2,
        "feedback": 1,
        "idempotency": 1,
        "messages": 2,
        "refresh_tokens": 1,
        "requested_at": "[time]",
        "sessions": 1,
        "stores": {
          "archive": "erased",
          "cache": "erased",
          "replicas": "erased"
        },
        "tickets": 0
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn what_operators_see() {
    let shop = ("tools.demo_shop_url", "http://127.0.0.1:8090".to_owned());
    let app = TestApp::with_model_and("ok", &[shop]).await;
    let admin = app.admin().await;
    app.ask("Which payment methods do you accept?").await;
    assert_json_snapshot!(answer("GET /v1/admin/cache", admin.cache()).await, @r#"
    {
      "body": {
        "items": [
          {
            "age_ms": "[age_ms]",
            "audience": "public",
            "documents": [
              "[documents]"
            ],
            "doubts": 0,
            "expires_at": "[time]",
            "hits_exact": 0,
            "hits_semantic": 0,
            "id": "[id]",
            "knowledge_version": "[knowledge_version]",
            "locale": "en",
            "question": "Which payment methods do you accept?",
            "semantic": false,
            "shared": false,
            "tags": [
              "[tags]"
            ],
            "votes": 1
          }
        ],
        "next_cursor": null
      },
      "status": 200
    }
    "#);
    let purge = admin.purge(&json!({"all": true}));
    assert_json_snapshot!(answer("POST /v1/admin/cache/purge", purge).await, @r#"
    {
      "body": {
        "removed": 1
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("POST /v1/admin/keys", admin.create_key("backend")).await, @r#"
    {
      "body": {
        "created_at": "[time]",
        "id": "[id]",
        "key": "[key]",
        "name": "backend",
        "prefix": "[prefix]"
      },
      "status": 201
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/admin/keys", admin.keys()).await, @r#"
    {
      "body": [
        {
          "created_at": "[time]",
          "id": "[id]",
          "name": "backend",
          "prefix": "[prefix]"
        }
      ],
      "status": 200
    }
    "#);
    let keys = ok(admin.keys()).await;
    let revoke = admin.revoke_key(keys[0]["id"].as_str().unwrap());
    assert_json_snapshot!(answer("DELETE /v1/admin/keys/{id}", revoke).await, @r#"
    {
      "body": null,
      "status": 204
    }
    "#);
    let log = admin.get("/v1/admin/audit?limit=1");
    assert_json_snapshot!(answer("GET /v1/admin/audit", log).await, @r#"
    {
      "body": {
        "items": [
          {
            "action": "key.revoke",
            "actor_id": "[id]",
            "actor_role": "admin",
            "at": "[time]",
            "detail": {},
            "id": "[id]",
            "target": "[id]"
          }
        ],
        "next_cursor": "[id]"
      },
      "status": 200
    }
    "#);
    let decisions = admin.get("/v1/admin/guard/decisions");
    assert_json_snapshot!(answer("GET /v1/admin/guard/decisions", decisions).await, @r#"
    {
      "body": {
        "items": []
      },
      "status": 200
    }
    "#);
    let mut tools = answer("GET /v1/tools", admin.get("/v1/tools")).await;
    tools["body"]["items"].as_array_mut().unwrap().truncate(1);
    assert_json_snapshot!(tools, @r#"
    {
      "body": {
        "items": [
          {
            "breaker_open": false,
            "description": "The state of one order: what was ordered, whether it was sent, where it is and when it arrives.",
            "effect": "read",
            "identity": "order",
            "name": "order_status",
            "parameters": {
              "properties": {
                "order_number": {
                  "description": "The number of the order, as the shopper wrote it.",
                  "maxLength": 40,
                  "minLength": 1,
                  "type": "string"
                }
              },
              "required": [
                "order_number"
              ],
              "type": "object"
            },
            "target": "http://127.0.0.1:8090"
          }
        ]
      },
      "status": 200
    }
    "#);
    settle("nothing is in flight", async || {
        ok(admin.backends()).await["backends"][0]["in_flight"] == 0
    })
    .await;
    assert_json_snapshot!(answer("GET /v1/admin/backends", admin.backends()).await, @r#"
    {
      "body": {
        "backends": [
          {
            "breaker": "passing",
            "healthy": true,
            "in_flight": 0,
            "model": "ok",
            "name": "fake",
            "slots": 8,
            "slots_learned": 8
          }
        ],
        "closing": false,
        "lanes": [
          {
            "lane": "checkout",
            "queued": 0
          },
          {
            "lane": "order",
            "queued": 0
          },
          {
            "lane": "paid",
            "queued": 0
          },
          {
            "lane": "browse",
            "queued": 0
          },
          {
            "lane": "background",
            "queued": 0
          }
        ],
        "oldest_wait_ms": "[oldest_wait_ms]",
        "queued": 0,
        "queued_tokens": 0,
        "wait_ms": "[wait_ms]"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/admin/modes", admin.modes()).await, @r#"
    {
      "body": {
        "automatic": 0,
        "in_force": 0,
        "service_level": null
      },
      "status": 200
    }
    "#);
    let pin = admin.set_modes(&json!({"service_level": 2}));
    assert_json_snapshot!(answer("PUT /v1/admin/modes", pin).await, @r#"
    {
      "body": {
        "automatic": 0,
        "in_force": 2,
        "service_level": 2
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn how_the_service_is() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    shopper.ask(&session, QUESTION).await;
    assert_json_snapshot!(answer("GET /v1/status", app.get("/v1/status")).await, @r#"
    {
      "body": {
        "draining": false,
        "pinned": false,
        "queue_depth": 0,
        "queue_wait_ms": "[queue_wait_ms]",
        "service_level": 0
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /livez", app.get("/livez")).await, @r#"
    {
      "body": {
        "status": "alive"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /startupz", app.get("/startupz")).await, @r#"
    {
      "body": {
        "status": "started"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /readyz", app.get("/readyz")).await, @r#"
    {
      "body": {
        "archive": "ok",
        "embedder": "absent",
        "hot_store": "ok",
        "model": "absent",
        "status": "ready"
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn versions_of_assistants() {
    const PATH: &str = "/v1/admin/assistants";
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let put = admin.request(reqwest::Method::PUT, &format!("{PATH}/tests"));
    let tests = json!({"conversations": [{"name": "prices", "messages": [QUESTION], "must_say": ["30 days"], "must_not_say": ["never"]}]});
    assert_json_snapshot!(answer("PUT /v1/admin/assistants/tests", put.json(&tests)).await, @r#"
    {
      "body": {
        "conversations": [
          {
            "messages": [
              "What is the price guarantee?"
            ],
            "must_not_say": [
              "never"
            ],
            "must_say": [
              "30 days"
            ],
            "name": "prices"
          }
        ]
      },
      "status": 200
    }
    "#);
    let get = admin.get(&format!("{PATH}/tests"));
    assert_json_snapshot!(answer("GET /v1/admin/assistants/tests", get).await, @r#"
    {
      "body": {
        "conversations": [
          {
            "messages": [
              "What is the price guarantee?"
            ],
            "must_not_say": [
              "never"
            ],
            "must_say": [
              "30 days"
            ],
            "name": "prices"
          }
        ]
      },
      "status": 200
    }
    "#);
    let assistant = json!({"name": "ours", "topics": ["returns"]});
    let example = json!({"topic": "returns", "text": "these boots pinch"});
    let document =
        json!({"assistants": [assistant], "topic_confidence": 0.5, "examples": [example]});
    let draft = admin.post(PATH).json(&json!({"document": document, "note": "a try"}));
    assert_json_snapshot!(answer("POST /v1/admin/assistants", draft).await, @r#"
    {
      "body": {
        "active": false,
        "created_at": "[time]",
        "created_by": "[id]",
        "document": {
          "assistants": [
            {
              "instructions": "",
              "knowledge_tags": [],
              "name": "ours",
              "person_after": null,
              "small_model": false,
              "temperature": null,
              "tone": "",
              "topics": [
                "returns"
              ]
            }
          ],
          "examples": [
            {
              "text": "these boots pinch",
              "topic": "returns"
            }
          ],
          "topic_confidence": 0.5
        },
        "note": "a try",
        "version": 1
      },
      "status": 201
    }
    "#);
    let get = admin.get(&format!("{PATH}/1"));
    assert_json_snapshot!(answer("GET /v1/admin/assistants/{version}", get).await, @r#"
    {
      "body": {
        "active": false,
        "created_at": "[time]",
        "created_by": "[id]",
        "document": {
          "assistants": [
            {
              "instructions": "",
              "knowledge_tags": [],
              "name": "ours",
              "person_after": null,
              "small_model": false,
              "temperature": null,
              "tone": "",
              "topics": [
                "returns"
              ]
            }
          ],
          "examples": [
            {
              "text": "these boots pinch",
              "topic": "returns"
            }
          ],
          "topic_confidence": 0.5
        },
        "note": "a try",
        "version": 1
      },
      "status": 200
    }
    "#);
    let check = admin.post(&format!("{PATH}/1/check"));
    assert_json_snapshot!(answer("POST /v1/admin/assistants/{version}/check", check).await, @r#"
    {
      "body": {
        "active": 0,
        "changed": 0,
        "conversations": [
          {
            "active_faults": [
              "the last answer does not say \"30 days\""
            ],
            "changed": false,
            "faults": [
              "the last answer does not say \"30 days\""
            ],
            "name": "prices",
            "turns": [
              {
                "active": {
                  "documents": [
                    "[documents]"
                  ],
                  "route": "knowledge",
                  "text": "[long text]",
                  "topic": "returns"
                },
                "checked": {
                  "documents": [
                    "[documents]"
                  ],
                  "route": "knowledge",
                  "text": "[long text]",
                  "topic": "returns"
                },
                "message": "What is the price guarantee?"
              }
            ]
          }
        ],
        "failed": 1,
        "version": 1
      },
      "status": 200
    }
    "#);
    let activate = admin.post(&format!("{PATH}/1/activate"));
    assert_json_snapshot!(answer("POST /v1/admin/assistants/{version}/activate", activate).await, @r#"
    {
      "body": {
        "active": 1
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/admin/assistants", admin.get(PATH)).await, @r#"
    {
      "body": {
        "active": 1,
        "items": [
          {
            "active": true,
            "created_at": "[time]",
            "created_by": "[id]",
            "note": "a try",
            "version": 1
          }
        ]
      },
      "status": 200
    }
    "#);
    let rollback = admin.post(&format!("{PATH}/rollback"));
    assert_json_snapshot!(answer("POST /v1/admin/assistants/rollback", rollback).await, @r#"
    {
      "body": {
        "active": 0
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn written_tools() {
    const PATH: &str = "/v1/admin/tools";
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let hours = format!("{PATH}/hours");
    let declaration = json!({"description": "When people answer.", "effect": "read", "identity": "nobody",
        "url": "https://desk.example/hours", "headers": {"x-api-key": "secret"}});
    let put = admin.request(reqwest::Method::PUT, &hours);
    let put = put.json(&json!({"declaration": declaration}));
    assert_json_snapshot!(answer("PUT /v1/admin/tools/{name}", put).await, @r#"
    {
      "body": {
        "changed_at": "[time]",
        "changed_by": "[id]",
        "declaration": {
          "description": "When people answer.",
          "effect": "read",
          "headers": {
            "x-api-key": null
          },
          "identity": "nobody",
          "url": "https://desk.example/hours"
        },
        "enabled": true,
        "name": "hours"
      },
      "status": 200
    }
    "#);
    let operation = json!({"get": {"operationId": "getOpen", "summary": "What is open."}});
    let document = json!({"openapi": "3.1.0", "servers": [{"url": "https://desk.example"}], "paths": {"/open": operation}});
    let import = json!({"openapi": document, "operations": ["getOpen"]});
    let import = admin.post(&format!("{PATH}/import")).json(&import);
    assert_json_snapshot!(answer("POST /v1/admin/tools/import", import).await, @r#"
    {
      "body": {
        "items": [
          {
            "declaration": {
              "description": "What is open.",
              "effect": "read",
              "identity": "customer",
              "method": "GET",
              "parameters": {
                "properties": {},
                "required": [],
                "type": "object"
              },
              "url": "https://desk.example/open"
            },
            "name": "get_open",
            "stored": false
          }
        ]
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/admin/tools", admin.get(PATH)).await, @r#"
    {
      "body": {
        "items": [
          {
            "changed_at": "[time]",
            "changed_by": "[id]",
            "declaration": {
              "description": "When people answer.",
              "effect": "read",
              "headers": {
                "x-api-key": null
              },
              "identity": "nobody",
              "url": "https://desk.example/hours"
            },
            "enabled": true,
            "name": "hours"
          }
        ]
      },
      "status": 200
    }
    "#);
    let delete = admin.request(reqwest::Method::DELETE, &hours);
    assert_json_snapshot!(answer("DELETE /v1/admin/tools/{name}", delete).await, @r#"
    {
      "body": null,
      "status": 204
    }
    "#);
    app.stop().await;
}

#[test]
async fn people() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let (agent, other) = (app.agent("Mara").await, app.agent("Noor").await);
    let presence = agent.presence("online", 3);
    assert_json_snapshot!(answer("PUT /v1/desk/presence", presence).await, @r#"
    {
      "body": {
        "capacity": 3,
        "expires_at": "[time]",
        "state": "online"
      },
      "status": 200
    }
    "#);
    let handoff = shopper.handoff(&session);
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/handoff", handoff).await, @r#"
    {
      "body": {
        "controller": "bot",
        "created_at": "[time]",
        "epoch": 0,
        "handoff": "[id]",
        "id": "[id]",
        "last_seq": 2,
        "locale": "en",
        "site_id": "demo",
        "state": "open",
        "updated_at": "[time]"
      },
      "status": 200
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/desk/queue", agent.desk()).await, @r#"
    {
      "body": {
        "active": [],
        "agents": [
          {
            "active": 0,
            "capacity": 3,
            "id": "[id]",
            "name": "Mara"
          }
        ],
        "waiting": [
          {
            "handoff_id": "[id]",
            "locale": "en",
            "position": 1,
            "reason": "the shopper asked for a person",
            "requested_at": "[time]",
            "session_id": "[id]",
            "waited_ms": "[waited_ms]"
          }
        ]
      },
      "status": 200
    }
    "#);
    let accept = agent.accept(&session);
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/accept", accept).await, @r#"
    {
      "body": {
        "controller": "agent:[id]",
        "created_at": "[time]",
        "epoch": 1,
        "handoff": "[id]",
        "id": "[id]",
        "last_seq": 4,
        "locale": "en",
        "site_id": "demo",
        "state": "open",
        "updated_at": "[time]"
      },
      "status": 200
    }
    "#);
    let said = body(sent(agent.say(&session, "k", "Hello", 0)).await).await;
    assert_json_snapshot!(shape(&said), @r#"
    {
      "message": {
        "agent": {
          "name": "Mara"
        },
        "created_at": "[time]",
        "id": "[id]",
        "role": "agent",
        "seq": 5,
        "status": "complete",
        "text": "Hello",
        "turn_id": "[id]"
      },
      "seq": 5,
      "status": "sent"
    }
    "#);
    let delivered = ok(shopper.message(&session, "s", "Hi")).await;
    assert_json_snapshot!(shape(&delivered), @r#"
    {
      "message": {
        "created_at": "[time]",
        "id": "[id]",
        "role": "user",
        "route": "human",
        "seq": 6,
        "status": "complete",
        "text": "Hi",
        "turn_id": "[id]"
      },
      "seq": 6,
      "status": "delivered",
      "turn_id": "[id]"
    }
    "#);
    let to = ok(other.me()).await["id"].as_str().unwrap().to_owned();
    ok(other.presence("online", 3)).await;
    let transfer = agent.transfer(&session, &to);
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/transfer", transfer).await, @r#"
    {
      "body": {
        "controller": "agent:[id]",
        "created_at": "[time]",
        "epoch": 2,
        "handoff": "[id]",
        "id": "[id]",
        "last_seq": 8,
        "locale": "en",
        "site_id": "demo",
        "state": "open",
        "updated_at": "[time]"
      },
      "status": 200
    }
    "#);
    let release = other.release(&session, "bot");
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/release", release).await, @r#"
    {
      "body": {
        "controller": "bot",
        "created_at": "[time]",
        "epoch": 3,
        "id": "[id]",
        "last_seq": 10,
        "locale": "en",
        "site_id": "demo",
        "state": "open",
        "updated_at": "[time]"
      },
      "status": 200
    }
    "#);
    let close = shopper.close(&session);
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/close", close).await, @r#"
    {
      "body": {
        "controller": "bot",
        "created_at": "[time]",
        "epoch": 3,
        "id": "[id]",
        "last_seq": 11,
        "locale": "en",
        "site_id": "demo",
        "state": "closed",
        "updated_at": "[time]"
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn what_people_had() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = app.agent("Mara").await;
    ok(agent.accept(&session)).await;
    ok(agent.close(&session)).await;
    let rated = shopper.csat(&session, &json!({"score": 5, "comment": "kind"}));
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/csat", rated).await, @r#"
    {
      "body": {
        "comment": "kind",
        "score": "[score]"
      },
      "status": 201
    }
    "#);
    assert_json_snapshot!(answer("GET /v1/desk/ended", agent.ended("")).await, @r#"
    {
      "body": {
        "items": [
          {
            "accepted_at": "[time]",
            "agent_id": "[id]",
            "agent_name": "Mara",
            "ended_at": "[time]",
            "handoff_id": "[id]",
            "locale": "en",
            "reason": "an agent took over",
            "requested_at": "[time]",
            "session_id": "[id]",
            "to": "closed"
          }
        ]
      },
      "status": 200
    }
    "#);
    app.stop().await;
}

#[test]
async fn what_people_write_for_each_other() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = app.agent("Mara").await;
    let noted = body(sent(agent.note(&session, "n", "Be kind")).await).await;
    assert_json_snapshot!(shape(&noted), @r#"
    {
      "note": {
        "author": {
          "name": "Mara"
        },
        "created_at": "[time]",
        "id": "[id]",
        "text": "Be kind"
      },
      "status": "noted"
    }
    "#);
    let tag = agent.tag(&session, &["vip"]);
    assert_json_snapshot!(answer("PUT /v1/desk/sessions/{id}/tags", tag).await, @r#"
    {
      "body": {
        "tags": [
          "[tags]"
        ]
      },
      "status": 200
    }
    "#);
    let notes = agent.notes(&session);
    assert_json_snapshot!(answer("GET /v1/desk/sessions/{id}", notes).await, @r#"
    {
      "body": {
        "notes": [
          {
            "author": {
              "name": "Mara"
            },
            "created_at": "[time]",
            "id": "[id]",
            "text": "Be kind"
          }
        ],
        "tags": [
          "[tags]"
        ]
      },
      "status": 200
    }
    "#);
    let typing = shopper.typing(&session);
    assert_json_snapshot!(answer("POST /v1/sessions/{id}/typing", typing).await, @r#"
    {
      "body": null,
      "status": 204
    }
    "#);
    app.stop().await;
}
