//! Looks at a database file before SQLite does. SQLite takes an empty file for a new database and
//! then deletes its write-ahead log, and it opens a file that was cut off until somebody
//! reads what is missing.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::error::ArchiveError;

/// The file formats are described at <https://www.sqlite.org/fileformat2.html>.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER: usize = 100;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const WAL_MAGIC: u32 = 0x377f_0682;

const RESTORE: &str = "restore the database from a backup; its -wal file may hold newer data, so \
    keep both (docs/operations.md)";

/// # Errors
/// [`ArchiveError::Corrupt`] if the file was emptied or cut off, or is something else.
pub(super) fn check(path: &Path) -> Result<(), ArchiveError> {
    look(path).unwrap_or_else(|error| {
        Err(ArchiveError::Unavailable(format!("the file cannot be read: {error}")))
    })
}

/// Makes a database that is not there, readable by its owner only. SQLite gives the mode of the file to
/// its log, too.
///
/// # Errors
/// If the folder cannot be written.
pub(super) fn make(path: &Path) -> Result<(), ArchiveError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(ArchiveError::Unavailable(format!("the file cannot be made: {error}")))
        }
        _ => Ok(()),
    }
}

/// The log that belongs to a database file.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn length(path: &Path) -> io::Result<u64> {
    match fs::metadata(path) {
        Ok(known) => Ok(known.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn look(path: &Path) -> io::Result<Result<(), ArchiveError>> {
    let refused = |why: String| Ok(Err(ArchiveError::Corrupt(why)));
    let (bytes, log_bytes) = (length(path)?, length(&log_of(path))?);
    if bytes == 0 {
        let state = if path.exists() { "empty" } else { "missing" };
        return match log_bytes {
            // A new database, or one whose first start was cut short.
            0 => Ok(Ok(())),
            _ => refused(format!(
                "the file is {state}, but its -wal file has {log_bytes} bytes; {RESTORE}"
            )),
        };
    }
    let mut header = [0; HEADER];
    let mut file = File::open(path)?;
    if !read_whole(&mut file, &mut header)? || !header.starts_with(MAGIC) {
        return refused(
            "the file is not an SQLite database; move it away, or set server.data_dir to another \
             folder"
                .into(),
        );
    }
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        page if page.is_power_of_two() && page >= 512 => page,
        _ => return refused(format!("the header of the file is damaged; {RESTORE}")),
    };
    let whole = bytes / page;
    let log = if log_bytes == 0 { None } else { Log::read(&log_of(path), page)? };
    let missing = match log {
        // The newest commit says how long the database is; what the file lacks is in the log.
        Some(log) => (whole + 1..=log.pages).any(|page| !log.has.contains(&page)),
        // The length in the header holds if the version that wrote it also wrote the rest.
        None => number(&header, 24) == number(&header, 92) && whole < number(&header, 28).into(),
    };
    if missing || (bytes % page != 0 && log_bytes == 0) {
        return refused(format!("the file was cut off after {bytes} bytes; {RESTORE}"));
    }
    Ok(Ok(()))
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_be_bytes(four.unwrap_or_default())
}

/// False at the end.
fn read_whole(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// What a write-ahead log has committed.
struct Log {
    /// Pages of the database after the newest commit.
    pages: u64,
    has: HashSet<u64>,
}

impl Log {
    /// `None` if nothing in it counts.
    fn read(path: &Path, page: u64) -> io::Result<Option<Self>> {
        let mut file = BufReader::new(File::open(path)?);
        let mut header = [0; LOG_HEADER];
        let of_log = read_whole(&mut file, &mut header)?
            && number(&header, 0) & !1 == WAL_MAGIC
            && u64::from(number(&header, 8)) == page;
        if !of_log {
            return Ok(None);
        }
        let (mut log, mut uncommitted) = (None::<Self>, HashSet::new());
        let mut frame = [0; FRAME_HEADER];
        // Frames with other salts are left from before the log was begun again.
        while read_whole(&mut file, &mut frame)? && frame[8..16] == header[16..24] {
            uncommitted.insert(u64::from(number(&frame, 0)));
            let pages = u64::from(number(&frame, 4));
            if pages > 0 {
                let has = log.map(|log| log.has).unwrap_or_default();
                let has = has.into_iter().chain(uncommitted.drain()).collect();
                log = Some(Self { pages, has });
            }
            file.seek_relative(i64::try_from(page).unwrap_or(i64::MAX))?;
        }
        Ok(log)
    }
}
