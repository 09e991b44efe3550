//! The identity of this process among the replicas.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use uuid::Uuid;

use crate::{config, secrets};

/// File in the data folder with the id of the newest process. The process locks it until it ends.
const FILE: &str = "replica";
/// Longer than any name.
const MAX_BYTES: u64 = 1024;

/// A process that shares the stores with others, and perhaps its name.
pub struct Replica {
    /// `name/boot`: a readable name and a random part, unique among all processes.
    pub id: Arc<str>,
    /// A process that is certainly dead: it used the same data folder and does not hold its lock.
    pub before: Option<String>,
    _lock: Option<File>,
}

/// The data folder of the embedded mode cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error(
        "another process serves from {folder}; stop it, or give this one another server.data_dir"
    )]
    InUse { folder: String },
    #[error("cannot write to {folder}: {error}")]
    Io { folder: String, error: io::Error },
}

impl Replica {
    /// For a process that shares its stores. If the folder cannot be written or another process
    /// holds it, no process is known to be dead. The turns of a killed process are then found when
    /// its beats are missing.
    pub fn shared(server: &config::Server) -> Self {
        let id = id(server);
        let (before, lock) = match move_in(&server.data_dir, &id) {
            Ok((before, lock)) => (before, Some(lock)),
            Err(error) => {
                tracing::debug!(%error, "the data folder has no record of the previous process");
                (None, None)
            }
        };
        Self { id: id.into(), before, _lock: lock }
    }

    /// For the one process of the embedded mode. Its lock proves that every process that has ever
    /// owned a session in this folder is dead.
    ///
    /// # Errors
    /// If another process holds the lock, or the folder cannot be written.
    pub fn alone(server: &config::Server) -> Result<Self, FolderError> {
        let id = id(server);
        let folder = || server.data_dir.display().to_string();
        match move_in(&server.data_dir, &id) {
            Ok((before, lock)) => Ok(Self { id: id.into(), before, _lock: Some(lock) }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(FolderError::InUse { folder: folder() })
            }
            Err(error) => Err(FolderError::Io { folder: folder(), error }),
        }
    }
}

fn id(server: &config::Server) -> String {
    format!("{}/{}", name(server), Uuid::now_v7().simple())
}

fn name(server: &config::Server) -> String {
    if !server.replica.is_empty() {
        return server.replica.clone();
    }
    let host = std::fs::read_to_string("/etc/hostname");
    host.map_or_else(|_| "rushdesk".into(), |name| name.trim().to_owned())
}

/// Writes `id` to the folder. Returns the previous id and the lock.
fn move_in(folder: &Path, id: &str) -> io::Result<(Option<String>, File)> {
    secrets::private_folder(folder).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(folder.join(FILE))?;
    file.try_lock()?;
    let mut before = String::new();
    // A file that cannot be read names no process.
    let _ = (&file).take(MAX_BYTES).read_to_string(&mut before);
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(id.as_bytes())?;
    Ok((Some(before).filter(|before| !before.is_empty()), file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    fn start(folder: &Path) -> Replica {
        let mut server = Config::load(&Sources::default()).unwrap().server;
        server.data_dir = folder.to_owned();
        server.replica = "shop".into();
        Replica::shared(&server)
    }

    #[test]
    fn in_the_embedded_mode_a_folder_has_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Config::load(&Sources::default()).unwrap().server;
        server.data_dir = folder.path().to_owned();
        let first = Replica::alone(&server).unwrap();
        let refused = Replica::alone(&server).err().unwrap().to_string();
        assert!(refused.starts_with("another process serves from"), "{refused}");
        assert!(refused.contains("server.data_dir"), "{refused}");
        drop(first);
        assert!(Replica::alone(&server).is_ok());
    }

    #[test]
    fn a_process_knows_that_the_one_before_it_is_dead_and_never_says_so_of_one_that_lives() {
        let folder = tempfile::tempdir().unwrap();
        let first = start(folder.path());
        assert!(first.id.starts_with("shop/") && first.before.is_none());
        // Another process in the same folder with the same name.
        let beside = start(folder.path());
        assert!(beside.id != first.id && beside.before.is_none());
        let id = first.id.to_string();
        drop(first);
        let next = start(folder.path());
        assert_eq!(next.before, Some(id));
        drop(next);
        drop(beside);
        // It never had the folder.
        assert!(start(folder.path()).before.is_some_and(|before| before.starts_with("shop/")));
    }

    #[test]
    fn a_folder_that_cannot_be_used_tells_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let replica = start(&file.path().join("below-a-file"));
        assert!(replica.before.is_none() && replica.id.starts_with("shop/"));
    }
}
