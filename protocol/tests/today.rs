//! The search finds in today's protocol what was found in production.

use rushdesk_protocol::{
    Budget,
    Fault::RedisAway,
    search::search,
    today::{
        Mend::{self, ContiguousSave, MarkNeedsRow, OneRead, RowCounts},
        Today,
        Violation::{self, Gap, LivingTurnEnded, Twice},
    },
};

fn today(mended: &'static [Mend], ignored: &'static [Violation]) -> Today {
    Today { budget: Budget::of(&[RedisAway]), mended, ignored }
}

#[track_caller]
fn assert_found(model: Today, violation: Violation) -> String {
    let report = search(&model);
    assert!(report.complete);
    let found = report.found.as_ref();
    println!("{} states, {model:?}: {found:?}", report.states);
    assert_eq!(found.map(|found| found.violation), Some(violation), "{model:?}: {found:?}");
    format!("{found:?}")
}

#[test]
fn i1_a_save_without_its_beginning_leaves_a_gap_and_then_an_event_stands_twice() {
    assert_found(today(&[MarkNeedsRow, RowCounts, OneRead], &[]), Gap);
    assert_found(today(&[MarkNeedsRow, RowCounts, OneRead], &[Gap]), Twice);
}

#[test]
fn i2_a_mark_without_its_row_makes_an_orphan_of_a_running_turn() {
    assert_found(today(&[ContiguousSave, RowCounts, OneRead], &[]), LivingTurnEnded);
}

#[test]
fn i3_a_row_that_is_read_later_than_its_events_makes_an_orphan_of_a_running_turn() {
    let trace =
        assert_found(today(&[ContiguousSave, MarkNeedsRow, RowCounts], &[]), LivingTurnEnded);
    assert!(trace.contains("reads the row"), "{trace}");
}

#[test]
fn i6_a_replica_without_the_mark_goes_on_in_a_copy_that_is_behind() {
    assert_found(today(&[ContiguousSave, MarkNeedsRow, OneRead], &[]), LivingTurnEnded);
}

/// So each of the four is found for its own reason.
#[test]
fn with_all_four_mended_nothing_is_found() {
    let report = search(&today(&[ContiguousSave, MarkNeedsRow, RowCounts, OneRead], &[]));
    println!("{} states", report.states);
    assert!(report.complete && report.found.is_none(), "{:?}", report.found);
}
