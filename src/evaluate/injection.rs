//! The screen of messages, measured by category, compared with its rules alone and a baseline.

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use serde::Deserialize;
use tokio::time::Instant;

use super::{options::InjectionOptions, rows::read, score::percent};
use crate::{
    config,
    embedding::InlineEmbedder,
    guard::injection::{self, Head, Screening, screen},
};

const ATTACK: &str = "attack";
/// Harmful, but no attack on the assistant: counted, and in no sum.
const OTHER: &str = "harmful_request";
/// From this share on the baseline counts.
const BASELINE: f32 = 0.5;

#[derive(Deserialize)]
struct Row {
    text: String,
    label: String,
    category: String,
    baseline: Option<f32>,
}

/// The tables.
#[derive(Default)]
pub struct Injection {
    /// By whether the category is one of attacks.
    categories: BTreeMap<(bool, String), Seen>,
    /// Of one message, without embeddings.
    mean: Duration,
    has_baseline: bool,
}

#[derive(Default)]
struct Seen {
    rows: usize,
    rules: usize,
    screen: usize,
    baseline: usize,
    shown: Vec<String>,
}

/// Reads the files and screens every message as a turn does.
///
/// # Errors
/// If a file cannot be read, a line does not have its shape, or there is no embedding model.
pub fn injection(
    options: &InjectionOptions,
    embedding: &config::Embedding,
    data_dir: &Path,
) -> anyhow::Result<Injection> {
    let rows: Vec<(String, Vec<Row>)> = read(&options.data)?;
    let mut embedder = InlineEmbedder::load(embedding, data_dir)?;
    let head = injection::head(embedder.id());
    let mut report = Injection::default();
    let (mut spent, mut messages) = (Duration::ZERO, 0);
    for row in rows.iter().flat_map(|(_, rows)| rows) {
        let vector = embedder.embed(&row.text)?;
        let started = Instant::now();
        let screening = screen(&row.text);
        let sure = head.is_some_and(|head| head.is_sure(&vector));
        spent += started.elapsed();
        messages += 1;
        let refused = screening.attack.is_some()
            || sure
            || head.map_or(Ok(false), |head| agrees(head, &vector, &screening, &mut embedder))?;
        report.count(row, &screening, refused, options.show);
    }
    report.mean = spent / messages.max(1);
    Ok(report)
}

fn agrees(
    head: &Head,
    vector: &[f32],
    screening: &Screening,
    embedder: &mut InlineEmbedder,
) -> anyhow::Result<bool> {
    if screening.hints.is_empty() {
        return Ok(false);
    }
    if head.agrees(vector) {
        return Ok(true);
    }
    for hint in &screening.hints {
        if head.agrees(&embedder.embed(hint)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Injection {
    fn count(&mut self, row: &Row, screening: &Screening, refused: bool, show: usize) {
        let is_attack = row.label == ATTACK;
        let key = (is_attack, row.category.clone());
        let seen = self.categories.entry(key).or_default();
        seen.rows += 1;
        seen.rules += usize::from(screening.attack.is_some());
        seen.screen += usize::from(refused);
        seen.baseline += usize::from(row.baseline.is_some_and(|share| share >= BASELINE));
        self.has_baseline |= row.baseline.is_some();
        if refused != is_attack && seen.shown.len() < show {
            let rule = screening.attack.map_or("head", |rule| rule.label());
            let rule = if refused { rule } else { "missed" };
            seen.shown.push(format!("{rule}: {}", row.text));
        }
    }

    fn table(&self, f: &mut fmt::Formatter<'_>, attacks: bool, title: &str) -> fmt::Result {
        writeln!(f, "| {title} | messages | rules alone | rules and head | baseline |")?;
        writeln!(f, "| --- | --- | --- | --- | --- |")?;
        let rows = || self.categories.iter().filter(|((is_attack, _), _)| *is_attack == attacks);
        let mut all = Seen::default();
        for ((_, category), seen) in rows() {
            self.row(f, category, seen)?;
            seen.shown.iter().try_for_each(|text| writeln!(f, "    {text:?}"))?;
            if category != OTHER {
                all.rows += seen.rows;
                all.rules += seen.rules;
                all.screen += seen.screen;
                all.baseline += seen.baseline;
            }
        }
        self.row(f, "all of them", &all)
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str, seen: &Seen) -> fmt::Result {
        let of = |part| percent(part, seen.rows);
        let baseline = if self.has_baseline { of(seen.baseline) } else { "-".to_owned() };
        let (rules, screen) = (of(seen.rules), of(seen.screen));
        writeln!(f, "| {name} | {} | {rules} | {screen} | {baseline} |", seen.rows)
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table(f, true, "attacks seen")?;
        writeln!(f)?;
        self.table(f, false, "false alarms")?;
        writeln!(f, "\n{:?} for a message, without embeddings", self.mean)
    }
}
