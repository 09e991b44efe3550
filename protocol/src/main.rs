//! `cargo run --release -p rushdesk-protocol -- --large`: searches that are too long for a test.
//! Without `--large`: one fault at a time.

use std::{process::ExitCode, time::SystemTime};

use rushdesk_protocol::{
    faults::{OF_STORES, choices},
    journal::{Journal, Start, is_beyond},
    search::search,
};

/// Replicas, attempts of each, appends of each, and faults at once.
type Size = (u8, u8, u8, usize);

const SMALL: &[Size] = &[(2, 1, 1, 1), (2, 2, 1, 1), (3, 1, 1, 1)];
const LARGE: &[Size] = &[(2, 1, 1, 3), (2, 2, 1, 2), (2, 2, 2, 1), (2, 3, 1, 1), (3, 1, 1, 2)];

fn main() -> ExitCode {
    let is_large = std::env::args().any(|argument| argument == "--large");
    let (mut all_states, mut is_clean) = (0, true);
    let begun = SystemTime::now();
    for (replicas, attempts, appends, number) in if is_large { LARGE } else { SMALL } {
        println!("{replicas} replicas, {attempts} attempts and {appends} appends of each");
        for faults in choices(&OF_STORES, *number) {
            for start in Start::ALL {
                if is_beyond(start, &faults) {
                    continue;
                }
                let small = Journal::small(start, &faults);
                let begun = SystemTime::now();
                let report = search(&Journal {
                    replicas: *replicas,
                    attempts: *attempts,
                    appends: *appends,
                    ..small
                });
                all_states += report.states;
                let verdict = match (&report.found, report.complete) {
                    (Some(found), _) => format!("{found:?}"),
                    (None, true) => "clean".to_owned(),
                    (None, false) => "too large".to_owned(),
                };
                is_clean &= verdict == "clean";
                let seconds = seconds_since(begun);
                println!(
                    "{seconds:8.1} s {:>10} states  {start:?} {faults:?}: {verdict}",
                    report.states
                );
            }
        }
    }
    println!("{all_states} states in {:.0} s", seconds_since(begun));
    if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seconds_since(begun: SystemTime) -> f64 {
    begun.elapsed().map_or(0.0, |time| time.as_secs_f64())
}
