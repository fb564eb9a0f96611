//! What `cofferdam cluster` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use runtime::cluster::Role;

use crate::config::{Addr, Span};

/// What is asked or done.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Make the fleet's authority and the first member's certificate, and print how another joins
    Init(InitArgs),
    /// Serve the authority: members join and renew their certificates there
    Serve {
        /// Where to listen [default: all addresses, with the port that `init` was told]
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Option<Addr>,
    },
    /// Make a token with which one member may join, once, and print how
    Token(TokenArgs),
    /// Join a fleet with a token: get a certificate of its authority
    Join(JoinArgs),
    /// Get a new certificate now; gateways and nodes do so by themselves when a third of its time is left
    Renew {
        /// The folder of the certificate [default: `fleet` in the data folder]
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// List who has a certificate, and tokens that nobody has used, without their secrets
    List,
    /// Have a member get no other certificate; the one that it has is good until it ends
    Revoke {
        /// The member's name
        name: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// Where other machines reach the authority [default: this machine's name, port 8323]
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) address: Option<String>,
    /// etcd's base URLs, which members are told; may be given several times
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub(super) store: Vec<String>,
    /// The fleet's name
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub(super) fleet: String,
    /// The first member's name
    #[arg(long, value_name = "NAME", default_value = "gateway1")]
    pub(super) name: String,
    /// What the first member does
    #[arg(long, value_name = "ROLE", value_enum, default_value = "gateway")]
    pub(super) role: RoleArg,
    /// Where the first member's certificate goes [default: `fleet` in the data folder]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// How long certificates are good for
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub(super) lifetime: Span,
}

#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// What whoever uses it becomes
    #[arg(long, value_name = "ROLE", value_enum, default_value = "node")]
    pub(super) role: RoleArg,
    /// As whom alone it may be used
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// How long it may be used
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(super) ttl: Span,
}

#[derive(Args, Debug)]
pub(crate) struct JoinArgs {
    /// Where the authority answers, HOST:PORT
    pub(super) authority: String,
    /// The token; others on this machine may see it while this command runs, and it is of no use
    /// afterwards
    #[arg(long, value_name = "TOKEN", required_unless_present = "token_file")]
    pub(super) token: Option<String>,
    /// A file with the token, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub(super) token_file: Option<PathBuf>,
    /// This member's name, which no other has
    #[arg(long, value_name = "NAME")]
    pub(super) name: String,
    /// For a member of etcd: an address or name by which it is reached; may be given several times
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(super) address: Vec<String>,
    /// Where the certificate goes [default: `fleet` in the data folder]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Write a configuration that goes with it to this new file
    #[arg(long, value_name = "FILE")]
    pub(super) write_config: Option<PathBuf>,
    /// For that: where gateways reach this node, or clients this gateway
    #[arg(long, value_name = "ADDR:PORT", requires = "write_config")]
    pub(super) listen: Option<Addr>,
}

/// A role, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    Gateway,
    Node,
    Etcd,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Gateway => Self::Gateway,
            RoleArg::Node => Self::Node,
            RoleArg::Etcd => Self::Etcd,
        }
    }
}
