//! Every error: the public list, and problems as they come over HTTP.

use actix_web::rt::test;
use insta::{assert_json_snapshot, assert_snapshot};
use reqwest::{Method, RequestBuilder};
use rushdesk::domain::{ErrorCode, Problem};
use serde_json::{Value, json};

use super::{shape, words_of};
use crate::harness::*;

#[::core::prelude::v1::test]
fn the_list_of_errors() {
    let line = |word: &String| {
        let code: ErrorCode = serde_json::from_value(json!(word)).unwrap();
        let Problem { kind, title, status, detail, .. } = Problem::new(code);
        assert_eq!(kind, format!("urn:rushdesk:problem:{word}"));
        assert_eq!(title, detail);
        let again = if code.retryable() { "again" } else { "never" };
        format!("{status} {again} {word}: {detail}")
    };
    let mut lines: Vec<_> = words_of("ErrorCode").iter().map(line).collect();
    lines.sort();
    assert_snapshot!(lines.join("\n"), @r#"
    400 never idempotency_key_missing: The request needs an Idempotency-Key header.
    400 never invalid_request: The request could not be understood.
    401 never token_expired: Your sign-in has expired; please refresh it.
    401 never token_invalid: You are not signed in.
    403 never forbidden: You are not allowed to do this.
    403 never origin_not_allowed: This website may not use this chat.
    404 never not_found: This does not exist.
    405 never method_not_allowed: This address does not accept this method.
    408 again request_timeout: The request took too long to arrive.
    409 again request_in_progress: The same request is already being processed.
    409 again turn_active: An answer is still being written; please wait for it or stop it.
    409 never agent_unavailable: This person takes no conversations right now.
    409 never conflict: This conflicts with something that already exists.
    409 never control_conflict: Somebody else has taken over this conversation.
    409 never effect_changed: What will happen is not what you were shown; please look again.
    409 never identity_required: Please sign in first.
    409 never nobody_on_duty: Nobody of our team is here right now.
    409 never stale_view: There is a newer message; please read it first.
    410 never erased: This conversation has been erased.
    412 never precondition_failed: This has changed since you last read it.
    413 never payload_too_large: The request is too large.
    414 never uri_too_long: The address of the request is too long.
    415 never unsupported_media_type: The request must be JSON.
    422 never idempotency_key_reused: This Idempotency-Key was already used for another request.
    422 never schema_violation: Some fields of the request are not valid.
    429 again proof_required: Many new visitors are coming right now; solve the challenge, or come again later.
    429 again rate_limited: You have sent too many messages; please wait a moment.
    431 never headers_too_large: The headers of the request are too large.
    500 again interrupted: The answer was interrupted; please ask again.
    500 never internal: Something went wrong on our side.
    503 again dependency_unavailable: A part of the service is unavailable; please try again in a moment.
    503 again draining: This server is restarting; please try again in a moment.
    503 again overloaded: We are very busy right now; please try again in a moment.
    504 again upstream_timeout: The answer took too long; please try again.
    "#);
}

/// The headers that a client acts on, and the body.
async fn problem_of(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let header =
        |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let headers = json!({
        "content-type": header("content-type"),
        "retry-after": header("retry-after").map(|_| "[seconds]"),
        "www-authenticate": header("www-authenticate"),
        "allow": header("allow"),
    });
    let mut body = shape(&body(response).await);
    for (field, text) in [("instance", "[path]"), ("request_id", "[id]")] {
        assert!(body[field].is_string(), "{field}: {body}");
        body[field] = json!(text);
    }
    json!({ "headers": headers, "body": body })
}

#[test]
async fn a_flood_of_new_visitors() {
    let settings = [
        ("limits.address_visitors_per_minute", "1".to_owned()),
        ("server.trusted_proxies", "[\"127.0.0.1\"]".to_owned()),
    ];
    let app = TestApp::with(&settings).await;
    let visit = || {
        let request = app.auth("visitor", &json!({"site_key": "pk_demo"}));
        request.header("x-forwarded-for", "203.0.113.7")
    };
    sent(visit()).await;
    assert_json_snapshot!(problem_of(visit()).await, @r#"
    {
      "body": {
        "challenge": {
          "bits": 18,
          "expires_in_ms": "[expires_in_ms]",
          "token": "[token]"
        },
        "code": "proof_required",
        "detail": "Many new visitors are coming right now; solve the challenge, or come again later.",
        "instance": "[path]",
        "request_id": "[id]",
        "retry_after_ms": "[retry_after_ms]",
        "status": 429,
        "title": "Many new visitors are coming right now; solve the challenge, or come again later.",
        "type": "urn:rushdesk:problem:proof_required"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": "[seconds]",
        "www-authenticate": null
      }
    }
    "#);
    app.stop().await;
}

#[test]
async fn problems_of_the_caller() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    assert_json_snapshot!(problem_of(app.get("/v1/auth/me")).await, @r#"
    {
      "body": {
        "code": "token_invalid",
        "detail": "send `Authorization: Bearer <access token>`",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 401,
        "title": "You are not signed in.",
        "type": "urn:rushdesk:problem:token_invalid"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": "Bearer"
      }
    }
    "#);
    assert_json_snapshot!(problem_of(shopper.cache()).await, @r#"
    {
      "body": {
        "code": "forbidden",
        "detail": "You are not allowed to do this.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 403,
        "title": "You are not allowed to do this.",
        "type": "urn:rushdesk:problem:forbidden"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    let foreign = shopper.sessions().header("origin", "https://evil.example");
    assert_json_snapshot!(problem_of(foreign).await, @r#"
    {
      "body": {
        "code": "origin_not_allowed",
        "detail": "This website may not use this chat.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 403,
        "title": "This website may not use this chat.",
        "type": "urn:rushdesk:problem:origin_not_allowed"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    assert_json_snapshot!(problem_of(shopper.view("nobody")).await, @r#"
    {
      "body": {
        "code": "not_found",
        "detail": "This does not exist.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 404,
        "title": "This does not exist.",
        "type": "urn:rushdesk:problem:not_found"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    let wrong = shopper.request(Method::PATCH, "/v1/sessions");
    assert_json_snapshot!(problem_of(wrong).await, @r#"
    {
      "body": {
        "code": "method_not_allowed",
        "detail": "This address does not accept this method.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 405,
        "title": "This address does not accept this method.",
        "type": "urn:rushdesk:problem:method_not_allowed"
      },
      "headers": {
        "allow": "GET, POST",
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    sent(shopper.erase(&session)).await;
    assert_json_snapshot!(problem_of(shopper.view(&session)).await, @r#"
    {
      "body": {
        "code": "erased",
        "detail": "This conversation has been erased.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 410,
        "title": "This conversation has been erased.",
        "type": "urn:rushdesk:problem:erased"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    app.stop().await;
}

#[test]
async fn problems_of_a_request() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let messages = format!("/v1/sessions/{session}/messages");
    let keyless = shopper.post(&messages).json(&json!({"text": "Hello"}));
    assert_json_snapshot!(problem_of(keyless).await, @r#"
    {
      "body": {
        "code": "idempotency_key_missing",
        "detail": "The request needs an Idempotency-Key header.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 400,
        "title": "The request needs an Idempotency-Key header.",
        "type": "urn:rushdesk:problem:idempotency_key_missing"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    let half = shopper.message(&session, "k", "").body("{\"text\":");
    assert_json_snapshot!(problem_of(half).await, @r#"
    {
      "body": {
        "code": "invalid_request",
        "detail": "the body is not valid JSON (line 1, column 8)",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 400,
        "title": "The request could not be understood.",
        "type": "urn:rushdesk:problem:invalid_request"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    assert_json_snapshot!(problem_of(shopper.message(&session, "k", "")).await, @r#"
    {
      "body": {
        "code": "schema_violation",
        "detail": "Some fields of the request are not valid.",
        "field_errors": [
          {
            "detail": "must not be empty: write what you want to know",
            "field": "text"
          }
        ],
        "instance": "[path]",
        "request_id": "[id]",
        "status": 422,
        "title": "Some fields of the request are not valid.",
        "type": "urn:rushdesk:problem:schema_violation"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    let large = shopper.message(&session, "k", &"x".repeat(70_000));
    assert_json_snapshot!(problem_of(large).await, @r#"
    {
      "body": {
        "code": "payload_too_large",
        "detail": "the body may have at most 65536 bytes",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 413,
        "title": "The request is too large.",
        "type": "urn:rushdesk:problem:payload_too_large"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    let plain = shopper.post(&messages).header("idempotency-key", "k").body("Hello");
    assert_json_snapshot!(problem_of(plain).await, @r#"
    {
      "body": {
        "code": "unsupported_media_type",
        "detail": "send `Content-Type: application/json`",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 415,
        "title": "The request must be JSON.",
        "type": "urn:rushdesk:problem:unsupported_media_type"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    sent(shopper.message(&session, "k", "What is the price guarantee?")).await;
    let reused = shopper.message(&session, "k", "Something else");
    assert_json_snapshot!(problem_of(reused).await, @r#"
    {
      "body": {
        "code": "idempotency_key_reused",
        "detail": "This Idempotency-Key was already used for another request.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 422,
        "title": "This Idempotency-Key was already used for another request.",
        "type": "urn:rushdesk:problem:idempotency_key_reused"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    let admin = app.admin().await;
    let document = json!({"title": "A", "text": "Some text."});
    let stale = admin.put_document("a", &document).header("if-match", "\"old\"");
    assert_json_snapshot!(problem_of(stale).await, @r#"
    {
      "body": {
        "code": "precondition_failed",
        "detail": "This has changed since you last read it.",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 412,
        "title": "This has changed since you last read it.",
        "type": "urn:rushdesk:problem:precondition_failed"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    for name in ["first", "second"] {
        sent(admin.create_key(name)).await;
    }
    assert_json_snapshot!(problem_of(admin.create_key("third")).await, @r#"
    {
      "body": {
        "code": "conflict",
        "detail": "two keys are active; revoke one first",
        "instance": "[path]",
        "request_id": "[id]",
        "status": 409,
        "title": "This conflicts with something that already exists.",
        "type": "urn:rushdesk:problem:conflict"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": null,
        "www-authenticate": null
      }
    }
    "#);
    app.stop().await;
}

#[test]
async fn problems_of_a_busy_service() {
    let settings =
        [("sessions.max_turns", "1".to_owned()), ("limits.visitor_burst", "1".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("step", &settings).await;
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("message.created").await;
    let (other, second) = app.chatting().await;
    assert_json_snapshot!(problem_of(other.message(&second, "k", "And tents?")).await, @r#"
    {
      "body": {
        "code": "overloaded",
        "detail": "We are very busy right now; please try again in a moment.",
        "instance": "[path]",
        "request_id": "[id]",
        "retry_after_ms": "[retry_after_ms]",
        "status": 503,
        "title": "We are very busy right now; please try again in a moment.",
        "type": "urn:rushdesk:problem:overloaded"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": "[seconds]",
        "www-authenticate": null
      }
    }
    "#);
    assert_json_snapshot!(problem_of(shopper.message(&session, "k", "And tents?")).await, @r#"
    {
      "body": {
        "code": "rate_limited",
        "detail": "You have sent too many messages; please wait a moment.",
        "instance": "[path]",
        "request_id": "[id]",
        "retry_after_ms": "[retry_after_ms]",
        "status": 429,
        "title": "You have sent too many messages; please wait a moment.",
        "type": "urn:rushdesk:problem:rate_limited"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": "[seconds]",
        "www-authenticate": null
      }
    }
    "#);
    app.model().steps.add_permits(100);
    stream.rest().await;
    assert_json_snapshot!(problem_of(shopper.message(&session, "k", "And tents?")).await, @r#"
    {
      "body": {
        "code": "rate_limited",
        "detail": "You have sent too many messages; please wait a moment.",
        "instance": "[path]",
        "request_id": "[id]",
        "retry_after_ms": "[retry_after_ms]",
        "status": 429,
        "title": "You have sent too many messages; please wait a moment.",
        "type": "urn:rushdesk:problem:rate_limited"
      },
      "headers": {
        "allow": null,
        "content-type": "application/problem+json",
        "retry-after": "[seconds]",
        "www-authenticate": null
      }
    }
    "#);
    app.stop().await;
}
