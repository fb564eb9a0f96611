//! `cofferdam volume`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use clap::Subcommand;
use runtime::http::Method;

use super::access::{Access, segment};
use super::global::Global;
use super::limit::OrNone;
use super::output;
use super::volume_show::{how_to_connect, in_detail, row};
use super::volume_torture::{self, TortureArgs};
use super::volume_transfer::{self, ImportArgs};
use crate::config::Size;
use crate::failure::Failure;
use crate::wire::{
    AttachView, CheckView, CloneRequest, MirrorRequest, ResizeRequest, SnapshotRequest,
    SnapshotView, VolumeLimitChange, VolumeRequest, VolumeView,
};

const NO_BODY: Option<&()> = None;

/// What to do with volumes; each is `NAME`, or `TENANT/NAME`.
#[derive(Debug, Subcommand)]
pub(crate) enum VolumeCommand {
    /// Make a volume of zeroes
    Create {
        /// `NAME`, or `TENANT/NAME`: lower-case letters, digits and hyphens
        name: String,
        /// How much it holds
        #[arg(long, value_name = "SIZE")]
        size: Size,
        /// Its journal: what it takes at full speed before packing must keep up [default: a 16th of
        /// the size, 32MiB to 1GiB]
        #[arg(long, value_name = "SIZE")]
        journal: Option<Size>,
        /// Let several clients use it at once, for file systems that are made for that
        #[arg(long)]
        shared: bool,
    },
    /// Get a volume ready and print how to connect it
    Attach {
        /// The volume
        name: String,
    },
    /// List all volumes
    List,
    /// Show a volume, or all of them, in detail
    Stat {
        /// The volume [default: all]
        name: Option<String>,
    },
    /// Take a snapshot: what the volume holds now, kept as it is
    Snapshot {
        /// The volume
        name: String,
        /// What to call it: lower-case letters, digits and hyphens
        snapshot: String,
    },
    /// List a volume's snapshots
    Snapshots {
        /// The volume
        name: String,
    },
    /// Make a volume of a snapshot; it shares what neither writes
    Clone {
        /// `VOLUME@SNAPSHOT`
        source: Source,
        /// The new volume
        name: String,
    },
    /// Take a volume back to a snapshot; what was written since is gone
    Restore {
        /// `VOLUME@SNAPSHOT`
        source: Source,
    },
    /// Give a volume another size, live; clients see it when they connect again
    Resize {
        /// The volume
        name: String,
        /// How much it is to hold
        #[arg(long, value_name = "SIZE")]
        size: Size,
        /// Cut off data, if it is less
        #[arg(long)]
        force: bool,
    },
    /// Bound what a volume may take; its clients wait, and a second's worth may be saved up
    #[command(group = clap::ArgGroup::new("limits").required(true).multiple(true).args(["iops", "bytes"]))]
    Limit {
        /// The volume
        name: String,
        /// Operations a second, flushes not counted, or `none`
        #[arg(long, value_name = "N")]
        iops: Option<OrNone<u64>>,
        /// Bytes a second, read and written, or `none`
        #[arg(long, value_name = "SIZE")]
        bytes: Option<OrNone<Size>>,
    },
    /// Verify all that a volume has stored, in use or at rest, and name each defect; exit code 1 if
    /// there are any
    Check {
        /// The volume
        name: String,
    },
    /// Keep a second copy of a volume's journal and objects in a folder of another disk; every change
    /// goes to both before it is answered
    Mirror {
        /// The volume
        name: String,
        /// The folder; it is laid out as `volumes` of the data folder is
        #[arg(required_unless_present = "off", conflicts_with = "off")]
        dir: Option<PathBuf>,
        /// Keep none any more; the copy that there is stays where it is
        #[arg(long)]
        off: bool,
    },
    /// Write all that a volume or a snapshot holds into a file; what is a hole stays one
    Export {
        /// The volume, or the snapshot `VOLUME@SNAPSHOT`
        name: String,
        /// Raw, or by qemu-img where it ends in `.qcow2`
        file: PathBuf,
        /// Write over a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Make a volume of a file: raw, or qcow2 by qemu-img where its name ends so
    Import(ImportArgs),
    /// Put random load on any NBD server, kill it as often as wanted, and judge every answer
    Torture(TortureArgs),
    /// Remove a volume and all that it holds, or the snapshot `VOLUME@SNAPSHOT`
    Rm {
        /// The volume, or the snapshot
        name: String,
    },
}

/// `VOLUME@SNAPSHOT`.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(super) volume: String,
    pub(super) snapshot: String,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (volume, snapshot) = text
            .split_once('@')
            .ok_or_else(|| format!("{text:?} is no snapshot: write VOLUME@SNAPSHOT"))?;
        Ok(Self {
            volume: volume.to_owned(),
            snapshot: snapshot.to_owned(),
        })
    }
}

pub(crate) fn run(global: &Global, command: VolumeCommand) -> Result<(), Failure> {
    if let VolumeCommand::Torture(args) = &command {
        return volume_torture::run(global, args);
    }
    let access = Access::daemon(global)?;
    match command {
        // Needs no daemon, or one of its own.
        VolumeCommand::Torture(_) => Ok(()),
        VolumeCommand::Create {
            name,
            size,
            journal,
            shared,
        } => {
            let request = VolumeRequest {
                name,
                size_bytes: size.bytes(),
                journal_bytes: journal.map(Size::bytes),
                shared,
            };
            let volume = access.ask(Method::POST, "/v1/volumes", Some(&request))?;
            print(global, &volume)
        }
        VolumeCommand::Attach { name } => {
            let view: AttachView = access.ask(Method::POST, &path(&name, "/attach"), NO_BODY)?;
            if global.json {
                return output::json(&view);
            }
            output::text(&how_to_connect(&view))
        }
        VolumeCommand::List => list(global, &access),
        VolumeCommand::Stat { name: Some(name) } => {
            let volume = access.ask(Method::GET, &path(&name, ""), NO_BODY)?;
            print(global, &volume)
        }
        VolumeCommand::Stat { name: None } => {
            let volumes: Vec<VolumeView> = access.ask(Method::GET, "/v1/volumes", NO_BODY)?;
            if global.json {
                return output::json(&volumes);
            }
            let shown: Vec<String> = volumes.iter().map(in_detail).collect();
            output::text(&shown.join("\n"))
        }
        VolumeCommand::Snapshot { name, snapshot } => {
            let request = SnapshotRequest { snapshot };
            let at = path(&name, "/snapshots");
            let taken: SnapshotView = access.ask(Method::POST, &at, Some(&request))?;
            match global.json {
                true => output::json(&taken),
                false => output::text(&format!("took {name}@{}\n", taken.snapshot)),
            }
        }
        VolumeCommand::Snapshots { name } => snapshots(global, &access, &name),
        VolumeCommand::Clone { source, name } => {
            let request = CloneRequest {
                snapshot: source.snapshot,
                name,
            };
            let at = path(&source.volume, "/clone");
            print(global, &access.ask(Method::POST, &at, Some(&request))?)
        }
        VolumeCommand::Restore { source } => {
            let request = SnapshotRequest {
                snapshot: source.snapshot,
            };
            let at = path(&source.volume, "/restore");
            print(global, &access.ask(Method::POST, &at, Some(&request))?)
        }
        VolumeCommand::Resize { name, size, force } => {
            let size_bytes = size.bytes();
            let request = ResizeRequest { size_bytes, force };
            let at = path(&name, "/resize");
            print(global, &access.ask(Method::POST, &at, Some(&request))?)
        }
        VolumeCommand::Limit { name, iops, bytes } => {
            let change = VolumeLimitChange {
                iops: iops.map(|limit| limit.0),
                bytes_per_second: bytes.map(|limit| limit.0.map(Size::bytes)),
            };
            let at = path(&name, "/limit");
            print(global, &access.ask(Method::POST, &at, Some(&change))?)
        }
        VolumeCommand::Check { name } => check(global, &access, &name),
        VolumeCommand::Mirror { name, dir, .. } => {
            let dir = dir.map(std::path::absolute).transpose()?;
            let at = path(&name, "/mirror");
            print(
                global,
                &access.ask(Method::POST, &at, Some(&MirrorRequest { dir }))?,
            )
        }
        VolumeCommand::Export { name, file, force } => {
            volume_transfer::export(global, &access, (&name, &file, force))
        }
        VolumeCommand::Import(args) => volume_transfer::import(global, &access, &args),
        VolumeCommand::Rm { name } => {
            let at = match name.parse::<Source>() {
                Ok(source) => {
                    let snapshot = format!("/snapshots/{}", segment(&source.snapshot));
                    path(&source.volume, &snapshot)
                }
                Err(_) => path(&name, ""),
            };
            access.tell(Method::DELETE, &at)?;
            if global.json {
                return output::json(&serde_json::json!({ "done": format!("removed {name}") }));
            }
            output::text(&format!("removed {name}\n"))
        }
    }
}

pub(super) fn path(volume: &str, rest: &str) -> String {
    format!("/v1/volumes/{}{rest}", segment(volume))
}

fn print(global: &Global, volume: &VolumeView) -> Result<(), Failure> {
    match global.json {
        true => output::json(volume),
        false => output::text(&in_detail(volume)),
    }
}

fn check(global: &Global, access: &Access, name: &str) -> Result<(), Failure> {
    let found: CheckView = access.ask(Method::POST, &path(name, "/check"), NO_BODY)?;
    let looked = format!(
        "{} objects ({}), {} records of the journal",
        found.objects,
        output::size(found.object_bytes),
        found.records
    );
    match global.json {
        true => output::json(&found)?,
        false => output::text(&format!("looked at {looked}\n"))?,
    }
    match found.defects.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "volume {name} has {} defects:\n  {}",
            found.defects.len(),
            found.defects.join("\n  ")
        ))),
    }
}

fn list(global: &Global, access: &Access) -> Result<(), Failure> {
    let volumes: Vec<VolumeView> = access.ask(Method::GET, "/v1/volumes", NO_BODY)?;
    if global.json {
        return output::json(&volumes);
    }
    let rows: Vec<Vec<String>> = volumes.iter().map(row).collect();
    let header = ["VOLUME", "SIZE", "STORED", "JOURNAL", "CLIENTS", "STATE"];
    output::text(&output::table(&header, &rows))
}

fn snapshots(global: &Global, access: &Access, name: &str) -> Result<(), Failure> {
    let all: Vec<SnapshotView> = access.ask(Method::GET, &path(name, "/snapshots"), NO_BODY)?;
    if global.json {
        return output::json(&all);
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            let taken = Duration::from_secs(one.taken_unix_s);
            vec![
                format!("{name}@{}", one.snapshot),
                humantime::format_rfc3339_seconds(UNIX_EPOCH + taken).to_string(),
                output::size(one.size_bytes),
            ]
        })
        .collect();
    output::text(&output::table(&["SNAPSHOT", "TAKEN", "SIZE"], &rows))
}
