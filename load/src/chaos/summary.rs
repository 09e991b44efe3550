//! The table of a file of records: one row for each commit, mode, load and fault.

use std::{collections::BTreeMap, fmt};

use super::record::{Counts, Record};

#[derive(Default)]
struct Row {
    rounds: u64,
    failed: u64,
    acknowledged: u64,
    counts: Counts,
    /// Infinite: one never came back.
    slowest_s: f64,
}

/// Commits in the order of the file.
pub struct Summary {
    rows: Vec<(String, BTreeMap<String, Row>)>,
}

impl Summary {
    pub fn new<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut rows: Vec<(String, BTreeMap<String, Row>)> = Vec::new();
        for record in records {
            let place = rows.iter().position(|(commit, _)| *commit == record.commit);
            let place = place.unwrap_or_else(|| {
                rows.push((record.commit.clone(), BTreeMap::new()));
                rows.len() - 1
            });
            rows[place].1.entry(name(record)).or_default().add(record);
        }
        Self { rows }
    }
}

fn name(record: &Record) -> String {
    let fault = record.fault.map_or("once more, at the end".to_owned(), |fault| fault.to_string());
    let load = if record.busy { "busy" } else { "" };
    format!("{:<12} {load:<5} {fault}", record.mode.to_string())
}

impl Row {
    fn add(&mut self, record: &Record) {
        self.rounds += 1;
        self.failed += u64::from(record.failed);
        self.acknowledged += record.acknowledged;
        self.counts.add(record.counts);
        let back = record.back_after_s.unwrap_or(f64::INFINITY);
        if record.fault.is_some() {
            self.slowest_s = self.slowest_s.max(back);
        }
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.without_end += other.without_end;
        self.gaps += other.gaps;
        self.valid_resets += other.valid_resets;
        self.different += other.different;
        self.other += other.other;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (commit, rows) in &self.rows {
            writeln!(f, "commit {commit}")?;
            writeln!(
                f,
                "{:<41} {:>6} {:>6} {:>6} {:>5} {:>5} {:>6} {:>5} {:>6} {:>6} {:>5} {:>8}",
                "mode         load  fault",
                "rounds",
                "failed",
                "acked",
                "lost",
                "twice",
                "no end",
                "gaps",
                "resets",
                "differ",
                "other",
                "back"
            )?;
            let mut total = Row::default();
            for (name, row) in rows {
                line(f, name, row)?;
                total.rounds += row.rounds;
                total.failed += row.failed;
                total.acknowledged += row.acknowledged;
                total.counts.add(row.counts);
                total.slowest_s = total.slowest_s.max(row.slowest_s);
            }
            line(f, "all", &total)?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, row: &Row) -> fmt::Result {
    let Row { rounds, failed, acknowledged, counts, slowest_s } = row;
    let Counts { lost, duplicated, without_end, gaps, valid_resets, different, other } = counts;
    let back = if slowest_s.is_finite() { format!("{slowest_s:.1} s") } else { "never".into() };
    writeln!(
        f,
        "{name:<41} {rounds:>6} {failed:>6} {acknowledged:>6} {lost:>5} {duplicated:>5} {without_end:>6} \
         {gaps:>5} {valid_resets:>6} {different:>6} {other:>5} {back:>8}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{fault::Fault, record::tests::record};

    #[test]
    fn rounds_of_one_fault_are_added_up() {
        let bad = Counts { lost: 2, valid_resets: 3, ..Counts::default() };
        let mut records = vec![
            record(Fault::RedisKilled, 1, bad),
            record(Fault::RedisKilled, 2, Counts::default()),
            record(Fault::SqlKilled, 3, Counts::default()),
            record(Fault::SqlKilled, 3, Counts::default()),
        ];
        records[2].back_after_s = None;
        records[3].commit = "abd".into();
        let text = Summary::new(&records).to_string();
        let numbers =
            |line: &str| line[41..].split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "commit abc");
        assert!(lines[2].starts_with("distributed        redis-killed"), "{text}");
        assert_eq!(
            numbers(lines[2]),
            ["2", "1", "40", "2", "0", "0", "0", "3", "0", "0", "1.5", "s"]
        );
        assert!(lines[3].contains("sql-killed") && lines[3].ends_with("never"), "{text}");
        assert_eq!(numbers(lines[4])[..3], ["3", "1", "60"]);
        assert_eq!(lines[5], "commit abd");
    }
}
