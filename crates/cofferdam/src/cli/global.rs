//! The flags of every command.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Addr, Overrides, Place, Switch};
use crate::failure::Failure;
use crate::logging::LogFormat;

/// Under which `--help` lists them.
const HEADING: &str = "Global options";

/// Flags that may stand before or after the subcommand.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Configuration file [default: $XDG_CONFIG_HOME/cofferdam/cofferdam.toml, else
    /// /etc/cofferdam/cofferdam.toml, where they exist]
    #[arg(long, value_name = "FILE", global = true, help_heading = HEADING)]
    pub(crate) config: Option<PathBuf>,
    /// Folder of state, admin socket and admin token [default: $XDG_STATE_HOME/cofferdam]
    #[arg(long, value_name = "DIR", global = true, help_heading = HEADING)]
    pub(crate) data_dir: Option<PathBuf>,
    /// The admin API: `up` listens at this ADDR:PORT, other commands ask there, or at
    /// https://HOST:PORT, instead of through admin.sock (with the token in $COFFERDAM_ADMIN_TOKEN or
    /// admin.token of the data folder)
    #[arg(long, value_name = "ADDR:PORT|URL", global = true, help_heading = HEADING)]
    pub(crate) admin: Option<Switch<Place>>,
    /// Who signed the certificate of an `--admin https://…`, PEM [default: whom the system trusts]
    #[arg(long, value_name = "FILE", global = true, requires = "admin", help_heading = HEADING)]
    pub(crate) admin_ca: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true, help_heading = HEADING)]
    pub(crate) json: bool,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", value_enum, global = true, help_heading = HEADING)]
    pub(crate) log_format: Option<LogFormat>,
}

impl Global {
    /// What the flags say beside any command but `up`.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            data_dir: self.data_dir.clone(),
            log_format: self.log_format,
            ..Overrides::default()
        }
    }

    /// Where `up` is to serve its admin API.
    pub(super) fn admin_listener(&self) -> Result<Option<Switch<Addr>>, Failure> {
        let place = match &self.admin {
            None => return Ok(None),
            Some(Switch::Off) => return Ok(Some(Switch::Off)),
            Some(Switch::On(place)) => place,
        };
        let addr = place.to_string().parse().map_err(|_| {
            Failure::Usage(format!(
                "--admin {place} is no address to listen on: give ADDR:PORT here, and \
                 admin.certificate in the configuration for TLS"
            ))
        })?;
        Ok(Some(Switch::On(addr)))
    }
}
