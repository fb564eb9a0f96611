//! What lies in the data folder beside the state, and by which names it is known.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use runtime::secrets;

use crate::failure::Failure;

/// Unix socket of the admin API.
pub(crate) const ADMIN_SOCKET: &str = "admin.sock";
/// Unix socket of volumes, unless the configuration says where.
pub(crate) const NBD_SOCKET: &str = "nbd.sock";
/// Bearer token of the admin API over TCP.
pub(crate) const ADMIN_TOKEN: &str = "admin.token";
/// Environment variable with the token, for where the file is not at hand.
pub(crate) const TOKEN_VARIABLE: &str = "COFFERDAM_ADMIN_TOKEN";

const TOKEN_LEN_MIN: usize = 16;

/// The token in `path`, made at the first start.
pub(crate) fn token(path: &Path) -> Result<String, Failure> {
    let token = secrets::password()?;
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| writeln!(file, "{token}"));
    match created {
        Ok(()) => Ok(token),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => read_token(path),
        Err(e) => Err(Failure::new(format!(
            "cannot write {}: {e}",
            path.display()
        ))),
    }
}

/// The token in `path`.
pub(crate) fn read_token(path: &Path) -> Result<String, Failure> {
    let place = path.display();
    let text = fs::read_to_string(path).map_err(|e| {
        Failure::new(format!(
            "cannot read the admin token {place}: {e}: give the daemon's --data-dir, or the token \
             in {TOKEN_VARIABLE}"
        ))
    })?;
    let token = text.trim();
    if token.len() < TOKEN_LEN_MIN || token.contains(char::is_whitespace) {
        return Err(Failure::new(format!(
            "{place} holds no token: delete it and restart the daemon, which makes a new one"
        )));
    }
    Ok(token.to_owned())
}

/// Whether a copy may be written to `path`: not into the data folder `dir`, where it could take the
/// place of the daemon's own files, and over an existing file only if `force` says so.
pub(crate) fn check_target(path: &Path, dir: &Path, force: bool) -> Result<(), Failure> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let parent = fs::canonicalize(parent)
        .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display())))?;
    if fs::canonicalize(dir).is_ok_and(|dir| parent.starts_with(dir)) {
        return Err(Failure::new(format!(
            "{} is in the data folder, which is the daemon's own: choose a file elsewhere",
            path.display()
        )));
    }
    if !force && fs::symlink_metadata(path).is_ok() {
        return Err(Failure::new(format!(
            "{} exists: choose another file, or replace it with --force",
            path.display()
        )));
    }
    Ok(())
}

/// Writes `bytes` to `path` for this user only, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    runtime::write_private(path, bytes)
        .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display())))
}

#[cfg(test)]
#[path = "files_test.rs"]
mod tests;
