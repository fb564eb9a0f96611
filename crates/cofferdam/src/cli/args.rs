//! The command line as typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::cluster_args::ClusterCommand;
use super::drill::DrillCommand;
use super::events::EventsArgs;
use super::gate::GateCommand;
use super::global::Global;
use super::limit::LimitArgs;
use super::load::LoadArgs;
use super::node::NodeCommand;
use super::suggested::Suggested;
use super::support::SupportArgs;
use super::top::TopArgs;
use super::upgrade::UpgradeArgs;
use super::volume::VolumeCommand;
use crate::config::{Addr, Auto, JudgeMode, Overrides, Size, Switch};
use crate::failure::Failure;

/// A data service for many tenants: a memcached-compatible cache in which no tenant can take
/// another down.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run gateway and cache in one process
    Up(UpArgs),
    /// Run a gateway: tenants connect to it, and the nodes of `[fleet]` have their data
    Gateway(UpArgs),
    /// Run a node: it has a part of the tenants' data, for the gateways of `[fleet]`; or show and change
    /// the nodes of a fleet
    #[command(args_conflicts_with_subcommands = true)]
    Node {
        #[command(subcommand)]
        command: Option<NodeCommand>,
    },
    /// Give the machines of a fleet certificates, and let others join it
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Test a new node before it serves
    #[command(subcommand)]
    Gate(GateCommand),
    /// Run a status page apart from what it watches
    Status(StatusArgs),
    /// Add, change and remove tenants and their credentials
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Make, attach, show and remove volumes
    #[command(subcommand)]
    Volume(VolumeCommand),
    /// Show live figures
    Stat(StatArgs),
    /// Show the console's overview in this terminal: is it well, who uses what, what changed
    Top(TopArgs),
    /// Show what happened: tenants throttled, clients reconnecting, queues full
    Events(EventsArgs),
    /// Copy the state (tenants, credentials) to a file, or put such a copy in its place
    #[command(subcommand)]
    State(StateCommand),
    /// Put configuration, events, history and log into one archive, without secrets, to send to
    /// whoever helps
    SupportBundle(SupportArgs),
    /// Check a configuration file
    CheckConfig(CheckConfigArgs),
    /// Have the running daemon read its configuration again
    Reload,
    /// Have a new process take the place of the running daemon, without refusing anybody
    Upgrade(UpgradeArgs),
    /// Put load on a memcached-compatible server and measure it
    Load(LoadArgs),
    /// Replay an outage on this machine and judge what came of it
    #[command(subcommand)]
    Drill(DrillCommand),
    /// Print a completion script
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page, or write one for each command into a folder
    Man {
        /// An existing folder for cofferdam.1, cofferdam-up.1 and so on
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// Listener of the open tenant `default`, loopback only, or `off` [default: 127.0.0.1:11211]
    #[arg(long, value_name = "ADDR:PORT")]
    memcache: Option<Switch<Addr>>,
    /// Listener of all other tenants, authentication required [default: 127.0.0.1:11212]
    #[arg(long, value_name = "ADDR:PORT")]
    memcache_auth: Option<Addr>,
    /// Unix socket of the open tenant `default`
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// NBD listener of volumes, loopback only, or `off` [default: 127.0.0.1:10809]
    #[arg(long, value_name = "ADDR:PORT")]
    nbd: Option<Switch<Addr>>,
    /// Unix socket of volumes, for this user only
    #[arg(long, value_name = "PATH")]
    nbd_unix: Option<PathBuf>,
    /// The status page, or `off` [default: 127.0.0.1:8312]
    #[arg(long, value_name = "ADDR:PORT")]
    status: Option<Switch<Addr>>,
    /// The console of tenants, or `off` [default: 127.0.0.1:8313]
    #[arg(long, value_name = "ADDR:PORT")]
    tenant_console: Option<Switch<Addr>>,
    /// Memory of all caches [default: a quarter of the machine's, at most 1GiB]
    #[arg(long, value_name = "SIZE")]
    memory: Option<Auto<Size>>,
    /// Largest value of `default` and of tenants without a size of their own [default: 1MiB]
    #[arg(long, value_name = "SIZE")]
    item_size: Option<Size>,
    /// Client connections at once [default: nine tenths of the limit on open files]
    #[arg(long, value_name = "N")]
    max_connections: Option<Auto<u32>>,
    /// Event loops [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<Auto<u16>>,
    /// Of a gateway: who says which nodes are slow [default: on]
    #[arg(long, value_name = "on|off|naive", value_enum, hide = true)]
    judge: Option<JudgeMode>,
    /// What a drill's control does without, and nobody else should
    #[arg(
        long,
        value_name = "on|off",
        value_enum,
        default_value = "on",
        hide = true
    )]
    pub(crate) protections: Protections,
}

/// What `status` takes.
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// Where the page is served [default: 127.0.0.1:8312]
    #[arg(long, value_name = "ADDR:PORT")]
    status: Option<Switch<Addr>>,
}

impl StatusArgs {
    /// What the flags say, the global ones among them.
    pub(crate) fn overrides(&self, global: &Global) -> Overrides {
        Overrides {
            status: self.status,
            ..global.overrides()
        }
    }
}

/// Whether tenants are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protections {
    /// As they should be.
    #[default]
    On,
    /// Everybody's spike is everybody's: only to see what that does, see `drill`.
    Off,
}

impl UpArgs {
    /// What the flags of `up` say, the global ones among them.
    pub(crate) fn overrides(&self, global: &Global) -> Result<Overrides, Failure> {
        Ok(Overrides {
            admin: global.admin_listener()?,
            memcache: self.memcache,
            status: self.status,
            tenant_console: self.tenant_console,
            memcache_auth: self.memcache_auth,
            unix: self.unix.clone(),
            nbd: self.nbd,
            nbd_unix: self.nbd_unix.clone(),
            memory: self.memory,
            item_size: self.item_size,
            max_connections: self.max_connections,
            threads: self.threads,
            judge: self.judge,
            ..global.overrides()
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant and print, once, how its clients connect
    Add {
        /// 1 to 63 lower-case letters, digits and hyphens
        name: String,
        /// What its cache may hold, segments and index counted
        #[arg(long, value_name = "SIZE")]
        memory: Size,
        /// Its largest value [default: the configured item size]
        #[arg(long, value_name = "SIZE")]
        item_size: Option<Size>,
        /// In a fleet: on how many of the gateways [default: 2]
        #[arg(long, value_name = "K")]
        gateways: Option<usize>,
    },
    /// In a fleet: move a tenant to other gateways, in two steps, so that its clients can follow
    Move {
        /// The tenant
        name: String,
        /// A gateway to move away from; may be given several times [default: all that it is on]
        #[arg(long, value_name = "GATEWAY")]
        from: Vec<String>,
        /// Its clients know the new gateways: leave the old ones
        #[arg(long, conflicts_with = "from")]
        finish: bool,
    },
    /// List all tenants
    List,
    /// Show one tenant and its credentials
    Show {
        /// The tenant
        name: String,
    },
    /// Change a tenant's memory, item size and other limits, live; `none` takes a limit away
    Limit {
        /// The tenant
        name: String,
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// Make a new primary credential; the old ones work until they are revoked
    Rotate {
        /// The tenant
        name: String,
    },
    /// End a credential and close the connections that used it
    Revoke {
        /// The tenant
        name: String,
        /// The credential's user name
        username: String,
    },
    /// Add, list and promote credentials
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Empty a tenant's cache; asks before, on a terminal
    Flush {
        /// The tenant
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Remove a tenant, its credentials, its connections and its data; asks before, on a terminal
    Remove {
        /// The tenant
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialCommand {
    /// Add a credential and print it, once
    Add {
        /// The tenant
        name: String,
        /// read, write and flush, joined by commas [default: those of the primary one]
        #[arg(long, value_name = "RIGHTS", hide_possible_values = true,
            value_parser = Suggested::<String>::of(&["read", "write", "flush", "read,write"]))]
        rights: Option<String>,
    },
    /// List a tenant's credentials
    List {
        /// The tenant
        name: String,
    },
    /// Make a credential the primary one
    Promote {
        /// The tenant
        name: String,
        /// The credential's user name
        username: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct StatArgs {
    /// Only this tenant, in detail
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Show again every second, with rates
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Write a consistent copy of the state, with or without a running daemon
    Backup {
        /// Where to; not into the data folder
        file: PathBuf,
        /// Replace the file if it exists
        #[arg(long)]
        force: bool,
    },
    /// Put a copy in the place of the state; no daemon may be running
    Restore {
        /// Where from
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CheckConfigArgs {
    /// The file [default: the one that `up` would read]
    pub(crate) file: Option<PathBuf>,
    /// Print a file of all keys with their defaults instead
    #[arg(long, conflicts_with_all = ["file", "reference"])]
    pub(crate) defaults: bool,
    /// Print the reference page instead
    #[arg(long, conflicts_with = "file")]
    pub(crate) reference: bool,
}

#[cfg(test)]
#[path = "args_test.rs"]
mod tests;
