//! The whole protocol is clean within the small budget. The large one runs by a command.

use rushdesk_protocol::{
    Fault::{self, Crash, DeclaredDead, Emptied, RollbackOfTail, Split, SqlAway},
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
    choices(&OF_STORES, number).into_iter().flat_map(|faults| {
        let survivable = Start::ALL.into_iter().filter(|start| !is_beyond(*start, &faults));
        survivable.map(|start| Journal::small(start, &faults)).collect::<Vec<_>>()
    })
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

/// Each of these once found a hole in the design. `--large` searches all choices of three.
#[test]
fn three_faults_around_a_split_lose_nothing() {
    let choices = [
        [SqlAway, Split, Crash],
        [SqlAway, Split, DeclaredDead],
        [Split, Crash, Crash],
        [Split, DeclaredDead, DeclaredDead],
    ];
    let models = choices.map(|faults| Start::ALL.map(|start| Journal::small(start, &faults)));
    assert_clean(models.into_iter().flatten());
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
