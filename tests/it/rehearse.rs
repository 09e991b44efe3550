//! A rehearsal from a small access log against a real service: ready, not ready, and what it refuses.

use std::{path::PathBuf, time::Duration};

use actix_web::rt::test;
use rushdesk::rehearse::{Options, Thresholds, Verdict, rehearse};
use tempfile::TempDir;

use super::harness::*;

/// Twelve messages in four sessions and two readings of the history, in two minutes.
fn access_log(folder: &TempDir) -> PathBuf {
    let mut lines = String::from("this line is none\n");
    let mut line = |second: usize, request: &str| {
        let (minute, second) = (second / 60, second % 60);
        lines += &format!(
            "203.0.113.9 - - [10/Oct/2026:13:{minute:02}:{second:02} +0200] \"{request} HTTP/1.1\" 200 9\n"
        );
    };
    for at in 0..12 {
        line(at * 10, "POST /v1/sessions/0192/messages");
        if at % 3 == 0 {
            line(at * 10, "POST /v1/sessions");
        }
        if at % 6 == 0 {
            line(at * 10, "GET /v1/sessions/0192/messages");
        }
    }
    write(folder, "access.log", &lines)
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn options(folder: &TempDir, target: &str) -> Options {
    Options {
        from: access_log(folder),
        // Ten times 6 a minute: 1 a second.
        times: 10.0,
        target: target.to_owned(),
        site_key: "pk_demo".into(),
        within: Duration::from_secs(8),
        questions: Some(write(folder, "questions.txt", "What is the price guarantee?\n\n")),
        api_key: None,
        own_share: 0.5,
        per_thousand: None,
        yes_this_is_mine: false,
        // Generous: the machine of a test may be a busy one.
        thresholds: Thresholds {
            first_token_p99: PATIENCE,
            most_refused: 0.0,
            least_useful: 0.5,
            most_late: PATIENCE,
        },
        seed: 1,
    }
}

async fn verdict(options: &Options) -> Verdict {
    rehearse(options).await.unwrap()
}

async fn fault(options: &Options) -> String {
    format!("{:#}", rehearse(options).await.unwrap_err())
}

#[test]
async fn a_service_that_holds_is_ready() {
    let (app, folder) = (TestApp::start().await, tempfile::tempdir().unwrap());
    let verdict = verdict(&options(&folder, &app.url)).await;
    let text = verdict.to_string();
    assert!(verdict.is_ready(), "{text}");
    assert!(text.contains("errors                          0"), "{text}");
    app.stop().await;
}

#[test]
async fn a_service_that_refuses_is_not_ready_and_says_why() {
    // One visitor may be signed in, then none for a second.
    let limit = [("limits.site_visitors_per_second", "1".to_owned())];
    let (app, folder) = (TestApp::with(&limit).await, tempfile::tempdir().unwrap());
    let many =
        Options { times: 200.0, within: Duration::from_secs(2), ..options(&folder, &app.url) };
    let verdict = verdict(&many).await;
    assert!(verdict.reasons.iter().any(|reason| reason.contains("were refused")), "{verdict}");
    assert!(!verdict.is_ready());
    app.stop().await;
}

#[test]
async fn shoppers_of_a_rehearsal_prove_work_where_the_site_is_flooded() {
    let flooded = [
        ("limits.site_free_visitors_per_second", "1".to_owned()),
        ("limits.proof_bits", "4".to_owned()),
    ];
    let (app, folder) = (TestApp::with(&flooded).await, tempfile::tempdir().unwrap());
    let many =
        Options { times: 60.0, within: Duration::from_secs(3), ..options(&folder, &app.url) };
    let verdict = verdict(&many).await;
    assert!(verdict.is_ready(), "{verdict}");
    assert!(app.counter("rushdesk_limits_refused_total{scope=\"free_visitors\"}") > 0);
    app.stop().await;
}

#[test]
async fn what_cannot_be_rehearsed_says_what_to_do() {
    let (app, folder) = (TestApp::start().await, tempfile::tempdir().unwrap());
    let good = options(&folder, &app.url);
    let of = |text: &str| write(&folder, "other.log", text);
    let shop = r#"{"time":"2026-10-10T13:56:10Z","method":"GET","path":"/tents"}"#;
    for (options, word) in [
        (Options { target: "http://203.0.113.9".into(), ..good.clone() }, "--yes-this-is-mine"),
        (Options { questions: None, ..good.clone() }, "--questions"),
        (Options { from: of(shop), ..good.clone() }, "--per-thousand"),
        (Options { times: 0.0, ..good.clone() }, "--times"),
        (Options { api_key: Some("rk_none".into()), questions: None, ..good.clone() }, "API key"),
        (Options { target: "http://127.0.0.1:1".into(), ..good.clone() }, "is the service running"),
    ] {
        let fault = fault(&options).await;
        assert!(fault.contains(word), "{word} is not in: {fault}");
    }
    let nonsense = Options { from: of("nonsense\n"), ..good };
    assert!(fault(&nonsense).await.contains("1 were not"));
    app.stop().await;
}
