//! Every action that was done or refused, a line of JSON each. A line is on the disk before the
//! action is answered.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An action and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub key: String,
    pub status: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default)]
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Done,
    Failed,
    /// The key came again, and nothing was done. Only in the journal.
    Repeated,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    Cancel,
    /// A cancellation is taken back.
    Reinstate,
    Address(String),
    Return(Vec<String>),
    /// So many of one item.
    ReturnSome(Vec<String>, u32),
}

#[derive(Default)]
pub struct Journal(Option<File>);

impl Journal {
    /// The journal and what it holds. A last line that was cut off by a crash is taken out.
    pub fn open(path: Option<&Path>) -> anyhow::Result<(Self, Vec<Entry>)> {
        let Some(path) = path else { return Ok((Self::default(), Vec::new())) };
        let shown = path.display();
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot open {shown}"))?;
        let (entries, whole) = read(&file).with_context(|| format!("cannot read {shown}"))?;
        file.set_len(whole)?;
        Ok((Self(Some(file)), entries))
    }

    pub fn write(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_data()?;
        Ok(())
    }
}

/// All actions of a journal, in order.
///
/// # Errors
/// When it cannot be read.
pub fn ledger(path: &Path) -> anyhow::Result<Vec<Entry>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let (entries, _) = read(&file).with_context(|| format!("cannot read {shown}"))?;
    Ok(entries)
}

/// The whole lines, and where they end.
fn read(file: &File) -> anyhow::Result<(Vec<Entry>, u64)> {
    let (mut entries, mut whole) = (Vec::new(), 0);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || !line.ends_with(b"\n") {
            return Ok((entries, whole));
        }
        entries.push(serde_json::from_slice(&line).context("a line is no action")?);
        whole += length as u64;
    }
}
