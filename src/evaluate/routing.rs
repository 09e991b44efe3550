//! Triage, measured message by message, compared with a baseline if the rows have one.

use std::{collections::BTreeMap, fmt, fs, path::Path, time::Duration};

use anyhow::Context as _;
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    options::RoutingOptions,
    rows::read,
    score::percent,
    tally::{Share, Taken, Tally, Truth},
};
use crate::{
    config,
    domain::{Coarse, Topic},
    embedding::InlineEmbedder,
    triage::{self, Prior, Seen, triage},
};

/// A complaint needs a person, whatever group its data puts it in.
const COMPLAINT: &str = "complaint";

#[derive(Deserialize)]
struct Row {
    text: String,
    source: String,
    route: String,
    coarse: Coarse,
    #[serde(default)]
    real_user: bool,
    baseline: Option<Guess>,
}

#[derive(Deserialize)]
struct Guess {
    topic: Topic,
    confidence: f32,
}

/// The tables.
pub struct Routing {
    triage: Tally,
    baseline: Option<Tally>,
    /// Heard and falsely heard wishes for a person, by language.
    phrases: BTreeMap<String, (Share, Share)>,
    confidence: f32,
    /// Of one message, without its embedding.
    mean: Duration,
    shown: BTreeMap<String, Vec<String>>,
}

/// Reads the files and triages every message, with its vector.
///
/// # Errors
/// If a file cannot be read, a line does not have its shape, or there is no embedding model.
pub fn routing(
    options: &RoutingOptions,
    embedding: &config::Embedding,
    data_dir: &Path,
) -> anyhow::Result<Routing> {
    let rows: Vec<(String, Vec<Row>)> = read(&options.data)?;
    let mut embedder = InlineEmbedder::load(embedding, data_dir)?;
    let head = triage::head(embedder.id());
    let mut report = Routing {
        triage: Tally::default(),
        baseline: None,
        phrases: BTreeMap::new(),
        confidence: options.confidence,
        mean: Duration::ZERO,
        shown: BTreeMap::new(),
    };
    let (mut spent, mut messages) = (Duration::ZERO, 0);
    for row in rows.iter().flat_map(|(_, rows)| rows) {
        let vector = embedder.embed(&row.text)?;
        let started = Instant::now();
        let intent =
            triage(&row.text, Some(Seen { vector: &vector, head }), &Prior::default()).intent;
        spent += started.elapsed();
        messages += 1;
        let taken = Taken {
            topic: intent.topic,
            confidence: intent.confidence,
            person: intent.wants_person(),
        };
        report.count(row, taken, options.show);
    }
    report.mean = spent / messages.max(1);
    if let Some(path) = &options.phrases {
        report.count_phrases(path, options.show)?;
    }
    Ok(report)
}

impl Routing {
    fn count(&mut self, row: &Row, taken: Taken, show: usize) {
        let complaint = row.route == COMPLAINT;
        let truth = Truth {
            source: row.source.split('_').next().unwrap_or_default(),
            coarse: if complaint { Coarse::Human } else { row.coarse },
            wish: (!complaint).then_some(row.coarse == Coarse::Human),
            real_user: row.real_user,
        };
        let right = self.triage.count(&truth, taken, self.confidence);
        if !right {
            let kind = format!("{} {:?}", truth.source, truth.coarse);
            let fault = format!("{} {:.2}: {}", taken.topic.label(), taken.confidence, row.text);
            self.show(kind, fault, show);
        }
        if truth.wish.is_some_and(|wish| wish != taken.person) {
            self.show(format!("{} person", truth.source), row.text.clone(), show);
        }
        if let Some(Guess { topic, confidence }) = row.baseline {
            let guess = Taken { topic, confidence, person: topic == Topic::Human };
            self.baseline.get_or_insert_default().count(&truth, guess, self.confidence);
        }
    }

    fn count_phrases(&mut self, path: &Path, show: usize) -> anyhow::Result<()> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        for (index, line) in text.lines().enumerate() {
            let mut cells = line.split('\t');
            let (Some(language), Some(wish), Some(text)) =
                (cells.next(), cells.next(), cells.next())
            else {
                anyhow::bail!("{shown}, line {}: write language, yes or no, message", index + 1);
            };
            let heard = triage(text, None, &Prior::default()).intent.wants_person();
            let (wishes, alarms) = self.phrases.entry(language.to_owned()).or_default();
            let share = if wish == "yes" { wishes } else { alarms };
            share.of += 1;
            share.part += usize::from(heard);
            if heard != (wish == "yes") {
                self.show(format!("phrases {language}"), text.to_owned(), show);
            }
        }
        Ok(())
    }

    fn show(&mut self, kind: String, fault: String, show: usize) {
        let faults = self.shown.entry(kind).or_default();
        if faults.len() < show {
            faults.push(fault);
        }
    }

    /// A row of the table, with the figure of each way.
    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        of: usize,
        figure: impl Fn(&Tally) -> String,
    ) -> fmt::Result {
        let baseline = self.baseline.as_ref().map_or_else(|| "–".to_owned(), &figure);
        writeln!(f, "| {name} | {of} | {} | {baseline} |", figure(&self.triage))
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sure = self.confidence;
        writeln!(f, "| figure | messages | triage | baseline |")?;
        writeln!(f, "| --- | --- | --- | --- |")?;
        for (source, share) in &self.triage.sources {
            self.line(f, &format!("topic: {source}"), share.of, |tally| {
                tally.sources.get(source).map_or_else(String::new, shown)
            })?;
        }
        let tally = &self.triage;
        self.line(f, "topic: real users", tally.real_users.of, |t| shown(&t.real_users))?;
        self.line(f, "wish for a person: recall", tally.wishes.of, |t| shown(&t.wishes))?;
        self.line(f, "wish for a person: false alarms", tally.alarms.of, |t| shown(&t.alarms))?;
        let all: usize = tally.sources.values().map(|share| share.of).sum();
        self.line(f, "calibration error", all, |t| format!("{:.3}", t.calibration_error()))?;
        self.line(
            f,
            &format!("answered from {sure} on: out of scope"),
            tally.out_of_scope.of,
            |t| shown(&t.out_of_scope),
        )?;
        self.line(f, &format!("answered from {sure} on: unknown"), tally.unknown.of, |t| {
            shown(&t.unknown)
        })?;
        let both = |t: &Tally| Share {
            part: t.out_of_scope.part + t.unknown.part,
            of: t.out_of_scope.of + t.unknown.of,
        };
        self.line(f, "the two together", both(tally).of, |t| shown(&both(t)))?;
        self.line(f, &format!("in scope and at least {sure} sure"), tally.covered.of, |t| {
            shown(&t.covered)
        })?;
        let build = if cfg!(debug_assertions) { ", in a build without optimisation" } else { "" };
        writeln!(f, "\nA message without its embedding: {:?}{build}", self.mean)?;
        if !self.phrases.is_empty() {
            writeln!(f, "\n| person, by language | wishes | heard | others | falsely heard |")?;
            writeln!(f, "| --- | --- | --- | --- | --- |")?;
            let mut total = (Share::default(), Share::default());
            for (language, (wishes, others)) in &self.phrases {
                phrase_line(f, language, wishes, others)?;
                for (sum, share) in [(&mut total.0, wishes), (&mut total.1, others)] {
                    sum.part += share.part;
                    sum.of += share.of;
                }
            }
            phrase_line(f, "all", &total.0, &total.1)?;
        }
        for (kind, faults) in &self.shown {
            faults.iter().try_for_each(|fault| writeln!(f, "    {kind}: {fault}"))?;
        }
        Ok(())
    }
}

fn phrase_line(
    f: &mut fmt::Formatter<'_>,
    language: &str,
    wishes: &Share,
    others: &Share,
) -> fmt::Result {
    let (heard, falsely) = (shown(wishes), shown(others));
    writeln!(f, "| {language} | {} | {heard} | {} | {falsely} |", wishes.of, others.of)
}

fn shown(share: &Share) -> String {
    percent(share.part, share.of)
}
