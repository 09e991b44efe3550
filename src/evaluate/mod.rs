//! `rushdesk eval`: measures the rules of the service on labelled data, and prints a table.
//!
//! Called by the command line; it never runs inside a service.

mod options;
mod pii;
mod routing;
mod rows;
mod score;
mod tally;

pub use self::{
    options::{Measure, Options, RoutingOptions},
    pii::pii,
    routing::{Routing, routing},
    score::Report,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// What must be hidden of each type that has fixed rules.
    const BAR: f64 = 0.98;

    #[test]
    fn the_sample_reaches_the_bars() {
        let options = Options { data: vec!["tests/data/pii".into()], show: 5 };
        let report = pii(&options).unwrap();
        println!("{report}");
        assert!(report.recall.len() > 15);
        for (row, recall) in &report.recall {
            let share = recall.hidden as f64 / recall.spans as f64;
            assert!(share >= BAR, "{row:?}: {share}");
        }
        for (file, alarms) in &report.alarms {
            assert_eq!(alarms.alarmed, 0, "{file}");
        }
    }
}
