//! What some keys hold: one of a few words, or a table of its own.

use std::path::PathBuf;

use serde::Deserialize;

use super::value::Addr;

/// What a node serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NodeRole {
    /// A part of the tenants' caches.
    #[default]
    Cache,
    /// Volumes.
    Volume,
}

/// A cache node as a gateway is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeEntry {
    pub(crate) member: u32,
    pub(crate) name: String,
    pub(crate) addr: Addr,
    #[serde(default = "NodeEntry::default_weight")]
    pub(crate) weight: u32,
}

impl NodeEntry {
    const fn default_weight() -> u32 {
        100
    }
}

/// One gateway that the status page probes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusGateway {
    /// What the public reads.
    pub(crate) name: String,
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// Whom to log in as.
    pub(crate) username: String,
    /// The file with the password.
    pub(crate) password_file: PathBuf,
    /// Whether it speaks TLS.
    #[serde(default)]
    pub(crate) tls: bool,
    /// The authority of its certificate, PEM.
    #[serde(default)]
    pub(crate) ca: Option<PathBuf>,
}

/// Somebody who is told of events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookEntry {
    /// Where messages are posted.
    pub(crate) url: String,
    /// The file with what they are signed with.
    pub(crate) secret_file: PathBuf,
    /// The kinds of event; none is all.
    #[serde(default)]
    pub(crate) events: Vec<String>,
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MailTls {
    /// Encrypted after the first words; never without.
    Starttls,
    /// Encrypted from the first byte.
    Wrapped,
    /// Not at all.
    Off,
}

/// When incidents are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Publish {
    /// By themselves above a bar of impact and confidence.
    Auto,
    /// By a click, all of them.
    Held,
}

/// Who says which nodes are slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JudgeMode {
    /// All gateways together.
    On,
    /// Nobody.
    Off,
    /// Each gateway by itself, by a rule that is too simple: the control of drills.
    Naive,
}

/// A listener that can be made to speak TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TlsListener {
    /// `listen.memcache`.
    Memcache,
    /// `listen.memcache_auth`.
    MemcacheAuth,
    /// `listen.nbd`, where clients begin with STARTTLS.
    Nbd,
    /// `listen.tenant_console`.
    TenantConsole,
    /// `listen.status`.
    Status,
}

/// What becomes of a client over TLS that shows no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientCertificate {
    /// It authenticates with a password.
    Optional,
    /// It is refused.
    Required,
}
