//! Each fault is shown to the judge once, in a reading that is made up and otherwise good.

use std::{cell::RefCell, rc::Rc};

use super::*;
use crate::replay::{
    message::Message,
    reading::{Page, Read, Stream, Told},
};

fn told(seq: u64, kind: &str, turn: &str, text: &str) -> Told {
    Told {
        seq,
        kind: kind.into(),
        turn_id: Some(turn.into()),
        message_id: Some(format!("m{seq}")),
        text: Some(text.into()),
    }
}

/// Two turns: the second one failed.
fn events() -> Vec<Told> {
    vec![
        told(1, "message.created", "t", "hello?"),
        told(2, "answer.completed", "t", "hi there"),
        told(3, "message.created", "u", "why?"),
        told(4, "turn.failed", "u", ""),
    ]
}

fn list() -> List {
    List::new(events())
}

fn acknowledged(seq: u64) -> Acknowledged {
    let event = &events()[usize::try_from(seq).unwrap() - 1];
    Acknowledged {
        message_id: event.message_id.clone().unwrap(),
        turn_id: event.turn_id.clone().unwrap(),
        seq,
        text: event.text.clone().unwrap(),
    }
}

fn kinds(found: &[Found]) -> Vec<Contradiction> {
    found.iter().map(|found| found.what).collect()
}

fn in_list(events: Vec<Told>, said: &[u64]) -> Vec<Contradiction> {
    let said: Vec<_> = said.iter().map(|&seq| acknowledged(seq)).collect();
    kinds(&judge_list(&List::new(events), &said))
}

fn event(seq: u64) -> Read {
    Read::Event(events()[usize::try_from(seq).unwrap() - 1].clone())
}

fn piece(seq: u64, index: u64, text: &str) -> Read {
    let turn = if seq == 1 { "t" } else { "u" };
    Read::Piece { seq, index, turn_id: Some(turn.into()), text: text.into() }
}

fn reader(readings: Vec<Reading>) -> Reader {
    Reader { readings, ..Reader::default() }
}

fn stream(after: Option<&str>, reads: Vec<Read>) -> Reading {
    let after = after.map(str::to_owned);
    Reading::Stream(Rc::new(RefCell::new(Stream { after, reads })))
}

fn in_readings(readings: Vec<Reading>) -> Vec<Contradiction> {
    kinds(&judge_readers(&list(), &[reader(readings)]))
}

fn in_stream(after: Option<&str>, reads: Vec<Read>) -> Vec<Contradiction> {
    in_readings(vec![stream(after, reads)])
}

fn message(seq: u64) -> Message {
    let event = &events()[usize::try_from(seq).unwrap() - 1];
    let is_user = event.kind == "message.created";
    Message {
        id: event.message_id.clone().unwrap(),
        seq,
        turn_id: event.turn_id.clone().unwrap(),
        role: if is_user { "user" } else { "assistant" }.into(),
        text: event.text.clone().unwrap(),
        status: if event.kind == "turn.failed" { "failed" } else { "complete" }.into(),
    }
}

fn in_page(after_seq: u64, last_seq: u64, items: Vec<Message>) -> Vec<Contradiction> {
    in_readings(vec![Reading::Page(Page { after_seq, last_seq, items })])
}

#[test]
fn a_whole_list_has_no_fault() {
    assert_eq!(in_list(events(), &[1, 3]), []);
    assert_eq!(in_list(Vec::new(), &[]), []);
}

#[test]
fn a_list_with_a_gap_or_a_repeated_number_is_seen() {
    let mut gap = events();
    gap[3].seq = 5;
    assert_eq!(in_list(gap, &[1, 3]), [Contradiction::ListGap]);
    let mut repeated = events();
    repeated[3].seq = 3;
    assert_eq!(in_list(repeated, &[1, 3]), [Contradiction::ListGap]);
}

#[test]
fn a_turn_without_an_end_or_with_two_is_seen() {
    assert_eq!(in_list(events()[..3].to_vec(), &[1, 3]), [Contradiction::NoEnd]);
    let mut twice = events();
    twice.push(told(5, "turn.cancelled", "u", ""));
    assert_eq!(in_list(twice, &[1, 3]), [Contradiction::SecondEnd]);
}

#[test]
fn a_turn_that_begins_inside_another_is_seen() {
    let overlapping = vec![
        told(1, "message.created", "t", "hello?"),
        told(2, "message.created", "u", "why?"),
        told(3, "answer.completed", "t", "hi there"),
        told(4, "turn.failed", "u", ""),
    ];
    assert_eq!(in_list(overlapping, &[1]), [Contradiction::TurnsOverlap]);
}

#[test]
fn an_acknowledged_message_must_be_there_once_and_as_it_was() {
    let lost = events()[..2].to_vec();
    assert_eq!(in_list(lost, &[1, 3]), [Contradiction::AcknowledgedLost]);
    let mut altered = events();
    altered[0].text = Some("hallo?".into());
    assert_eq!(in_list(altered, &[1]), [Contradiction::AcknowledgedLost]);
    let mut other_turn = events();
    for event in &mut other_turn[2..] {
        event.turn_id = Some("x".into());
    }
    assert_eq!(in_list(other_turn, &[3]), [Contradiction::AcknowledgedLost]);
    let mut twice = events();
    twice.extend([told(5, "message.created", "w", "hello?"), told(6, "turn.failed", "w", "")]);
    twice[4].message_id = Some("m1".into());
    assert_eq!(in_list(twice, &[1]), [Contradiction::AcknowledgedTwice]);
}

#[test]
fn good_streams_pass_whole_cut_and_resumed() {
    let whole = vec![
        event(1),
        Read::Live,
        piece(1, 0, "hi "),
        piece(1, 1, "there"),
        event(2),
        event(3),
        Read::Live,
        event(4),
    ];
    assert_eq!(in_stream(Some("0"), whole), []);
    let resumed = vec![
        stream(None, vec![event(1), piece(1, 0, "hi ")]),
        stream(Some("1.0"), vec![piece(1, 1, "there")]),
        stream(Some("1.1"), vec![event(2)]),
    ];
    assert_eq!(in_readings(resumed), []);
    // Told again from the first piece, after a position without one.
    let again = vec![
        stream(Some("0"), vec![event(1), piece(1, 0, "hi ")]),
        stream(Some("1"), vec![piece(1, 0, "hi "), piece(1, 1, "there"), event(2)]),
    ];
    assert_eq!(in_readings(again), []);
    // The turn ended while the reader was away: its other pieces are gone, and its text comes whole.
    let missed = vec![
        stream(Some("0"), vec![event(1), piece(1, 0, "hi ")]),
        stream(Some("1.0"), vec![event(2)]),
    ];
    assert_eq!(in_readings(missed), []);
    assert_eq!(in_stream(None, vec![event(3), event(4)]), []);
}

#[test]
fn an_event_that_the_list_has_otherwise_or_not_at_all_is_seen() {
    let change = |change: fn(&mut Told)| {
        let mut other = events()[1].clone();
        change(&mut other);
        in_stream(Some("1"), vec![Read::Event(other)])
    };
    assert_eq!(change(|other| other.turn_id = Some("x".into())), [Contradiction::EventDiffers]);
    assert_eq!(change(|other| other.kind = "turn.failed".into()), [Contradiction::EventDiffers]);
    assert_eq!(change(|other| other.text = Some("ho".into())), [Contradiction::EventDiffers]);
    assert_eq!(change(|other| other.message_id = None), [Contradiction::EventDiffers]);
    let gone = Read::Event(told(5, "message.created", "w", "and?"));
    assert_eq!(in_stream(Some("4"), vec![gone]), [Contradiction::EventGone]);
    assert_eq!(in_readings(vec![Reading::Snapshot(5)]), [Contradiction::EventGone]);
    assert_eq!(in_readings(vec![Reading::Snapshot(4)]), []);
}

#[test]
fn a_number_that_goes_back_is_repeated_or_passed_over_is_seen() {
    assert_eq!(in_stream(Some("0"), vec![event(1), event(1)]), [Contradiction::SeqBack]);
    assert_eq!(in_stream(Some("2"), vec![event(1)]), [Contradiction::SeqBack]);
    let back = vec![event(1), event(2), event(3), event(2)];
    assert_eq!(in_stream(Some("0"), back), [Contradiction::SeqBack]);
    assert_eq!(in_stream(Some("0"), vec![event(2)]), [Contradiction::SeqGap]);
    assert_eq!(in_stream(Some("1"), vec![event(2), event(4)]), [Contradiction::SeqGap]);
}

#[test]
fn only_the_stream_of_one_turn_may_leave_an_aside_out() {
    let list = List::new(vec![
        told(1, "message.created", "t", "hello?"),
        told(2, "action.proposed", "t", ""),
        told(3, "answer.completed", "t", "hi"),
    ]);
    let judge = |after, reads| kinds(&judge_readers(&list, &[reader(vec![stream(after, reads)])]));
    let turn = || list.events().iter().step_by(2).cloned().map(Read::Event).collect::<Vec<_>>();
    assert_eq!(judge(None, turn()), []);
    assert_eq!(judge(Some("0"), turn()), [Contradiction::SeqGap]);
}

#[test]
fn a_reset_counts_only_where_the_position_is_good() {
    let reset = |after| in_stream(Some(after), vec![Read::Reset { seq: 4 }]);
    for good in ["0", "2", "3.7", "4"] {
        assert_eq!(reset(good), [Contradiction::ValidPositionReset], "{good}");
    }
    for bad in ["5", "2.0", "9.1"] {
        assert_eq!(reset(bad), [], "{bad}");
    }
    let in_the_middle = vec![event(1), piece(1, 0, "hi "), Read::Reset { seq: 1 }];
    assert_eq!(in_stream(Some("0"), in_the_middle), [Contradiction::ValidPositionReset]);
    let beyond = in_stream(Some("5"), vec![Read::Reset { seq: 7 }]);
    assert_eq!(beyond, [Contradiction::EventGone]);
}

#[test]
fn a_lost_a_repeated_and_a_stray_piece_are_seen() {
    let lost = vec![event(1), piece(1, 1, "hi there"), event(2)];
    assert_eq!(in_stream(None, lost), [Contradiction::PieceLost]);
    let repeated = vec![event(1), piece(1, 0, "hi there"), piece(1, 0, "hi there"), event(2)];
    assert_eq!(in_stream(None, repeated), [Contradiction::PieceRepeated]);
    let late = vec![event(1), event(2), piece(1, 0, "x")];
    assert_eq!(in_stream(Some("0"), late), [Contradiction::PieceOutOfPlace]);
    let of_another = vec![event(1), piece(3, 0, "x")];
    assert_eq!(in_stream(Some("0"), of_another), [Contradiction::PieceOutOfPlace]);
    let resumed_too_late = vec![
        stream(Some("0"), vec![event(1), piece(1, 0, "hi ")]),
        stream(Some("1.0"), vec![piece(1, 2, "there"), event(2)]),
    ];
    assert_eq!(in_readings(resumed_too_late), [Contradiction::PieceLost]);
}

#[test]
fn pieces_that_are_wrong_in_a_row_count_once() {
    let again = [piece(1, 0, "hi "), piece(1, 1, "there")];
    let reads = [vec![event(1)], again.to_vec(), again.to_vec(), again.to_vec()].concat();
    let found = judge_readers(&list(), &[reader(vec![stream(Some("0"), reads)])]);
    assert_eq!(kinds(&found), [Contradiction::PieceRepeated]);
    assert!(found[0].place.ends_with("1.0 and 3 more"), "{found:?}");
}

#[test]
fn the_shown_text_must_be_the_completed_one() {
    let other = vec![event(1), piece(1, 0, "ho"), event(2)];
    assert_eq!(in_stream(None, other), [Contradiction::TextDiffers]);
    let short = vec![event(1), piece(1, 0, "hi "), event(2)];
    assert_eq!(in_stream(None, short), [Contradiction::TextCutShort]);
    let replaced = vec![event(1), piece(1, 0, "ho"), Read::Replaced("hi ".into())];
    let good = [replaced.clone(), vec![piece(1, 1, "there"), event(2)]].concat();
    assert_eq!(in_stream(None, good), []);
    let bad = [replaced, vec![piece(1, 1, "you"), event(2)]].concat();
    assert_eq!(in_stream(None, bad), [Contradiction::TextDiffers]);
    // A resume does not forgive what came afterwards.
    let resumed = vec![
        stream(Some("0"), vec![event(1), piece(1, 0, "hi ")]),
        stream(Some("1.0"), vec![piece(1, 1, "you"), event(2)]),
    ];
    assert_eq!(in_readings(resumed), [Contradiction::TextDiffers]);
}

#[test]
fn pages_are_slices() {
    assert_eq!(in_page(0, 4, (1..=4).map(message).collect()), []);
    assert_eq!(in_page(2, 3, vec![message(3)]), []);
    assert_eq!(in_page(4, 4, Vec::new()), []);
    let mut running = message(2);
    (running.status, running.text) = ("streaming".into(), "h".into());
    assert_eq!(in_page(0, 1, vec![message(1), running]), []);

    assert_eq!(in_page(0, 3, vec![message(1), message(3)]), [Contradiction::PageDiffers]);
    assert_eq!(in_page(0, 2, vec![message(1), message(1)]), [Contradiction::PageDiffers]);
    assert_eq!(in_page(0, 2, vec![message(1)]), [Contradiction::PageDiffers]);
    let mut other = message(2);
    other.text = "ho".into();
    assert_eq!(in_page(1, 2, vec![other]), [Contradiction::PageDiffers]);
    let mut other = message(4);
    other.status = "complete".into();
    assert_eq!(in_page(3, 4, vec![other]), [Contradiction::PageDiffers]);
    let mut beyond = message(4);
    beyond.seq = 5;
    let found = in_page(4, 5, vec![beyond]);
    assert_eq!(found, [Contradiction::EventGone, Contradiction::EventGone]);
}

#[test]
fn a_living_session_is_never_denied() {
    let denied = vec![Reading::Refused(404), Reading::Refused(410), Reading::Refused(403)];
    assert_eq!(in_readings(denied), [Contradiction::SessionDenied; 2]);
    let unknown = reader(vec![Reading::Refused(404)]);
    assert_eq!(judge_readers(&List::default(), &[unknown]), []);
}

#[test]
fn a_follower_must_come_to_the_end() {
    let follower = |last: u64| Reader {
        name: "replica 2".into(),
        follows_to_the_end: true,
        ..reader(vec![stream(Some("0"), (1..=last).map(event).collect())])
    };
    assert_eq!(judge_readers(&list(), &[follower(4)]), []);
    let found = judge_readers(&list(), &[follower(3)]);
    assert_eq!(kinds(&found), [Contradiction::FellBehind]);
    assert_eq!(found[0].place, "replica 2: at 3 of 4");
    let mut reset = follower(2);
    reset.readings.push(stream(Some("2"), vec![Read::Reset { seq: 4 }]));
    assert_eq!(kinds(&judge_readers(&list(), &[reset])), [Contradiction::ValidPositionReset]);
}

#[test]
fn foreign_events_and_nonsense_are_seen() {
    let reads = vec![event(1), Read::Foreign, Read::Nonsense];
    let expected = [Contradiction::ForeignSession, Contradiction::BadFrame];
    assert_eq!(in_stream(Some("0"), reads), expected);
}
