//! The ledger: which messages were sent and which the server acknowledged. It survives a crash of
//! this process or the server.
//!
//! One JSON object per line, in order of time. A separate thread writes and syncs in groups;
//! [`Ledger::note`] returns once its line is on disk. When the ledger is read, a last line that was
//! cut by a crash is ignored.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::{event::Ended, reading::Told};

/// How many lines may wait for the disk.
const QUEUE: usize = 1024;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A session and the tokens of its owner; written again when the tokens change.
    Session { session_id: String, access_token: String, refresh_token: String },
    /// A message is about to be sent.
    Sent { session_id: String, key: String, text: String },
    /// The server refused it finally, so it must not be found.
    Refused { session_id: String, key: String },
    /// The server acknowledged that the message is durable.
    Acknowledged {
        session_id: String,
        key: String,
        message_id: String,
        turn_id: String,
        seq: u64,
        text: String,
    },
    /// The terminal event of a turn was read.
    Ended { session_id: String, turn_id: String, ended: Ended, message_id: String, text: String },
    /// All events of the session when everybody had left: a later list must begin with them.
    List { session_id: String, events: Vec<Told> },
}

/// The writing half. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    lines: mpsc::Sender<(String, oneshot::Sender<()>)>,
}

impl Ledger {
    /// Appends to `path`. Only its owner may read the file, because it contains the visitors'
    /// tokens.
    ///
    /// # Errors
    /// If the file cannot be opened or no thread can be started.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file =
            options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
        let (lines, queue) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("ledger".into()).spawn(move || write(file, queue))?;
        Ok(Self { lines })
    }

    /// Returns once the line is on disk.
    ///
    /// # Errors
    /// If writing failed at some time.
    pub async fn note(&self, entry: &Entry) -> anyhow::Result<()> {
        let (done, written) = oneshot::channel();
        let line = serde_json::to_string(entry)?;
        self.lines.send((line, done)).await.context("the ledger can no longer be written")?;
        written.await.context("the ledger could not be written")
    }
}

fn write(mut file: File, mut queue: mpsc::Receiver<(String, oneshot::Sender<()>)>) {
    let mut waiting = Vec::new();
    while let Some((line, done)) = queue.blocking_recv() {
        let mut group = line + "\n";
        waiting.push(done);
        while let Ok((line, done)) = queue.try_recv() {
            group.push_str(&line);
            group.push('\n');
            waiting.push(done);
        }
        if let Err(error) = file.write_all(group.as_bytes()).and_then(|()| file.sync_data()) {
            eprintln!("rushdesk-load: the ledger cannot be written: {error}");
            return;
        }
        for done in waiting.drain(..) {
            // If the receiver is gone, it was cancelled; its line is written all the same.
            let _ = done.send(());
        }
    }
}

/// The messages of one session that must be found again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    pub session_id: String,
    pub access_token: String,
    pub refresh_token: String,
    pub acknowledged: Vec<Acknowledged>,
    /// Sent without a response, so they may or may not exist; by key.
    pub unknown: BTreeMap<String, String>,
    pub ended: Vec<EndedTurn>,
    /// The list as it was found before.
    pub list: Vec<Told>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub message_id: String,
    pub turn_id: String,
    pub seq: u64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTurn {
    pub turn_id: String,
    pub ended: Ended,
    pub message_id: String,
    pub text: String,
}

impl Expected {
    pub fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Session { session_id, access_token, refresh_token } => {
                self.session_id = session_id;
                self.access_token = access_token;
                self.refresh_token = refresh_token;
            }
            Entry::Sent { key, text, .. } => drop(self.unknown.insert(key, text)),
            Entry::Refused { key, .. } => drop(self.unknown.remove(&key)),
            Entry::Acknowledged { key, message_id, turn_id, seq, text, .. } => {
                self.unknown.remove(&key);
                self.acknowledged.push(Acknowledged { message_id, turn_id, seq, text });
            }
            Entry::Ended { turn_id, ended, message_id, text, .. } => {
                self.ended.push(EndedTurn { turn_id, ended, message_id, text });
            }
            Entry::List { events, .. } => self.list = events,
        }
    }
}

impl Entry {
    fn session_id(&self) -> &str {
        match self {
            Self::Session { session_id, .. }
            | Self::Sent { session_id, .. }
            | Self::Refused { session_id, .. }
            | Self::Acknowledged { session_id, .. }
            | Self::Ended { session_id, .. }
            | Self::List { session_id, .. } => session_id,
        }
    }
}

/// Reads a ledger, one [`Expected`] for each session.
///
/// # Errors
/// If the file cannot be read or a line other than the last is broken.
pub fn read(path: &Path) -> anyhow::Result<Vec<Expected>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut sessions: BTreeMap<String, Expected> = BTreeMap::new();
    let mut lines = BufReader::new(file).lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let line = line?;
        match serde_json::from_str::<Entry>(&line) {
            Ok(entry) => sessions.entry(entry.session_id().to_owned()).or_default().add(entry),
            Err(_) if lines.peek().is_none() => break,
            Err(error) => anyhow::bail!("line {} of the ledger: {error}", number + 1),
        }
    }
    Ok(sessions.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        let id = uuid::Uuid::new_v4();
        std::env::temp_dir().join(format!("rushdesk-load-{name}-{id}.ndjson"))
    }

    fn session(id: &str, token: &str) -> Entry {
        Entry::Session {
            session_id: id.into(),
            access_token: token.into(),
            refresh_token: "r".into(),
        }
    }

    fn sent(key: &str) -> Entry {
        Entry::Sent { session_id: "s".into(), key: key.into(), text: format!("text of {key}") }
    }

    fn acknowledged(key: &str, seq: u64) -> Entry {
        Entry::Acknowledged {
            session_id: "s".into(),
            key: key.into(),
            message_id: format!("m{seq}"),
            turn_id: format!("t{seq}"),
            seq,
            text: format!("text of {key}"),
        }
    }

    #[tokio::test]
    async fn what_was_noted_is_read_back_by_session() {
        let path = path("read");
        let ledger = Ledger::open(&path).unwrap();
        for entry in [
            session("s", "old"),
            sent("a"),
            acknowledged("a", 1),
            session("s", "new"),
            sent("b"),
            sent("c"),
            Entry::Refused { session_id: "s".into(), key: "c".into() },
            session("other", "x"),
        ] {
            ledger.note(&entry).await.unwrap();
        }
        let sessions = read(&path).unwrap();
        let [other, s] = &sessions[..] else { panic!("{sessions:?}") };
        assert_eq!((other.session_id.as_str(), other.acknowledged.len()), ("other", 0));
        assert_eq!(s.access_token, "new");
        assert_eq!(s.acknowledged[0].message_id, "m1");
        assert_eq!(s.unknown.keys().collect::<Vec<_>>(), ["b"]);
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn many_writers_lose_no_line() {
        let path = path("many");
        let ledger = Ledger::open(&path).unwrap();
        let notes = (0..200).map(|n| {
            let ledger = ledger.clone();
            async move { ledger.note(&acknowledged("k", n)).await }
        });
        futures_util::future::try_join_all(notes).await.unwrap();
        assert_eq!(read(&path).unwrap()[0].acknowledged.len(), 200);
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn a_torn_last_line_is_ignored_and_a_torn_middle_is_not() {
        let path = path("torn");
        let whole = serde_json::to_string(&acknowledged("a", 1)).unwrap();
        std::fs::write(&path, format!("{whole}\n{}", &whole[..20])).unwrap();
        assert_eq!(read(&path).unwrap()[0].acknowledged.len(), 1);
        std::fs::write(&path, format!("{}\n{whole}\n", &whole[..20])).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 1"));
        std::fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = path("mode");
        let _ledger = Ledger::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_file(path).unwrap();
    }
}
