//! `cofferdam volume`.

use std::path::Path;

use clap::Subcommand;
use runtime::http::Method;

use super::access::{Access, segment};
use super::args::Global;
use super::output;
use super::volume_torture::{self, TortureArgs};
use crate::api::volume_types::{AttachView, VolumeRequest, VolumeView};
use crate::config::Size;
use crate::failure::Failure;

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
    /// Put random load on any NBD server, kill it as often as wanted, and judge every answer
    Torture(TortureArgs),
    /// Remove a volume and all that it holds
    Rm {
        /// The volume
        name: String,
    },
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
        VolumeCommand::Rm { name } => {
            access.tell(Method::DELETE, &path(&name, ""))?;
            if global.json {
                return output::json(&serde_json::json!({ "done": format!("removed {name}") }));
            }
            output::text(&format!("removed {name}\n"))
        }
    }
}

fn path(volume: &str, rest: &str) -> String {
    format!("/v1/volumes/{}{rest}", segment(volume))
}

fn print(global: &Global, volume: &VolumeView) -> Result<(), Failure> {
    match global.json {
        true => output::json(volume),
        false => output::text(&in_detail(volume)),
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

fn row(volume: &VolumeView) -> Vec<String> {
    let attached = volume.attached.as_ref();
    vec![
        volume.volume.clone(),
        output::size(volume.size_bytes),
        output::known(attached.map(|a| a.stored_bytes), output::size),
        output::known(attached.map(|a| a.journal_used_bytes), output::size),
        volume.clients.len().to_string(),
        state(volume),
    ]
}

fn state(volume: &VolumeView) -> String {
    match &volume.attached {
        None => "detached".to_owned(),
        Some(attached) => match (&attached.stopped, attached.damaged_objects.is_empty()) {
            (Some(stage), _) => format!("stopped at {stage}"),
            (None, false) => "damaged".to_owned(),
            (None, true) => "attached".to_owned(),
        },
    }
}

fn in_detail(volume: &VolumeView) -> String {
    let mut pairs = vec![
        ("volume", volume.volume.clone()),
        ("size", output::size(volume.size_bytes)),
        ("journal", output::size(volume.journal_bytes)),
        (
            "shared",
            if volume.shared { "yes" } else { "no" }.to_owned(),
        ),
        ("state", state(volume)),
        ("clients", volume.clients.join(", ")),
    ];
    let Some(attached) = &volume.attached else {
        return output::pairs(&pairs);
    };
    pairs.extend([
        ("journal used", output::size(attached.journal_used_bytes)),
        ("stored", output::size(attached.stored_bytes)),
        ("live", output::size(attached.live_bytes)),
        ("map in memory", output::size(attached.map_memory_bytes)),
        ("attached", format!("{} times", attached.epoch)),
    ]);
    pairs.extend(
        attached
            .damaged_objects
            .iter()
            .map(|object| ("damaged", object.clone())),
    );
    let rows: Vec<Vec<String>> = attached
        .stages
        .iter()
        .map(|stage| {
            let mean = stage.time_us.checked_div(stage.count).unwrap_or(0);
            vec![
                stage.stage.clone(),
                stage.count.to_string(),
                format!("{mean} us"),
                stage.under_way.to_string(),
            ]
        })
        .collect();
    let header = ["STAGE", "TIMES", "MEAN", "NOW"];
    format!(
        "{}\n{}",
        output::pairs(&pairs),
        output::table(&header, &rows)
    )
}

/// Lines to copy and paste.
fn how_to_connect(view: &AttachView) -> String {
    let mut text = String::new();
    let volume = &view.volume;
    if let Some(tcp) = &view.tcp {
        let (host, port) = tcp.rsplit_once(':').unwrap_or((tcp, "10809"));
        text.push_str(&format!(
            "nbd://{tcp}/{volume}\n\
             \x20 kernel   nbd-client {host} {port} /dev/nbd0 -N {volume} -C 4 -persist\n\
             \x20 qemu     qemu-system-x86_64 -drive \
             driver=nbd,server.type=inet,server.host={host},server.port={port},export={volume},\
             reconnect-delay=60,if=virtio,format=raw\n\
             \x20 image    qemu-img info nbd://{tcp}/{volume}\n\
             \x20 mount    mkdir -p /mnt/{volume} && touch /tmp/{volume}.img && \
             nbdfuse /tmp/{volume}.img nbd://{tcp}/{volume} &\n\
             \x20          mount -o loop /tmp/{volume}.img /mnt/{volume}   # after mkfs.ext4 \
             /tmp/{volume}.img, once\n"
        ));
    }
    if let Some(unix) = &view.unix {
        let word = output::shell_word(unix);
        let uri = format!("nbd+unix:///{volume}?socket={}", in_uri(unix));
        text.push_str(&format!(
            "{uri}\n\
             \x20 kernel   nbd-client -unix {word} /dev/nbd0 -N {volume} -C 4 -persist\n\
             \x20 image    qemu-img info '{uri}'\n\
             \x20 mount    nbdfuse /tmp/{}.img '{uri}' &\n",
            volume.replace('/', "-")
        ));
    }
    if text.is_empty() {
        text.push_str(&format!(
            "{volume} is ready, but no listener serves it: set listen.nbd_unix (--nbd-unix PATH)\n"
        ));
    }
    text
}

/// A path within a URI's query (RFC 3986).
fn in_uri(path: &Path) -> String {
    let text = path.display().to_string();
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
#[path = "volume_test.rs"]
mod tests;
