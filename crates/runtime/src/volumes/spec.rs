//! What there is to tell of a volume, and of those who use it.

use std::fmt;
use std::net::IpAddr;

use base::TenantId;
use volume::{Figures, VolumeId};

use super::limits::BurstBalance;
use super::meters::MeterFigures;
use super::stages::StageFigures;
use super::twin::MirrorStatus;
use crate::state::{DEFAULT_TENANT, VolumeLimits};

/// The shortest and the longest journal that is chosen for a volume.
const JOURNAL_LEN: std::ops::RangeInclusive<u64> = (32 << 20)..=(1 << 30);

/// How long a volume's journal is where nobody says.
pub fn journal_len_for(size_bytes: u64) -> u64 {
    let len = (size_bytes / 16).clamp(*JOURNAL_LEN.start(), *JOURNAL_LEN.end());
    len - len % (1 << 20)
}

/// What there is to know of a volume before it is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Its number, never given again.
    pub id: VolumeId,
    /// The name by which clients ask for it.
    pub export: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its size, in whole blocks.
    pub size_bytes: u64,
    /// The length of its journal.
    pub journal_len: u64,
    /// Whether several clients may use it at once.
    pub shared: bool,
    /// What it may take.
    pub limits: VolumeLimits,
}

/// What a volume is doing.
#[derive(Clone, Debug)]
pub struct VolumeStatus {
    /// What it is.
    pub spec: VolumeSpec,
    /// Its connections, and whose they are.
    pub clients: Vec<Identity>,
    /// The rest, while it is attached.
    pub attached: Option<AttachedStatus>,
}

/// What an attached volume is doing.
#[derive(Clone, Debug)]
pub struct AttachedStatus {
    /// The attachment's number, which is in each object's name.
    pub epoch: u32,
    /// The engine's figures.
    pub figures: Figures,
    /// What clients have asked of it.
    pub meters: MeterFigures,
    /// The stages'.
    pub stages: Vec<StageFigures>,
    /// What is saved up of its limits.
    pub balance: BurstBalance,
    /// Its second copy, if it has one.
    pub mirror: Option<MirrorStatus>,
    /// Why it has stopped, if it has.
    pub stopped: Option<volume::Stage>,
    /// Objects that are damaged or gone.
    pub damaged: Vec<volume::ObjectName>,
}

/// Whether an attached volume moves.
#[derive(Clone, Debug)]
pub struct VolumePulse {
    /// The name by which clients ask for it.
    pub export: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its second copy, if it has one.
    pub mirror: Option<MirrorStatus>,
    /// Whether it has limits, for which its clients may have to wait.
    pub is_limited: bool,
    /// What clients have asked of it.
    pub meters: MeterFigures,
    /// The stages of its I/O.
    pub stages: Vec<StageFigures>,
}

/// Who a client is, as far as that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Whoever has this address.
    Address(IpAddr),
    /// A user of this machine.
    User(u32),
    /// Whoever has the key of a certificate that names a tenant.
    Certificate {
        /// The tenant.
        tenant: TenantId,
        /// The beginning of the certificate's SHA-256.
        print: [u8; 8],
    },
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "a client at {address}"),
            Self::User(uid) => write!(f, "user {uid} of this machine"),
            Self::Certificate { print, .. } => {
                let print = u64::from_be_bytes(*print);
                write!(
                    f,
                    "the client whose certificate's SHA-256 begins with {print:016x}"
                )
            }
        }
    }
}

impl Identity {
    /// Whether such a client may see a tenant's volumes. The Unix socket is its owner's, who may see
    /// all; who comes over loopback has shown nothing; a certificate names its tenant.
    pub(super) fn may_see(self, tenant: TenantId) -> bool {
        match self {
            Self::Address(_) => tenant == DEFAULT_TENANT,
            Self::User(_) => true,
            Self::Certificate { tenant: own, .. } => tenant == own,
        }
    }
}
