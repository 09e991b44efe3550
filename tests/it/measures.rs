//! What `/metrics` shows is what `docs/metrics.md` says, and nothing that grows without bound.

use std::{collections::BTreeSet, fs, path::PathBuf};

use rushdesk::{
    app::measured,
    telemetry::{Kind, Metric, reference},
};

fn all() -> Vec<Metric> {
    measured().iter().flat_map(|(_, metrics)| metrics.iter().copied()).collect()
}

#[test]
fn the_page_is_what_the_code_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = fs::read_to_string(path).unwrap();
    assert!(page == reference(&measured()), "docs/metrics.md is stale: run `make docs`");
}

#[test]
fn names_are_unique_and_keep_to_the_conventions() {
    let metrics = all();
    let names: BTreeSet<&str> = metrics.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), metrics.len());
    assert!(names.len() > 80, "only {} metrics", names.len());
    for Metric { name, kind, labels, help, .. } in metrics {
        assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        assert!(name.starts_with("rushdesk_") || name.starts_with("process_"), "{name}");
        for unit in ["_ms", "_millis", "_minutes", "_kb", "_percent"] {
            assert!(!name.contains(unit), "{name} is not in base units");
        }
        if let Kind::Histogram(buckets) = kind {
            assert!(buckets.is_sorted() && buckets.len() <= 20, "{name}");
        }
        for label in labels {
            // What cannot be bounded is no label.
            let open = ["session", "user", "visitor", "site", "turn", "id", "path", "text"];
            assert!(!open.contains(label), "{name} has the label {label}");
        }
        assert!(!help.ends_with('.') && !help.contains('|'), "{name}: {help}");
    }
}
