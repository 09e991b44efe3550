//! "What fails without each rule": a search finds a trace for each rule that is switched off.

use rushdesk_protocol::{
    Fault::{
        self, AnswerLost, CallLate, Crash, DeclaredDead, Emptied, Erasure, RollbackOfFence,
        RollbackOfTail, Split, SqlAway,
    },
    journal::{
        Journal, Rule,
        Start::{self, Cold, Hot, New},
        Violation::{self, AcknowledgedAndLost, ErasedAndRead, Fork, NotFound, SeenAndGone, Stuck},
    },
    search::search,
};

struct Line {
    off: &'static [Rule],
    start: Start,
    faults: &'static [Fault],
    steps: usize,
    violation: Violation,
}

const fn line(
    off: &'static [Rule],
    start: Start,
    faults: &'static [Fault],
    steps: usize,
    violation: Violation,
) -> Line {
    Line { off, start, faults, steps, violation }
}

const TABLE: &[Line] = &[
    line(&[Rule::EventsWithCas], Hot, &[], 4, AcknowledgedAndLost),
    line(&[Rule::KeepInDoubt], Hot, &[AnswerLost], 4, SeenAndGone),
    line(&[Rule::BackByNewEpoch], Hot, &[], 6, AcknowledgedAndLost),
    line(&[Rule::ColdOnce], Hot, &[], 6, AcknowledgedAndLost),
    line(&[Rule::Fence], Hot, &[DeclaredDead], 7, Fork),
    line(&[Rule::EpochInSql], Hot, &[], 6, Fork),
    line(&[Rule::CasBeforeFence], Hot, &[DeclaredDead, SqlAway], 11, Stuck),
    line(&[Rule::WaitWhileTrying], Hot, &[AnswerLost, Emptied], 12, AcknowledgedAndLost),
    line(&[Rule::PutLengthens], Hot, &[CallLate, Crash], 12, AcknowledgedAndLost),
    line(&[Rule::RunBeforeCas], Hot, &[Erasure, RollbackOfTail], 10, ErasedAndRead),
    line(&[Rule::TrueRun], Hot, &[DeclaredDead, RollbackOfFence], 8, Fork),
    line(&[Rule::CopyInItsRun], Hot, &[Erasure, RollbackOfTail], 6, ErasedAndRead),
    line(&[Rule::Stub], Cold, &[DeclaredDead], 10, Fork),
    line(&[Rule::ReceiptAfterBoth], Hot, &[Erasure], 4, ErasedAndRead),
    line(&[Rule::ReceiptAfterBeats], Hot, &[Erasure], 3, ErasedAndRead),
    line(&[Rule::RowFirst], New, &[Emptied], 3, NotFound),
    line(&[Rule::WaitBefore404], New, &[SqlAway, Emptied], 5, NotFound),
    line(&[Rule::LaterRun], Hot, &[Split, Crash], 12, AcknowledgedAndLost),
    line(&[Rule::Wait], Hot, &[Split, DeclaredDead], 7, AcknowledgedAndLost),
    line(&[Rule::CasOfThisEpoch], Hot, &[AnswerLost, Erasure], 7, Fork),
    line(&[Rule::ReadAcknowledged], Hot, &[Split, DeclaredDead], 7, SeenAndGone),
    line(&[Rule::PutWaits], New, &[SqlAway, Split, Crash], 8, NotFound),
    line(&[Rule::NotFoundFromMaster], New, &[SqlAway, Split, Crash], 8, NotFound),
    line(&[Rule::ReadersHearErasures], Hot, &[Split, Erasure], 6, ErasedAndRead),
];

#[test]
fn each_rule_is_needed() {
    for Line { off, start, faults, steps, violation } in TABLE {
        let report = search(&Journal { off, ..Journal::small(*start, faults) });
        let found = report.found.unwrap_or_else(|| panic!("nothing fails without {off:?}"));
        println!("without {off:?}, {faults:?}: {found:?}");
        assert_eq!((found.violation, found.trace.len()), (*violation, *steps), "{off:?} {found:?}");
    }
}
