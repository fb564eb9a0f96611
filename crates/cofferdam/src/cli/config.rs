//! `cofferdam check-config`.

use super::args::CheckConfigArgs;
use super::global::Global;
use super::output;
use crate::config::{Config, Overrides, default_file, reference_page};
use crate::failure::Failure;
use crate::machine;

pub(crate) fn run(global: &Global, args: &CheckConfigArgs) -> Result<(), Failure> {
    if args.defaults {
        return output::text(&default_file());
    }
    if args.reference {
        return output::text(&reference_page());
    }
    let given = args.file.clone().or_else(|| global.config.clone());
    let Some(file) = given.or_else(machine::config_file) else {
        return Err(Failure::new(
            "there is no configuration file: give one, or go on without",
        ));
    };
    Config::load(Some(&file), &Overrides::default())?;
    if global.json {
        return output::json(&serde_json::json!({ "file": file, "ok": true }));
    }
    output::text(&format!("{}: ok\n", file.display()))
}
