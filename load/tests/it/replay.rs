//! The replay must accept an honest server in all conditions, and must notice each lie.

use std::path::{Path, PathBuf};

use rushdesk_load::replay::{Args, Contradiction, Report, TransportChoice, Violation, run};

use crate::fake::{Fake, Lie};

fn args(url: &str, transport: TransportChoice, cut: f64) -> Args {
    Args {
        url: url.to_owned(),
        site_key: "pk_demo".into(),
        data: Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample_100.jsonl"),
        conversations: Some(12),
        concurrency: 4,
        transport,
        cut,
        seed: 7,
        ledger: None,
        verify: None,
        follow: Vec::new(),
        json: None,
        patience_s: 1,
        turn_timeout_s: 5,
    }
}

async fn replayed(lie: Lie, transport: TransportChoice, cut: f64) -> Report {
    let fake = Fake::start(lie);
    let mut args = args(&fake.url, transport, cut);
    if lie == Lie::NeverEnds {
        (args.turn_timeout_s, args.conversations) = (1, Some(2));
    }
    let report = run(&args).await.unwrap();
    fake.stop().await;
    report
}

/// Without cuts, over SSE: the lie is the only finding.
async fn caught(lie: Lie) -> Report {
    let report = replayed(lie, TransportChoice::Sse, 0.0).await;
    assert!(report.has_failed(), "{lie:?} went unseen:\n{report}");
    report
}

fn assert_ok(report: &Report) {
    assert!(!report.has_failed() && !report.server_gone, "{report}");
    assert!(report.turns > 12);
    assert_eq!((report.acknowledged, report.found), (report.turns, report.turns), "{report}");
    assert_eq!(report.answers_by_route.get("model"), Some(&report.turns), "{report}");
}

#[actix_web::test]
async fn an_honest_server_passes_over_both_transports() {
    for transport in [TransportChoice::Sse, TransportChoice::Ws, TransportChoice::Mixed] {
        let report = replayed(Lie::None, transport, 0.0).await;
        assert_ok(&report);
        assert_eq!((report.cuts, report.resumes, report.retries), (0, 0, 0));
        assert_eq!(report.first_token_ms.count, report.turns);
    }
}

#[actix_web::test]
async fn an_honest_server_passes_when_most_streams_are_cut() {
    for transport in [TransportChoice::Sse, TransportChoice::Ws] {
        let report = replayed(Lie::None, transport, 0.9).await;
        assert_ok(&report);
        assert!(report.cuts > 0 && report.resumes > 0, "{report}");
    }
}

#[actix_web::test]
async fn refusals_and_broken_connections_are_retried_with_the_same_key() {
    for lie in [Lie::Busy, Lie::Breaks, Lie::DiesBeforeAnswer] {
        for transport in [TransportChoice::Sse, TransportChoice::Ws] {
            let report = replayed(lie, transport, 0.0).await;
            assert_ok(&report);
            assert!(report.retries + report.resumes > 0, "{lie:?} {report}");
            let code = if lie == Lie::Busy { "overloaded" } else { "connection" };
            assert!(report.errors.contains_key(code), "{lie:?} {report}");
        }
    }
}

#[actix_web::test]
async fn a_dropped_and_a_repeated_delta_are_caught() {
    let report = caught(Lie::DropsDelta).await;
    assert!(report.violations.contains_key(&Violation::DeltaLost), "{report}");
    let report = caught(Lie::RepeatsDelta).await;
    assert!(report.violations.contains_key(&Violation::DeltaRepeated), "{report}");
}

#[actix_web::test]
async fn a_resume_that_loses_or_repeats_is_caught() {
    for (lie, violation) in [
        (Lie::ResumesTooLate, Violation::DeltaLost),
        (Lie::ResumesTooEarly, Violation::DeltaRepeated),
    ] {
        for transport in [TransportChoice::Sse, TransportChoice::Ws] {
            let report = replayed(lie, transport, 0.9).await;
            assert!(report.violations.contains_key(&violation), "{lie:?} {report}");
        }
    }
}

#[actix_web::test]
async fn a_lost_a_doubled_a_changed_and_a_foreign_message_are_caught() {
    assert_eq!(caught(Lie::LosesMessage).await.lost, 1);
    assert_eq!(caught(Lie::DuplicatesMessage).await.duplicated, 1);
    assert_eq!(caught(Lie::ChangesText).await.altered, 1);
    assert_eq!(caught(Lie::ForeignMessage).await.foreign, 1);
}

#[actix_web::test]
async fn a_server_that_ignores_idempotency_keys_is_caught() {
    let report = replayed(Lie::IgnoresKeys, TransportChoice::Sse, 0.9).await;
    assert!(report.duplicated > 0, "{report}");
}

#[actix_web::test]
async fn a_turn_with_two_ends_or_none_is_caught() {
    assert!(caught(Lie::SecondTerminal).await.doubled_terminal > 0);
    let report = caught(Lie::NeverEnds).await;
    assert_eq!(report.missing_terminal, 1, "{report}");
    assert!(report.violations.contains_key(&Violation::NoTerminal), "{report}");
}

#[actix_web::test]
async fn a_gap_in_the_journal_and_an_answer_that_was_not_streamed_are_caught() {
    let report = caught(Lie::SkipsSeq).await;
    assert_eq!(report.journal_gaps, 1, "{report}");
    let report = caught(Lie::SwapsAnswers).await;
    assert!(report.violations.contains_key(&Violation::TextDiffers), "{report}");
    assert_eq!(report.answers_altered, 1, "{report}");
}

/// With two followers for each session.
async fn followed(lie: Lie, cut: f64) -> Report {
    let fake = Fake::start(lie);
    let mut args = args(&fake.url, TransportChoice::Mixed, cut);
    args.follow = vec![fake.url.clone(), format!("{}/", fake.url)];
    args.conversations = Some(6);
    let report = run(&args).await.unwrap();
    fake.stop().await;
    report
}

#[actix_web::test]
async fn followers_of_an_honest_server_see_what_is_in_the_end() {
    for (lie, cut) in [(Lie::None, 0.0), (Lie::None, 0.9), (Lie::Breaks, 0.3)] {
        let report = followed(lie, cut).await;
        assert!(!report.has_failed() && report.found > 6, "{report}");
    }
}

#[actix_web::test]
async fn what_a_follower_alone_could_see_is_caught() {
    for (lie, contradiction) in [
        (Lie::ResetsAlways, Contradiction::ValidPositionReset),
        (Lie::ResumesTooLate, Contradiction::PieceLost),
        (Lie::ResumesTooEarly, Contradiction::PieceRepeated),
        (Lie::LosesMessage, Contradiction::PageDiffers),
        (Lie::SwapsAnswers, Contradiction::TextDiffers),
        (Lie::SkipsSeq, Contradiction::SeqGap),
    ] {
        let report = followed(lie, 0.9).await;
        assert!(report.contradictions.contains_key(&contradiction), "{lie:?} {report}");
    }
}

fn ledger() -> PathBuf {
    std::env::temp_dir().join(format!("rushdesk-load-it-{}.ndjson", uuid::Uuid::new_v4()))
}

#[actix_web::test]
async fn a_ledger_verifies_later_and_finds_what_another_server_has_lost() {
    let path = ledger();
    let fake = Fake::start(Lie::None);
    let mut first = args(&fake.url, TransportChoice::Mixed, 0.2);
    first.ledger = Some(path.clone());
    let replayed = run(&first).await.unwrap();
    let mut second = args(&fake.url, TransportChoice::Mixed, 0.0);
    second.verify = Some(path.clone());
    let verified = run(&second).await.unwrap();
    assert!(!verified.has_failed(), "{verified}");
    assert_eq!((verified.turns, verified.found), (0, replayed.turns));
    fake.stop().await;

    second.url = Fake::start(Lie::None).url;
    let lost = run(&second).await.unwrap();
    assert_eq!((lost.found, lost.lost), (0, replayed.turns), "{lost}");
    std::fs::remove_file(path).unwrap();
}

#[actix_web::test]
async fn a_server_that_dies_leaves_a_report_of_what_was_acknowledged() {
    let fake = Fake::start(Lie::None);
    let path = ledger();
    let mut args = args(&fake.url, TransportChoice::Mixed, 0.0);
    (args.conversations, args.ledger) = (Some(100), Some(path.clone()));
    let kill = async {
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        fake.stop().await;
    };
    let (report, ()) = tokio::join!(run(&args), kill);
    let report = report.unwrap();
    assert!(report.server_gone && !report.has_failed(), "{report}");
    assert!(report.acknowledged > 0, "{report}");
    assert_eq!(report.unverified, report.acknowledged, "{report}");
    std::fs::remove_file(path).unwrap();
}
