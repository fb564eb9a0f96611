//! `cofferdam state`.

use std::path::Path;

use runtime::state::{self, StateError};

use super::access::Access;
use super::args::StateCommand;
use super::global::Global;
use super::output;
use crate::config::Config;
use crate::failure::Failure;
use crate::files;

pub(crate) fn run(global: &Global, command: &StateCommand) -> Result<(), Failure> {
    match command {
        StateCommand::Backup { file, force } => backup(global, file, *force),
        StateCommand::Restore { file } => restore(global, file),
    }
}

fn backup(global: &Global, file: &Path, force: bool) -> Result<(), Failure> {
    let config = Config::load(global.config.as_deref(), &global.overrides())?;
    files::check_target(file, &config.data_dir(), force)?;
    let bytes = Access::find(global)?.fetch("/v1/state/backup")?;
    files::write_private(file, &bytes)?;
    if global.json {
        return output::json(&serde_json::json!({ "file": file, "bytes": bytes.len() }));
    }
    output::text(&format!(
        "wrote {} ({} bytes)\n",
        file.display(),
        bytes.len()
    ))
}

fn restore(global: &Global, file: &Path) -> Result<(), Failure> {
    let config = Config::load(global.config.as_deref(), &global.overrides())?;
    let dir = config.data_dir();
    let kept = state::restore(&dir, file).map_err(|e| match e {
        StateError::Locked { .. } => {
            Failure::new(format!("{e}; a state is restored while no daemon runs"))
        }
        other => other.into(),
    })?;
    if global.json {
        return output::json(&serde_json::json!({ "data_dir": dir, "kept": kept }));
    }
    let kept = kept.map(|path| format!("; the old one is in {}", path.display()));
    output::text(&format!(
        "restored the state of {}{}\n",
        dir.display(),
        kept.unwrap_or_default()
    ))
}
