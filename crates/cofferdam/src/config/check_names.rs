//! Paths and host names that cannot be meant.

use std::path::Path;

use super::Config;

/// As long as a label of a machine's name may be.
const MEMBER_NAME_MAX: usize = 63;

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

    /// Names of members stand in the line `ready`, in addresses of the console and among the figures
    /// of the history; an empty one is that of nobody.
    pub(super) fn check_member_names(&self) -> Result<(), String> {
        let is_wrong =
            |name: &str| name.len() > MEMBER_NAME_MAX || !(name.is_empty() || is_host(name));
        let own = Some(("fleet.name", &self.fleet.name));
        let nodes = self.fleet.nodes.iter();
        let all = own
            .into_iter()
            .chain(nodes.map(|node| ("fleet.nodes", &node.name)));
        match all.into_iter().find(|(_, name)| is_wrong(name)) {
            Some((key, name)) => Err(format!(
                "{key} has {name:?}: choose letters, digits, -, _ and ., {MEMBER_NAME_MAX} at most"
            )),
            None => Ok(()),
        }
    }
}

fn is_host(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
    !text.is_empty() && text.chars().all(is_part)
}

#[cfg(test)]
#[path = "check_names_test.rs"]
mod tests;
