//! The whole protocol is clean within the small budget. The large one runs by a command.

use rushdesk_protocol::{
    Fault::{self, Crash, DeclaredDead, Emptied, RollbackOfTail, Split},
    faults::{OF_STORES, choices},
    journal::{Ack, Journal, Start, Violation, is_beyond},
    search::search,
};

#[track_caller]
fn assert_clean(models: impl IntoIterator<Item = Journal>) {
    let mut states = 0;
    for model in models {
        let report = search(&model);
        assert!(report.complete, "{model:?} is too large");
        assert!(report.found.is_none(), "{model:?}\n{:?}", report.found);
        states += report.states;
    }
    println!("{states} states");
}

/// From each start with each choice of so many faults.
fn small(number: usize) -> impl Iterator<Item = Journal> {
    let survivable = choices(&OF_STORES, number).into_iter().filter(|faults| !is_beyond(faults));
    survivable.flat_map(|faults| Start::ALL.map(|start| Journal::small(start, &faults)))
}

#[test]
fn any_two_faults_lose_nothing() {
    assert_clean(small(2));
}

#[test]
fn one_fault_among_three_replicas_loses_nothing() {
    assert_clean(small(1).map(|model| Journal { replicas: 3, ..model }));
}

#[test]
fn one_fault_among_four_attempts_loses_nothing() {
    assert_clean(small(1).map(|model| Journal { attempts: 2, ..model }));
}

/// Without a replica that confirms, a split alone loses nothing either.
#[test]
fn a_split_alone_loses_nothing() {
    let split = Start::ALL.map(|start| Journal::small(start, &[Split]));
    assert_clean(split.map(|model| Journal { ack: Ack::Redis, attempts: 2, ..model }));
}

/// What the design says it loses. If the model did not see this, it would prove little.
#[test]
fn a_dead_owner_and_a_lost_tail_lose_an_event() {
    let dead = [Crash, DeclaredDead];
    let lost: [Fault; 2] = [RollbackOfTail, Emptied];
    for faults in dead.into_iter().flat_map(|dead| lost.map(|lost| [dead, lost])) {
        let found = search(&Journal::small(Start::Hot, &faults)).found.expect("a lost event");
        println!("{faults:?}: {found:?}");
        assert_eq!(found.violation, Violation::AcknowledgedAndLost);
    }
}
