//! What a start needs of the machine and can be known before anything is bound: files, folders, memory.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use base::ByteSize;
use runtime::net::tls::TlsServer;

use crate::config::Config;
use crate::failure::Failure;
use crate::hooks::Hooks;
use crate::{files, status, tls};

/// Of a Unix socket's path (`sun_path` in unix(7) has 108 bytes, one of which ends it).
const SOCKET_PATH_MAX: usize = 107;

/// Says what a start with `config` would fail on, beginning with the key.
pub(crate) fn check(config: &Config) -> Result<(), Failure> {
    check_memory(config).map_err(Failure::new)?;
    check_data_dir(&config.data_dir()).map_err(Failure::new)?;
    let listen = &config.listen;
    let sockets = [
        ("listen.unix", &listen.unix),
        ("listen.nbd_unix", &listen.nbd_unix),
    ];
    for (key, path) in sockets {
        if let Some(path) = path {
            check_socket(key, path).map_err(Failure::new)?;
        }
    }
    let certificates = [
        ("tls.certificate", tls::files(config)),
        ("tls.certificate", tls::nbd_files(config)),
        ("tls.certificate", tls::files_for_pages(config)),
        ("tls.certificate", tls::status_files(config)),
        ("admin.certificate", tls::admin_files(config)),
    ];
    for (key, files) in certificates {
        let server = files.as_ref().map(TlsServer::new).transpose();
        server.map_err(|e| Failure::new(format!("{key}: {e}")))?;
    }
    Hooks::of(config)?;
    match listen.status.value() {
        Some(_) => status::check_files(config),
        None => Ok(()),
    }
}

/// In a fleet the nodes have the memory.
fn check_memory(config: &Config) -> Result<(), String> {
    let (memory, item_size) = (config.memory_bytes(), config.item_size_bytes());
    let least = cache::least_quota_bytes(item_size);
    if memory >= least || !config.store.endpoints.is_empty() {
        return Ok(());
    }
    Err(format!(
        "item_size is {}, and memory is {} on this machine: give memory of at least {}",
        ByteSize(item_size.into()),
        ByteSize(memory),
        ByteSize(least)
    ))
}

/// The sockets in it must have paths that the system takes.
fn check_data_dir(dir: &Path) -> Result<(), String> {
    let in_dir = 1 + files::ADMIN_SOCKET.len().max(files::NBD_SOCKET.len());
    let (len, max) = (dir.as_os_str().len(), SOCKET_PATH_MAX - in_dir);
    if len <= max {
        return Ok(());
    }
    Err(format!(
        "data_dir has a path of {len} bytes, and the sockets in it leave room for {max}: choose a \
         shorter one (--data-dir), or a link to it"
    ))
}

fn check_socket(key: &str, path: &Path) -> Result<(), String> {
    let (place, len) = (path.display(), path.as_os_str().len());
    if len > SOCKET_PATH_MAX {
        return Err(format!(
            "{key} has a path of {len} bytes, and a socket's may have {SOCKET_PATH_MAX}: choose a \
             shorter one"
        ));
    }
    if let Ok(meta) = fs::metadata(path) {
        return match meta.file_type().is_socket() {
            true => Ok(()),
            false => Err(format!(
                "{key} is {place}, which is there already and no socket: choose another path"
            )),
        };
    }
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    match parent {
        Some(dir) if !dir.is_dir() => Err(format!(
            "{key} is {place}, and there is no folder {}: make it, or choose another path",
            dir.display()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "preflight_test.rs"]
mod tests;
