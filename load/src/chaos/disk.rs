//! A small disk that can be filled: a tmpfs.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

/// Enough for the archive of the longest run.
const SIZE: &str = "size=256m";
const PAGE: [u8; 4096] = [0; 4096];

/// A mounted disk; unmounted when this is dropped.
pub struct Disk {
    pub path: PathBuf,
}

impl Disk {
    /// # Errors
    /// When it cannot be mounted, as without the right to.
    pub fn mount(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("disk");
        std::fs::create_dir_all(&path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(&path)
            .output()
            .context("there is no mount")?;
        let reason = String::from_utf8_lossy(&mounted.stderr);
        ensure!(mounted.status.success(), "a tmpfs cannot be mounted: {}", reason.trim());
        Ok(Self { path })
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// Writes until there is no room left.
    ///
    /// # Errors
    /// When it cannot be written for another reason.
    pub async fn fill(&self) -> anyhow::Result<()> {
        let ballast = self.ballast();
        tokio::task::spawn_blocking(move || fill(&ballast)).await?
    }

    /// # Errors
    /// When the ballast cannot be removed.
    pub fn free(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.ballast()).context("the ballast stays")
    }
}

fn fill(ballast: &Path) -> anyhow::Result<()> {
    let mut file = File::options().create(true).append(true).open(ballast)?;
    loop {
        match file.write_all(&PAGE) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is just being killed may still hold its files.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
