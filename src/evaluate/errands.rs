//! Whether errands are understood without a model.

use std::{collections::BTreeMap, fmt, sync::Arc};

use anyhow::{Context as _, ensure};
use jiff::civil::{Date, date};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{options::ErrandOptions, rows::read};
use crate::{
    assistant::errand::{Errand, Heard, Proof, Reply, Wanted, plan, render},
    domain::{Language, NumberFormats},
    guard::{Shop, Vault},
    triage::{Prior, consent, triage},
};

/// Of the demo shop.
const FORMATS: [&str; 2] = ["FJ-#####", "FJ############"];
/// What is said in a conversation if the errand does not say it itself.
const ANSWER: &str = "Here is what I found.";
const NO_ERRAND: &str = "no errand";
const DAY: Date = date(2026, 6, 15);

/// A message and what should be made of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    language: Language,
    text: String,
    #[serde(default)]
    earlier: Vec<Turn>,
    #[serde(default)]
    signed_in: bool,
    want: Want,
}

/// A message before it. Its answer is that of the errand, unless it is told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    text: String,
    /// The shop knows no such order.
    #[serde(default)]
    not_found: bool,
    /// What the tool found.
    found: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Want {
    /// It is no errand.
    Nothing,
    /// One of these is asked for.
    Ask(String),
    /// All of these are called, with these arguments and maybe others that are empty.
    Call(Vec<Wish>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    proof: Option<String>,
}

/// The table.
#[derive(Default)]
pub struct Errands {
    /// Right ones and all, by file and kind.
    counts: BTreeMap<(String, &'static str), (usize, usize)>,
    by_language: BTreeMap<&'static str, (usize, usize)>,
    faults: Vec<String>,
}

/// Reads the files and plans every message.
///
/// # Errors
/// If a file cannot be read, or a line does not have its shape.
pub fn errands(options: &ErrandOptions) -> anyhow::Result<Errands> {
    let mut report = Errands::default();
    let formats = NumberFormats::new(FORMATS).context("the formats of the demo shop")?;
    for (file, rows) in read::<Row>(&options.data)? {
        for row in rows {
            report.count(&file, &row, &formats, options.show);
        }
    }
    ensure!(!report.counts.is_empty(), "there are no messages");
    Ok(report)
}

impl Errands {
    /// The share of messages that were understood.
    pub fn share(&self) -> f64 {
        let (right, all) = self.of(|_| true);
        right as f64 / all.max(1) as f64
    }

    pub fn all(&self) -> usize {
        self.of(|_| true).1
    }

    /// Messages that are no errands: those that were taken for none, and all.
    pub fn no_errands(&self) -> (usize, usize) {
        self.of(|(_, kind)| *kind == NO_ERRAND)
    }

    fn of(&self, wanted: impl Fn(&(String, &'static str)) -> bool) -> (usize, usize) {
        let rows = self.counts.iter().filter(|(row, _)| wanted(row));
        rows.fold((0, 0), |sum, (_, count)| (sum.0 + count.0, sum.1 + count.1))
    }

    fn count(&mut self, file: &str, row: &Row, formats: &NumberFormats, show: usize) {
        let kind = match &row.want {
            Want::Nothing => NO_ERRAND,
            Want::Ask(_) => "question back",
            Want::Call(_) => "tool",
        };
        let (errand, vault) = understand(row, formats);
        let right = row.want.is(errand.as_ref(), &vault);
        let counts = [
            self.counts.entry((file.to_owned(), kind)).or_default(),
            self.by_language.entry(row.language.code()).or_default(),
        ];
        for count in counts {
            count.0 += usize::from(right);
            count.1 += 1;
        }
        if !right && self.faults.len() < show {
            let code = row.language.code();
            self.faults.push(format!("{file} {code} {}: {errand:?}", row.text));
        }
    }
}

fn understand(row: &Row, formats: &NumberFormats) -> (Option<Errand>, Vault) {
    let shop = Shop { numbers: Arc::new(formats.clone()), ..Shop::default() };
    let mut vault = Vault::of_shop(shop);
    let mut said: Vec<(String, Option<String>)> = Vec::new();
    let plan = |text: &str, said: &[(String, Option<String>)], vault: &Vault| {
        let earlier: Vec<(&str, Option<&str>)> =
            said.iter().map(|(text, answer)| (text.as_str(), answer.as_deref())).collect();
        let prior = Prior { language: Some(row.language), ..Prior::default() };
        plan(&Heard {
            text,
            earlier: &earlier,
            intent: &triage(text, None, &prior).intent,
            language: row.language,
            formats,
            signed_in: row.signed_in,
            value: &|mask| vault.pairs().find(|(name, _)| *name == mask).map(|(_, v)| v.to_owned()),
            consent: &|text| consent(text, None),
            has: &|_| true,
        })
    };
    for turn in &row.earlier {
        let text = vault.mask(&turn.text);
        let answer = answer(plan(&text, &said, &vault), turn, row.language);
        said.push((text, Some(answer)));
    }
    let text = vault.mask(&row.text);
    (plan(&text, &said, &vault), vault)
}

fn answer(errand: Option<Errand>, turn: &Turn, language: Language) -> String {
    match errand {
        _ if turn.not_found => Reply::NotFound.text(language).to_owned(),
        Some(Errand::Ask { text, .. }) => text,
        Some(Errand::Call(calls)) => calls
            .first()
            .zip(turn.found.as_ref())
            .and_then(|(call, found)| render(call.tool, &call.arguments, found, DAY, language))
            .map_or_else(|| ANSWER.to_owned(), |rendered| rendered.text),
        // Nothing was made in these conversations.
        Some(Errand::Undo { .. }) | None => ANSWER.to_owned(),
    }
}

impl Want {
    fn is(&self, errand: Option<&Errand>, vault: &Vault) -> bool {
        match (self, errand) {
            (Self::Nothing, None) => true,
            (Self::Ask(name), Some(Errand::Ask { wanted, .. })) => {
                name.split('|').any(|name| name == asked(*wanted))
            }
            (Self::Call(wishes), Some(Errand::Call(calls))) => {
                wishes.len() == calls.len()
                    && wishes.iter().zip(calls).all(|(wish, call)| {
                        let typed: Map<String, Value> = call
                            .arguments
                            .iter()
                            .map(|(name, value)| (name.clone(), unmasked(value, vault)))
                            .collect();
                        let proof = call.proof.as_ref().map(|proof| match proof {
                            Proof::Email(text) | Proof::Postcode(text) => shown(text, vault),
                        });
                        wish.tool == call.tool && wish.arguments == typed && wish.proof == proof
                    })
            }
            _ => false,
        }
    }
}

fn asked(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Order => "order",
        Wanted::Proof => "proof",
        Wanted::OrderAndProof => "order_and_proof",
        Wanted::Address => "address",
        Wanted::Items => "items",
        Wanted::Product => "product",
        Wanted::Place => "place",
        Wanted::Whole => "whole",
        Wanted::Person => "person",
        Wanted::Nothing => "nothing",
    }
}

fn unmasked(value: &Value, vault: &Vault) -> Value {
    match value {
        Value::String(text) => shown(text, vault).into(),
        value => value.clone(),
    }
}

/// A text with what its placeholders stand for.
fn shown(text: &str, vault: &Vault) -> String {
    vault.pairs().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

impl fmt::Display for Errands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| file | should become | messages | understood |\n| --- | --- | --- | --- |")?;
        let mut row = |name: &str, kind: &str, (right, all): (usize, usize)| {
            writeln!(f, "| {name} | {kind} | {all} | {right} ({:.1} %) |", percent(right, all))
        };
        for ((file, kind), count) in &self.counts {
            row(file, kind, *count)?;
        }
        row("all", "", self.of(|_| true))?;
        writeln!(f, "\n| language | messages | understood |\n| --- | --- | --- |")?;
        for (language, (right, all)) in &self.by_language {
            writeln!(f, "| {language} | {all} | {right} ({:.1} %) |", percent(*right, *all))?;
        }
        self.faults.iter().try_for_each(|fault| writeln!(f, "    {fault}"))
    }
}

fn percent(part: usize, of: usize) -> f64 {
    part as f64 * 100.0 / of.max(1) as f64
}
