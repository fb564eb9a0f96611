//! The flags of every command.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Addr, Overrides, Switch};
use crate::logging::LogFormat;

/// Flags that may stand before or after the subcommand.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Configuration file [default: $XDG_CONFIG_HOME/cofferdam/cofferdam.toml, else
    /// /etc/cofferdam/cofferdam.toml, where they exist]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Folder of state, admin socket and admin token [default: $XDG_STATE_HOME/cofferdam]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// The admin API's address: `up` listens there, other commands ask there instead of through
    /// admin.sock (with the token in $COFFERDAM_ADMIN_TOKEN or admin.token of the data folder)
    #[arg(long, value_name = "ADDR:PORT", global = true)]
    pub(crate) admin: Option<Switch<Addr>>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", value_enum, global = true)]
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
}
