//! The cold half is clean under every fault that it claims to survive, and each rule is needed.

use rushdesk_protocol::{
    Budget,
    Fault::{self, AnswerLost, CallLate, CallLost, Crash, DeclaredDead, Erasure, SqlRollback},
    cold::{Cold, Rule, Violation},
    search::search,
};

const FAULTS: [Fault; 6] = [AnswerLost, CallLost, CallLate, Crash, DeclaredDead, Erasure];

fn cold(replicas: u8, turns: u8, faults: &[Fault]) -> Cold {
    Cold { replicas, turns, budget: Budget::of(faults), off: &[], ignored: &[] }
}

/// Each fault alone, each pair, and each three.
fn budgets(most: usize) -> Vec<Vec<Fault>> {
    let mut all = vec![vec![]];
    for _ in 0..most {
        let longer = all.iter().flat_map(|some| {
            let first = some.last().map_or(0, |last| *last as usize);
            let more = FAULTS.iter().filter(move |fault| **fault as usize >= first);
            more.map(move |fault| [some.as_slice(), &[*fault]].concat())
        });
        all = longer.collect();
    }
    all
}

#[track_caller]
fn assert_clean(models: impl IntoIterator<Item = Cold>) {
    let mut states = 0;
    for model in models {
        let report = search(&model);
        assert!(report.complete, "{model:?} is too large");
        assert!(report.found.is_none(), "{model:?}\n{:?}", report.found);
        states += report.states;
    }
    println!("{states} states");
}

#[test]
fn two_replicas_lose_nothing_under_any_three_faults() {
    assert_clean(budgets(3).iter().map(|faults| cold(2, 2, faults)));
}

#[test]
fn three_replicas_lose_nothing_under_any_two_faults() {
    assert_clean(budgets(2).iter().map(|faults| cold(3, 1, faults)));
}

/// What fails without each rule.
#[test]
fn each_rule_is_needed() {
    let table: &[(&'static [Rule], &[Fault], Violation)] = &[
        (&[Rule::Seq, Rule::Head], &[], Violation::BehindUnknownEvents),
        (&[Rule::Epoch], &[Erasure], Violation::ErasedAndThere),
        (&[Rule::OpenTurn], &[], Violation::TurnsMixed),
        (&[Rule::SameBytes], &[AnswerLost], Violation::AcknowledgedAndLost),
        (&[Rule::KeepInDoubt], &[AnswerLost], Violation::Stuck),
        (&[Rule::LivingOwner], &[], Violation::LivingTurnEnded),
    ];
    for (off, faults, violation) in table {
        let report = search(&Cold { off, ..cold(2, 2, faults) });
        let found = report.found.unwrap_or_else(|| panic!("nothing fails without {off:?}"));
        println!("without {off:?}, {faults:?}: {found:?}");
        assert_eq!(found.violation, *violation, "without {off:?}: {found:?}");
    }
}

/// SQL is assumed to be durable. If it is not, events are lost, but no replica goes on from events
/// that it does not know: the head is compared.
#[test]
fn the_head_turns_a_rollback_of_sql_into_a_refusal() {
    use Violation::{AcknowledgedAndLost, SeenAndGone};
    let ignored = &[AcknowledgedAndLost, SeenAndGone];
    let model = Cold { ignored, ..cold(2, 2, &[SqlRollback]) };
    assert_clean([model]);
    let found = search(&Cold { off: &[Rule::Head], ..model }).found.expect("no head, no refusal");
    println!("without Head, SqlRollback: {found:?}");
    assert_eq!(found.violation, Violation::BehindUnknownEvents);
}
