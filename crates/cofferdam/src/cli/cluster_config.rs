//! The configuration that `cofferdam cluster join` writes for a new member.

use std::path::Path;

use runtime::cluster::{Membership, Role};

use crate::config::Addr;

/// As short as it can be: what is not said is as docs/configuration.md has it.
pub(super) fn text(
    member: &Membership,
    data_dir: Option<&Path>,
    certificates: Option<&Path>,
    listen: Option<Addr>,
) -> String {
    let mut text =
        "# Of `cofferdam cluster join`; docs/configuration.md has all keys.\n".to_owned();
    let mut line = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    let quoted = |value: &str| toml::Value::from(value).to_string();
    let path = |path: &Path| quoted(&path.display().to_string());
    if let Some(dir) = data_dir {
        line("data_dir", path(dir));
    }
    if let (Role::Gateway, Some(listen)) = (member.role, listen) {
        line(
            "[listen]\nmemcache = \"off\"\nmemcache_auth",
            quoted(&listen.to_string()),
        );
    }
    line("[fleet]\nname", quoted(&member.name));
    if let (Role::Node, Some(listen)) = (member.role, listen) {
        line("listen", quoted(&listen.to_string()));
    }
    if let Some(dir) = certificates {
        line("certificates", path(dir));
    }
    if !member.endpoints.is_empty() {
        let endpoints = member.endpoints.clone();
        line(
            "[store]\nendpoints",
            toml::Value::from(endpoints).to_string(),
        );
        line("fleet", quoted(&member.fleet));
    }
    text
}

#[cfg(test)]
#[path = "cluster_config_test.rs"]
mod tests;
