//! The secrets that sign tokens. They are read from a file. In embedded mode they are created once
//! and kept in the data folder, readable by its owner only.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::config::Secret;

/// Creates `folder` for the owner only, if it does not exist.
pub fn private_folder(folder: &Path) -> anyhow::Result<()> {
    if !folder.is_dir() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    Ok(())
}

/// Most secrets in one file: one that signs, and those whose tokens are still valid.
const MAX_SECRETS: usize = 8;

/// The secrets of a file, one per line. The first signs, and the others are still accepted.
///
/// # Errors
/// No secret, too many, or one of less than 32 bytes. The error never quotes the content.
pub fn parse(text: &[u8]) -> anyhow::Result<Vec<Secret>> {
    let text = std::str::from_utf8(text).map_err(|_| anyhow::anyhow!("is not text"))?;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    anyhow::ensure!(!lines.is_empty(), "contains no secret; `openssl rand -hex 32` makes one");
    anyhow::ensure!(lines.len() <= MAX_SECRETS, "contains more than {MAX_SECRETS} secrets");
    if let Some(at) = lines.iter().position(|line| line.len() < 32) {
        anyhow::bail!("secret {} has less than 32 bytes; `openssl rand -hex 32` makes one", at + 1);
    }
    Ok(lines.into_iter().map(Secret::new).collect())
}

/// The file `folder/name`, readable by its owner only. If it is missing, it is created with 32
/// random bytes in hex.
pub fn kept(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    if path.exists() {
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        return Ok(path);
    }
    let secret = hex::encode(rand::random::<[u8; 32]>());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        private_folder(&data).unwrap();
        let read = || parse(&fs::read(kept(&data, "jwt.secret").unwrap()).unwrap()).unwrap();
        let first = read();
        assert_eq!(first, read());
        assert_eq!((first.len(), first[0].expose().len()), (1, 64));
        let mode = fs::metadata(data.join("jwt.secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_that_cannot_hold_secrets_is_refused_without_showing_it() {
        let good = "0123456789abcdef0123456789abcdef";
        let two = parse(format!("\n  {good} \r\n\n{good}x\n").as_bytes()).unwrap();
        assert_eq!(two, [Secret::new(good), Secret::new(format!("{good}x"))]);
        let short = format!("{good}\n{}", &good[1..]);
        let many = format!("{good}\n").repeat(9);
        for bad in [&b""[..], b"\n \n", short.as_bytes(), many.as_bytes(), b"\xff\xfe"] {
            let error = parse(bad).unwrap_err().to_string();
            assert!(!error.contains("0123456789"), "{error}");
        }
    }
}
