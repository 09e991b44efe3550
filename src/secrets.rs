//! Secrets of the embedded mode: made once, kept in the data folder for the owner's eyes only.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::Context;

/// Makes `folder` for the owner only, if it is not there.
pub fn private_folder(folder: &Path) -> anyhow::Result<()> {
    if !folder.is_dir() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    Ok(())
}

/// The secret in `folder/name`; 32 random bytes in hex where there was none.
pub fn kept(folder: &Path, name: &str) -> anyhow::Result<String> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(secret) if secret.trim().len() >= 32 => {
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            return Ok(secret.trim().to_owned());
        }
        Ok(_) => anyhow::bail!("{} is too short for a secret; remove it", path.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
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
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        private_folder(&data).unwrap();
        let first = kept(&data, "jwt.secret").unwrap();
        assert_eq!(first, kept(&data, "jwt.secret").unwrap());
        assert_eq!(first.len(), 64);
        let mode = fs::metadata(data.join("jwt.secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
