//! `cofferdam volume export` and `import`: a volume's bytes in a file, raw or by qemu-img.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use clap::Args;
use runtime::http::Method;
use runtime::volumes::{self, NbdClient, NbdUri, Transferred};
use serde::Deserialize;

use super::access::Access;
use super::global::Global;
use super::output;
use super::volume::{Source, path};
use super::volume_show::in_uri;
use crate::config::Size;
use crate::failure::Failure;
use crate::wire::{AttachView, CloneRequest, VolumeRequest, VolumeView};

const NO_BODY: Option<&()> = None;
/// A volume's size is whole blocks of this many bytes, and at least so much.
const BLOCK_LEN: u64 = 4096;
const SIZE_MIN: u64 = 1 << 20;
/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often what a client has just left is tried again.
const TRIES: u32 = 100;
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// A volume to make of a file.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// The new volume: `NAME`, or `TENANT/NAME`
    name: String,
    /// Raw, or by qemu-img where it ends in `.qcow2`
    file: PathBuf,
    /// How much it holds [default: as much as the file]
    #[arg(long, value_name = "SIZE")]
    size: Option<Size>,
    /// Its journal [default: a 16th of the size, 32MiB to 1GiB]
    #[arg(long, value_name = "SIZE")]
    journal: Option<Size>,
    /// Let several clients use it at once
    #[arg(long)]
    shared: bool,
}

/// Writes a volume, or a snapshot by way of a clone that goes again, into a file.
pub(super) fn export(
    global: &Global,
    access: &Access,
    (name, file, force): (&str, &Path, bool),
) -> Result<(), Failure> {
    if file.exists() && !(force && file.is_file()) {
        let why = format!(
            "{} is there already: --force writes over a file",
            file.display()
        );
        return Err(Failure::new(why));
    }
    let source = name.parse::<Source>().ok();
    let clone = source.map(|source| TemporaryClone::of(access, &source));
    let clone = clone.transpose()?;
    let volume = clone.as_ref().map_or(name, |clone| &clone.name);
    let place = Place::of(access, volume)?;
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = match is_qcow2(file) {
        true => export_qcow2(&place, &partial),
        false => export_raw(&place, &partial),
    };
    let kept = written.and_then(|done| {
        fs::rename(&partial, file)?;
        Ok(done)
    });
    let done = kept.inspect_err(|_| {
        // Half an image is of no use to anybody.
        let _ = fs::remove_file(&partial);
    })?;
    drop(clone);
    tell(global, &format!("wrote {name} to {}", file.display()), done)
}

/// Makes a volume of what a file holds; where that fails there is none.
pub(super) fn import(global: &Global, access: &Access, args: &ImportArgs) -> Result<(), Failure> {
    let file = &args.file;
    let held = match is_qcow2(file) {
        true => qcow2_size(file)?,
        false => raw_size(file)?,
    };
    let least = held.next_multiple_of(BLOCK_LEN).max(SIZE_MIN);
    let size_bytes = args.size.map_or(least, Size::bytes);
    if size_bytes < held {
        return Err(Failure::new(format!(
            "{} holds {}: give at least that as --size, or none",
            file.display(),
            output::size(held)
        )));
    }
    let request = VolumeRequest {
        name: args.name.clone(),
        size_bytes,
        journal_bytes: args.journal.map(Size::bytes),
        shared: args.shared,
    };
    let made: VolumeView = access.ask(Method::POST, "/v1/volumes", Some(&request))?;
    let filled = Place::of(access, &made.volume).and_then(|place| match is_qcow2(file) {
        true => import_qcow2(&place, file),
        false => import_raw(&place, file),
    });
    let done = filled.inspect_err(|_| remove(access, &made.volume))?;
    tell(
        global,
        &format!("made {} of {}", made.volume, file.display()),
        done,
    )
}

fn tell(global: &Global, what: &str, done: Option<Transferred>) -> Result<(), Failure> {
    if global.json {
        return output::json(&serde_json::json!({
            "done": what,
            "size_bytes": done.map(|done| done.size_bytes),
            "data_bytes": done.map(|done| done.data_bytes),
        }));
    }
    let how_much = done.map_or(String::new(), |done| {
        let (size, data) = (output::size(done.size_bytes), output::size(done.data_bytes));
        format!(": {size}, of which {data} are not zero")
    });
    output::text(&format!("{what}{how_much}\n"))
}

fn export_raw(place: &Place, file: &Path) -> Result<Option<Transferred>, Failure> {
    let mut client = place.connect()?;
    let file = in_file(file, File::create(file))?;
    let done = volumes::export(&mut client, &file)?;
    client.disconnect()?;
    Ok(Some(done))
}

fn import_raw(place: &Place, file: &Path) -> Result<Option<Transferred>, Failure> {
    let mut client = place.connect()?;
    let file = in_file(file, File::open(file))?;
    let done = volumes::import(&mut client, &file)?;
    client.disconnect()?;
    Ok(Some(done))
}

fn raw_size(path: &Path) -> Result<u64, Failure> {
    let file = in_file(path, OpenOptions::new().read(true).open(path))?;
    let metadata = in_file(path, file.metadata())?;
    match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(Failure::new(format!("{} is no file", path.display()))),
    }
}

fn export_qcow2(place: &Place, file: &Path) -> Result<Option<Transferred>, Failure> {
    let arguments = ["convert", "-f", "raw", "-O", "qcow2", &place.uri];
    qemu_img(&arguments, file).map(|_| None)
}

fn import_qcow2(place: &Place, file: &Path) -> Result<Option<Transferred>, Failure> {
    let to = ["-n", "--target-is-zero", "-f", "qcow2", "-O", "raw"];
    let mut command = Command::new("qemu-img");
    command.arg("convert").args(to).arg(file).arg(&place.uri);
    run(command).map(|_| None)
}

fn qcow2_size(file: &Path) -> Result<u64, Failure> {
    #[derive(Deserialize)]
    struct Info {
        #[serde(rename = "virtual-size")]
        virtual_size: u64,
    }
    in_file(file, File::open(file))?;
    let told = qemu_img(&["info", "-f", "qcow2", "--output=json"], file)?;
    let info: Info = serde_json::from_slice(&told)?;
    Ok(info.virtual_size)
}

fn qemu_img(arguments: &[&str], file: &Path) -> Result<Vec<u8>, Failure> {
    let mut command = Command::new("qemu-img");
    command.args(arguments).arg(file);
    run(command)
}

fn run(mut command: Command) -> Result<Vec<u8>, Failure> {
    let done = command.output().map_err(|error| {
        Failure::new(match error.kind() {
            ErrorKind::NotFound => {
                "qcow2 needs qemu-img: install qemu-utils, or use a raw file".to_owned()
            }
            _ => format!("qemu-img: {error}"),
        })
    })?;
    match done.status.success() {
        true => Ok(done.stdout),
        false => Err(Failure::new(
            String::from_utf8_lossy(&done.stderr).trim().to_owned(),
        )),
    }
}

fn in_file<T>(path: &Path, result: std::io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

fn is_qcow2(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "qcow2")
}

/// Where a volume can be had from here.
struct Place {
    uri: String,
}

impl Place {
    fn of(access: &Access, volume: &str) -> Result<Self, Failure> {
        let view: AttachView = access.ask(Method::POST, &path(volume, "/attach"), NO_BODY)?;
        // A daemon elsewhere has its socket elsewhere.
        let here = view.unix.filter(|socket| socket.exists());
        let uri = match (here, view.tcp) {
            (Some(socket), _) => {
                format!("nbd+unix:///{}?socket={}", view.volume, in_uri(&socket))
            }
            (None, Some(tcp)) if !view.tls => format!("nbd://{tcp}/{}", view.volume),
            (None, _) => {
                return Err(Failure::new(format!(
                    "{volume} cannot be reached from here: run this where the daemon does"
                )));
            }
        };
        Ok(Self { uri })
    }

    fn connect(&self) -> Result<NbdClient, Failure> {
        let uri: NbdUri = self.uri.parse().map_err(Failure::new)?;
        NbdClient::connect(&uri, PATIENCE)
            .map_err(|error| Failure::new(format!("{}: {error}", self.uri)))
    }
}

/// A clone of a snapshot, for as long as it is read.
struct TemporaryClone<'a> {
    access: &'a Access,
    name: String,
}

impl<'a> TemporaryClone<'a> {
    fn of(access: &'a Access, source: &Source) -> Result<Self, Failure> {
        let tenant = source.volume.rsplit_once('/');
        let prefix = tenant.map_or(String::new(), |(tenant, _)| format!("{tenant}/"));
        let name = format!("{prefix}export-{}", std::process::id());
        let request = CloneRequest {
            snapshot: source.snapshot.clone(),
            name: name.clone(),
        };
        let at = path(&source.volume, "/clone");
        let made: VolumeView = access.ask(Method::POST, &at, Some(&request))?;
        Ok(Self {
            access,
            name: made.volume,
        })
    }
}

impl Drop for TemporaryClone<'_> {
    fn drop(&mut self) {
        remove(self.access, &self.name);
    }
}

/// Removes a volume whose last client has gone a moment ago.
fn remove(access: &Access, volume: &str) {
    for _ in 0..TRIES {
        if access.tell(Method::DELETE, &path(volume, "")).is_ok() {
            return;
        }
        thread::park_timeout(TRY_AGAIN);
    }
    eprintln!("volume {volume} is left over: `cofferdam volume rm {volume}` removes it");
}

#[cfg(test)]
#[path = "volume_transfer_test.rs"]
mod tests;
