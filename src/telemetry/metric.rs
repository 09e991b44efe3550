//! Declaration of metrics. Each module declares its metrics next to the functions that feed them.
//! Help texts, buckets and `docs/metrics.md` are generated from the declarations.

use std::fmt::Write as _;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram};

/// From a look-up in memory to a slow answer, in seconds.
pub const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0,
    30.0, 60.0,
];
/// Calls of stores and actors, in seconds: from a hundred microseconds to their longest timeouts.
pub const QUICK: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
/// Between two tokens, in seconds.
pub const GAPS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Until somebody else can tell, in seconds: up to an hour.
pub const LONG: &[f64] = &[0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0];
/// Sizes of small groups.
pub const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets, ascending.
    Histogram(&'static [f64]),
}

/// One metric with its documentation.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    /// Each label has a closed set of values, or names from the configuration.
    pub labels: &'static [&'static str],
    pub help: &'static str,
    /// When the metric is present, if not in every busy process.
    pub when: Option<&'static str>,
}

/// The metrics of one module, under a heading.
pub type Chapter = (&'static str, &'static [Metric]);

impl Metric {
    /// Registers the help text. A counter without labels starts at 0, so that its first step
    /// counts.
    fn announce(&self) {
        let (name, help) = (self.name, self.help);
        match (self.kind, name.ends_with("_seconds")) {
            (Kind::Counter, _) => describe_counter!(name, help),
            (Kind::Gauge, true) => describe_gauge!(name, Unit::Seconds, help),
            (Kind::Gauge, false) => describe_gauge!(name, help),
            (Kind::Histogram(_), true) => describe_histogram!(name, Unit::Seconds, help),
            (Kind::Histogram(_), false) => describe_histogram!(name, help),
        }
        if self.kind == Kind::Counter && self.labels.is_empty() && self.when.is_none() {
            counter!(name).increment(0);
        }
    }
}

/// Registers all help texts, once at the start.
pub fn announce(chapters: &[Chapter]) {
    all(chapters).for_each(Metric::announce);
}

pub(super) fn all(chapters: &[Chapter]) -> impl Iterator<Item = &Metric> {
    chapters.iter().flat_map(|(_, metrics)| metrics.iter())
}

/// The list of all metrics in Markdown: `docs/metrics.md`.
pub fn reference(chapters: &[Chapter]) -> String {
    let mut page = String::from(
        "# Metrics\n\n\
        Generated from the code by `make docs`; do not edit. `GET /metrics` has these metrics in Prometheus' text format. \
        Times are in seconds, sizes in bytes. Label values come from a closed set or from the configuration (`backend`), \
        never from a session, a person or a text. [Monitoring](monitoring.md) explains how to use them.\n",
    );
    // Writing to a string cannot fail.
    for (title, metrics) in chapters {
        let _ = write!(
            page,
            "\n## {title}\n\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n"
        );
        for Metric { name, kind, labels, help, when } in *metrics {
            let kind = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram(_) => "histogram",
            };
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            let when = when.map(|when| format!(" Shown {when}.")).unwrap_or_default();
            let labels = labels.join(", ");
            let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {help}.{when} |");
        }
    }
    page.push_str("\n## Buckets\n\n| metric | upper bounds |\n| --- | --- |\n");
    for metric in all(chapters) {
        if let Kind::Histogram(buckets) = metric.kind {
            let ends: Vec<String> = buckets.iter().map(f64::to_string).collect();
            let _ = writeln!(page, "| `{}` | {} |", metric.name, ends.join(", "));
        }
    }
    page
}

/// Declares metrics: for each a constant with its name, and `METRICS` with all of them.
///
/// `NAME: kind "name" ["label", …] "help"`, with `when "…"` if not every busy process has it.
macro_rules! declare {
    ($($id:ident: $kind:ident $(($buckets:ident))? $name:literal [$($label:literal),*] $help:literal
        $(when $when:literal)?;)+) => {
        $(const $id: &str = $name;)+
        /// The metrics of this module.
        pub const METRICS: &[$crate::telemetry::Metric] = &[$($crate::telemetry::Metric {
            name: $id,
            kind: $crate::telemetry::metric::kind!($kind $($buckets)?),
            labels: &[$($label),*],
            help: $help,
            when: $crate::telemetry::metric::when!($($when)?),
        }),+];
    };
}

macro_rules! kind {
    (counter) => {
        $crate::telemetry::Kind::Counter
    };
    (gauge) => {
        $crate::telemetry::Kind::Gauge
    };
    (histogram $buckets:ident) => {
        $crate::telemetry::Kind::Histogram($crate::telemetry::metric::$buckets)
    };
}

macro_rules! when {
    () => {
        None
    };
    ($when:literal) => {
        Some($when)
    };
}

pub(crate) use {declare, kind, when};
