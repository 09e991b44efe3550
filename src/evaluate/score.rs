//! Counts, and the table that is printed.

use std::{collections::BTreeMap, fmt};

/// Recall and false alarms.
#[derive(Default)]
pub struct Report {
    /// By file and type.
    pub recall: BTreeMap<(String, String), Recall>,
    /// By file.
    pub alarms: BTreeMap<String, Alarms>,
}

#[derive(Default)]
pub struct Recall {
    pub spans: usize,
    /// Nothing of the value is left.
    pub hidden: usize,
    /// Hidden by its own kind.
    pub named: usize,
    /// Hidden without the tagger of names and addresses.
    pub ruled: usize,
    pub missed: Vec<String>,
}

#[derive(Default)]
pub struct Alarms {
    pub rows: usize,
    /// Rows in which something was masked that is no personal data.
    pub alarmed: usize,
    /// The same without the tagger.
    pub ruled: usize,
    pub shown: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| data | type | spans | hidden | as that type | by rules alone |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for ((file, kind), recall) in &self.recall {
            let Recall { spans, hidden, named, ruled, missed } = recall;
            let [hidden, named, ruled] = [hidden, named, ruled].map(|part| percent(*part, *spans));
            writeln!(f, "| {file} | {kind} | {spans} | {hidden} | {named} | {ruled} |")?;
            missed.iter().try_for_each(|text| writeln!(f, "    missed: {text}"))?;
        }
        writeln!(f, "\n| data | texts | with a false alarm | by rules alone |")?;
        writeln!(f, "| --- | --- | --- | --- |")?;
        for (file, Alarms { rows, alarmed, ruled, shown }) in &self.alarms {
            let [alarms, by_rules] = [alarmed, ruled].map(|part| percent(*part, *rows));
            writeln!(f, "| {file} | {rows} | {alarmed} ({alarms}) | {ruled} ({by_rules}) |")?;
            shown.iter().try_for_each(|text| writeln!(f, "    alarm: {text}"))?;
        }
        Ok(())
    }
}

pub fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}
