//! Volumes on the wire: NBD clients, a thread for each or for a crowd of those that flush, and the files that
//! volumes are made of.
//!
//! [`Volumes`] knows all volumes, attaches one when its first client comes, and serves listeners. A
//! connection's thread parses what came, hands it to the engine ([`Attached`]), does the I/O that
//! the engine wants, and sends all answers in one go; threads are shared only for what waits for the
//! disk. No event loop of the cache is involved.

mod ahead;
mod answering;
mod attached;
mod backing;
mod bringing;
mod bulk;
mod checking;
mod client;
mod client_socket;
mod connection;
mod core;
mod crowd;
mod direct;
mod eager;
mod error;
mod file;
mod input;
mod journal;
mod ledger;
mod light;
mod limits;
mod listener;
mod meters;
mod mirroring;
mod objects;
mod open_files;
mod operate;
mod outbox;
mod overview;
mod request;
mod secure;
mod service;
mod serving;
mod session;
mod spares;
mod spec;
mod stages;
mod standing;
mod store;
mod stream;
mod tls;
mod torture;
mod transfer;
mod twin;
mod uri;
mod welcome;
mod workers;
mod writing;

pub use attached::Attached;
pub use client::{Answer, NbdClient};
pub use error::VolumeError;
pub use limits::BurstBalance;
pub use listener::{NbdListenError, NbdListener};
pub use meters::{MeterFigures, Meters, Operation, OperationFigures};
pub use service::Volumes;
pub use spec::{AttachedStatus, Identity, VolumePulse, VolumeSpec, VolumeStatus, journal_len_for};
pub use stages::{STAGE_BOUNDS, Stage, StageFigures, Stages};
pub use tls::NbdTls;
pub use torture::{Found, Torture, TortureConfig, TortureFigures, Violation};
pub use transfer::{TransferError, Transferred, export, import};
pub use twin::MirrorStatus;
pub use uri::NbdUri;
pub use volume::{Checked, Defect, Snapshot, VolumeId};
