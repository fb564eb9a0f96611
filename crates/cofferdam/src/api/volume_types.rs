//! Volumes as the admin API takes and tells them.

use std::path::PathBuf;

use runtime::volumes::{AttachedStatus, Snapshot, StageFigures, VolumeStatus};
use serde::{Deserialize, Serialize};

/// The bytes of a block.
const BLOCK_LEN: u64 = 4096;

/// A volume to make.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VolumeRequest {
    /// `NAME`, or `TENANT/NAME`.
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    /// Chosen by the size if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) journal_bytes: Option<u64>,
    #[serde(default)]
    pub(crate) shared: bool,
}

/// A snapshot to take or to go back to.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnapshotRequest {
    pub(crate) snapshot: String,
}

/// A volume to make of a snapshot.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloneRequest {
    pub(crate) snapshot: String,
    /// `NAME`, or `TENANT/NAME`.
    pub(crate) name: String,
}

/// Another size for a volume.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResizeRequest {
    pub(crate) size_bytes: u64,
    /// Cut data off if it is less.
    #[serde(default)]
    pub(crate) force: bool,
}

/// A snapshot as shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct SnapshotView {
    pub(crate) snapshot: String,
    pub(crate) taken_unix_s: u64,
    pub(crate) size_bytes: u64,
}

impl From<&Snapshot> for SnapshotView {
    fn from(snapshot: &Snapshot) -> Self {
        Self {
            snapshot: snapshot.name.clone(),
            taken_unix_s: u64::from(snapshot.taken.unix_secs()),
            size_bytes: snapshot.size_blocks * BLOCK_LEN,
        }
    }
}

/// Where a volume can be attached.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct AttachView {
    pub(crate) volume: String,
    /// Address and port, if it is served over TCP.
    pub(crate) tcp: Option<String>,
    /// Whether it wants TLS there, with a certificate of the volume's tenant.
    #[serde(default)]
    pub(crate) tls: bool,
    /// The socket, if it is served there.
    pub(crate) unix: Option<PathBuf>,
}

/// A volume as shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct VolumeView {
    pub(crate) volume: String,
    pub(crate) id: u64,
    pub(crate) size_bytes: u64,
    pub(crate) journal_bytes: u64,
    pub(crate) shared: bool,
    /// Who is connected, one entry for each connection.
    pub(crate) clients: Vec<String>,
    /// The rest while it is attached.
    pub(crate) attached: Option<AttachedView>,
}

/// An attached volume as shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct AttachedView {
    pub(crate) epoch: u32,
    /// `ok`, or the stage at which it stopped.
    pub(crate) stopped: Option<String>,
    pub(crate) damaged_objects: Vec<String>,
    pub(crate) journal_used_bytes: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) live_bytes: u64,
    pub(crate) map_memory_bytes: u64,
    pub(crate) segments_written: u64,
    pub(crate) segment_bytes_written: u64,
    pub(crate) checkpoints: u64,
    pub(crate) segments_collected: u64,
    pub(crate) stages: Vec<StageView>,
}

/// One stage of a volume's way.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct StageView {
    pub(crate) stage: String,
    pub(crate) count: u64,
    pub(crate) time_us: u64,
    pub(crate) under_way: u64,
    pub(crate) still_ms: u64,
}

impl From<&VolumeStatus> for VolumeView {
    fn from(status: &VolumeStatus) -> Self {
        Self {
            volume: status.spec.export.clone(),
            id: status.spec.id.0,
            size_bytes: status.spec.size_bytes,
            journal_bytes: status.spec.journal_len,
            shared: status.spec.shared,
            clients: status.clients.iter().map(ToString::to_string).collect(),
            attached: status.attached.as_ref().map(AttachedView::from),
        }
    }
}

impl From<&AttachedStatus> for AttachedView {
    fn from(status: &AttachedStatus) -> Self {
        let figures = &status.figures;
        Self {
            epoch: status.epoch,
            stopped: status.stopped.map(|stage| format!("{stage:?}")),
            damaged_objects: status.damaged.iter().map(ToString::to_string).collect(),
            journal_used_bytes: figures.journal_used_len,
            stored_bytes: figures.stored_blocks * BLOCK_LEN,
            live_bytes: figures.live_blocks * BLOCK_LEN,
            map_memory_bytes: figures.map_memory_len,
            segments_written: figures.segments,
            segment_bytes_written: figures.segment_bytes,
            checkpoints: figures.checkpoints,
            segments_collected: figures.collected,
            stages: status.stages.iter().map(StageView::from).collect(),
        }
    }
}

impl From<&StageFigures> for StageView {
    fn from(figures: &StageFigures) -> Self {
        let whole = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            stage: figures.stage.code().to_owned(),
            count: figures.count,
            time_us: whole(figures.time.as_micros()),
            under_way: figures.under_way,
            still_ms: whole(figures.still.as_millis()),
        }
    }
}
