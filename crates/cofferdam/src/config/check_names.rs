//! Paths and host names that cannot be meant.

use std::path::Path;

use super::Config;

impl Config {
    /// An empty path is the folder that the service happens to be started in.
    pub(super) fn check_paths(&self) -> Result<(), String> {
        let listen = &self.listen;
        let paths = [
            ("data_dir", &self.data_dir),
            ("listen.unix", &listen.unix),
            ("listen.nbd_unix", &listen.nbd_unix),
        ];
        let is_empty = |path: &Path| path.as_os_str().is_empty();
        let wrong = paths
            .iter()
            .find(|(_, path)| path.as_deref().is_some_and(is_empty));
        match wrong {
            Some((key, _)) => Err(format!("{key} is empty: give a path, or leave it out")),
            None => Ok(()),
        }
    }

    /// Names as a browser sends them, without port.
    pub(super) fn check_hosts(&self) -> Result<(), String> {
        let all = [
            ("admin.hosts", &self.admin.hosts),
            ("tenant_console.hosts", &self.tenant_console.hosts),
            ("status.hosts", &self.status.hosts),
        ];
        for (key, hosts) in all {
            if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
                return Err(format!(
                    "{key} has {host:?}: write a name such as console.example.org, without port"
                ));
            }
        }
        Ok(())
    }
}

fn is_host(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
    !text.is_empty() && text.chars().all(is_part)
}

#[cfg(test)]
#[path = "check_names_test.rs"]
mod tests;
