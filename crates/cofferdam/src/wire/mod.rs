//! What the admin API takes and tells, the same for server, command line and consoles.

mod board;
mod events;
mod fleet;
mod gate;
mod history;
mod stat;
mod tenant;
mod traffic;
mod upgrade;
mod volume;

pub(crate) use board::{AffairView, BoardView, RowView, TileView};
pub(crate) use events::EventPage;
pub(crate) use fleet::{FleetReport, MemberReport};
#[cfg(test)]
pub(crate) use fleet::{RingReport, StoreReport};
pub(crate) use gate::{GateAsked, GateWish};
pub(crate) use history::{HistoryQuery, HistoryView};
pub(crate) use stat::{
    CacheFigures, ClientFigures, ConnectionTotals, DelayFigures, MemoryTotals, Stat, TenantStat,
};
pub(crate) use tenant::{
    CredentialRequest, CredentialView, Grant, LimitChange, MoveReport, MoveRequest, Revoked,
    TenantRequest, TenantView,
};
pub(crate) use traffic::{TrafficChange, TrafficView};
pub(crate) use upgrade::{UpgradeReport, UpgradeRequest};
pub(crate) use volume::{
    AttachView, AttachedView, CheckView, CloneRequest, MirrorRequest, OperationView, ResizeRequest,
    SnapshotRequest, SnapshotView, StageView, VolumeLimitChange, VolumeRequest, VolumeView,
};

use serde::{Deserialize, Serialize};

/// What a reload did.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct ReloadReport {
    /// Keys whose new value is in force.
    pub(crate) changed: Vec<String>,
    /// Keys whose new value waits for the next start.
    pub(crate) needs_restart: Vec<String>,
}

/// Any error.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: String,
}
