//! `cofferdam check-config`.

use std::fs;

use super::args::CheckConfigArgs;
use super::global::Global;
use super::output;
use crate::config::{Config, Overrides, default_file, in_file, reference_page};
use crate::failure::Failure;
use crate::{fleet_tls, machine, membership, preflight};

pub(crate) fn run(global: &Global, args: &CheckConfigArgs) -> Result<(), Failure> {
    if global.json && (args.defaults || args.reference) {
        return Err(Failure::Usage(
            "--json has no meaning with --defaults and --reference: leave it out".into(),
        ));
    }
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
    let config = Config::load(Some(&file), &Overrides::default())?;
    preflight::check(&config)
        .and_then(|()| check_fleet(&config))
        .map_err(|e| {
            let text = fs::read_to_string(&file).unwrap_or_default();
            in_file(&file, &text, &e.to_string())
        })?;
    if global.json {
        return output::json(&serde_json::json!({ "file": file, "ok": true }));
    }
    output::text(&format!("{}: ok\n", file.display()))
}

/// What `gateway` and `node` would fail on: certificates, where they are named, and the store's places.
fn check_fleet(config: &Config) -> Result<(), Failure> {
    membership::check(config)?;
    match config.fleet.certificates {
        Some(_) => fleet_tls::load(config).map(drop),
        None => Ok(()),
    }
}
