//! Volumes as the admin API takes and tells them.

use std::path::PathBuf;

use runtime::volumes::{
    AttachedStatus, Checked, MeterFigures, Operation, Snapshot, StageFigures, VolumeStatus,
};
use serde::{Deserialize, Serialize};

use super::traffic::given;

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

/// What a volume may take: what is not given stays, and `null` takes a limit away.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VolumeLimitChange {
    /// Operations a second.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) iops: Option<Option<u64>>,
    /// Bytes a second, read and written.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_per_second: Option<Option<u64>>,
}

/// What a look over a volume came to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct CheckView {
    /// Objects that are needed, and their bytes.
    pub(crate) objects: u64,
    pub(crate) object_bytes: u64,
    /// Records of the journal.
    pub(crate) records: u64,
    /// All that is wrong; nothing, if all is well.
    pub(crate) defects: Vec<String>,
}

impl From<&Checked> for CheckView {
    fn from(checked: &Checked) -> Self {
        Self {
            objects: checked.objects,
            object_bytes: checked.object_bytes,
            records: checked.records,
            defects: checked.defects.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Where a volume is to have a second copy; nowhere, if that is not given.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MirrorRequest {
    /// A folder of the server's, with its whole path.
    pub(crate) dir: Option<PathBuf>,
}

/// A second copy as shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct MirrorView {
    pub(crate) dir: PathBuf,
    /// Why it is behind the volume, if it is.
    pub(crate) behind: Option<String>,
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
    /// Operations a second, if they are bounded.
    pub(crate) iops_max: Option<u64>,
    /// Bytes a second, if they are bounded.
    pub(crate) bytes_per_second_max: Option<u64>,
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
    pub(crate) mirror: Option<MirrorView>,
    pub(crate) journal_used_bytes: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) live_bytes: u64,
    pub(crate) map_memory_bytes: u64,
    pub(crate) segments_written: u64,
    pub(crate) segment_bytes_written: u64,
    pub(crate) checkpoints: u64,
    pub(crate) segments_collected: u64,
    /// Blocks of short reads that were in the read cache, and those that were not.
    pub(crate) read_cache_hits: u64,
    pub(crate) read_cache_misses: u64,
    /// Requests under way.
    pub(crate) queue_length: u64,
    /// For how long none was, since it was attached.
    pub(crate) idle_ms: u64,
    /// For how long none was answered though there are some.
    pub(crate) unanswered_ms: u64,
    /// Thousandths of what may be saved up of the limits, where there are any.
    pub(crate) iops_balance_permille: Option<u64>,
    pub(crate) bytes_balance_permille: Option<u64>,
    pub(crate) operations: Vec<OperationView>,
    pub(crate) stages: Vec<StageView>,
}

/// What clients have asked of a volume since it was attached, of one kind.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct OperationView {
    pub(crate) operation: String,
    pub(crate) count: u64,
    pub(crate) failed: u64,
    pub(crate) bytes: u64,
    pub(crate) time_us: u64,
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
            iops_max: status.spec.limits.iops,
            bytes_per_second_max: status.spec.limits.bytes_per_second,
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
            mirror: status.mirror.as_ref().map(|mirror| MirrorView {
                dir: mirror.dir.clone(),
                behind: mirror.behind.clone(),
            }),
            journal_used_bytes: figures.journal_used_len,
            stored_bytes: figures.stored_blocks * BLOCK_LEN,
            live_bytes: figures.live_blocks * BLOCK_LEN,
            map_memory_bytes: figures.map_memory_len,
            segments_written: figures.segments,
            segment_bytes_written: figures.segment_bytes,
            checkpoints: figures.checkpoints,
            segments_collected: figures.collected,
            read_cache_hits: figures.cache_hits,
            read_cache_misses: figures.cache_misses,
            queue_length: status.meters.queue_len,
            idle_ms: whole(status.meters.idle.as_millis()),
            unanswered_ms: whole(status.meters.still.as_millis()),
            iops_balance_permille: status.balance.operations_permille,
            bytes_balance_permille: status.balance.bytes_permille,
            operations: operations(&status.meters),
            stages: status.stages.iter().map(StageView::from).collect(),
        }
    }
}

fn operations(meters: &MeterFigures) -> Vec<OperationView> {
    let all = Operation::ALL.iter().zip(&meters.operations);
    all.map(|(operation, figures)| OperationView {
        operation: operation.code().to_owned(),
        count: figures.count,
        failed: figures.failed,
        bytes: figures.bytes,
        time_us: whole(figures.time.as_micros()),
    })
    .collect()
}

fn whole(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl From<&StageFigures> for StageView {
    fn from(figures: &StageFigures) -> Self {
        Self {
            stage: figures.stage.code().to_owned(),
            count: figures.count,
            time_us: whole(figures.time.as_micros()),
            under_way: figures.under_way,
            still_ms: whole(figures.still.as_millis()),
        }
    }
}
