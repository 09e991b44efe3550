//! Who this process is among the replicas.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use uuid::Uuid;

use crate::{config, secrets};

/// In the data folder: the newest process that lived there. Locked by it until it ends, however it does.
const FILE: &str = "replica";
/// A longer name than any.
const MAX_BYTES: u64 = 1024;

/// A process among others that share the stores, and perhaps its name.
pub struct Replica {
    /// `name/boot`: for people to read, and unlike that of any other process, before or beside this one.
    pub id: Arc<str>,
    /// A process that is dead for certain: it had the same data folder and has lost its lock.
    pub before: Option<String>,
    _lock: Option<File>,
}

impl Replica {
    /// Where the data folder cannot be written, or is another process's, nobody is known to be dead, and what a killed
    /// process left is found once the others have missed its beats.
    pub fn start(server: &config::Server) -> Self {
        let id = format!("{}/{}", name(server), Uuid::now_v7().simple());
        let (before, lock) = match move_in(&server.data_dir, &id) {
            Ok((before, lock)) => (before, Some(lock)),
            Err(error) => {
                tracing::debug!(%error, "the data folder does not tell who was here before");
                (None, None)
            }
        };
        Self { id: id.into(), before, _lock: lock }
    }
}

fn name(server: &config::Server) -> String {
    if !server.replica.is_empty() {
        return server.replica.clone();
    }
    let host = std::fs::read_to_string("/etc/hostname");
    host.map_or_else(|_| "rushdesk".into(), |name| name.trim().to_owned())
}

/// Leaves `id` in the folder; who left theirs before, and the lock that says that `id` lives.
fn move_in(folder: &Path, id: &str) -> io::Result<(Option<String>, File)> {
    secrets::private_folder(folder).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(folder.join(FILE))?;
    file.try_lock()?;
    let mut before = String::new();
    // What cannot be read names nobody.
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
        Replica::start(&server)
    }

    #[test]
    fn a_process_knows_that_the_one_before_it_is_dead_and_never_says_so_of_one_that_lives() {
        let folder = tempfile::tempdir().unwrap();
        let first = start(folder.path());
        assert!(first.id.starts_with("shop/") && first.before.is_none());
        // Beside it, in the same folder and under the same name.
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
