//! One network namespace, held by a descriptor: with the last one the kernel takes it down.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::DrillError;

/// What a new namespace's first process does: it says that it is there, and waits until it is known.
const STAND_IN: &str = "echo there; read -r word";

/// A network of its own. Copies are of the same one.
#[derive(Clone, Debug)]
pub struct Space {
    file: Arc<File>,
}

impl Space {
    /// A new one, with nothing in it but a loopback that is down.
    pub(super) fn new() -> Result<Self, DrillError> {
        let mut stand_in = Command::new("unshare")
            .args(["--net", "sh", "-c", STAND_IN])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(DrillError::system("cannot run unshare (util-linux)"))?;
        let opened = Self::of_process(&mut stand_in);
        // It waits for its input's end.
        drop(stand_in.stdin.take());
        let output = stand_in.wait_with_output();
        let output = output.map_err(DrillError::system("cannot wait for unshare"))?;
        opened.map_err(|_| {
            DrillError::CannotRun(format!(
                "no network namespace can be made: {}",
                words(&output.stderr)
            ))
        })
    }

    fn of_process(stand_in: &mut Child) -> io::Result<Self> {
        let output = stand_in.stdout.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let file = File::open(format!("/proc/{}/ns/net", stand_in.id()))?;
        Ok(Self {
            file: Arc::new(file),
        })
    }

    /// How other programs name it, as long as this process holds it.
    pub fn path(&self) -> PathBuf {
        let (pid, descriptor) = (std::process::id(), self.file.as_raw_fd());
        PathBuf::from(format!("/proc/{pid}/fd/{descriptor}"))
    }

    /// Does `work` within it, on a thread of its own. Sockets that are made there stay within it, and so
    /// do threads that are started there.
    pub fn within<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, DrillError> + Send,
    ) -> Result<T, DrillError> {
        let inside = || {
            move_to(&self.file)?;
            work()
        };
        thread::scope(|scope| {
            let thread = scope.spawn(inside);
            thread.join().unwrap_or_else(|it| panic::resume_unwind(it))
        })
    }

    /// Has loopback be 127.0.0.1 alone, and all other addresses of 127.0.0.0/8 be as any.
    pub(super) fn prepare(&self) -> Result<(), DrillError> {
        self.within(|| {
            let setting = "/proc/sys/net/ipv4/conf/all/route_localnet";
            fs::write(setting, "1").map_err(DrillError::system(format!("cannot set {setting}")))
        })?;
        self.ip("link set lo up\nroute delete table local local 127.0.0.0/8 dev lo\n")
    }

    /// Has `ip` carry out lines within it.
    pub(super) fn ip(&self, lines: &str) -> Result<(), DrillError> {
        self.batch("ip", lines)
    }

    /// Has `tc` carry out lines within it.
    pub(super) fn tc(&self, lines: &str) -> Result<(), DrillError> {
        self.batch("tc", lines)
    }

    fn batch(&self, program: &str, lines: &str) -> Result<(), DrillError> {
        self.within(|| {
            let failed = || DrillError::system(format!("cannot run {program} (iproute2)"));
            let mut child = Command::new(program)
                .args(["-batch", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .map_err(failed())?;
            if let Some(mut input) = child.stdin.take() {
                input.write_all(lines.as_bytes()).map_err(failed())?;
            }
            let output = child.wait_with_output().map_err(failed())?;
            match output.status.success() {
                true => Ok(()),
                false => Err(DrillError::CannotRun(format!(
                    "{program}: {} (of: {})",
                    words(&output.stderr),
                    words(lines.as_bytes())
                ))),
            }
        })
    }
}

/// Moves the calling thread, and so what it becomes or starts, into the network at `path`.
pub(crate) fn enter(path: &Path) -> Result<(), DrillError> {
    let file = File::open(path);
    let file = file.map_err(DrillError::system(format!("no network {}", path.display())))?;
    move_to(&file)
}

fn move_to(file: &File) -> Result<(), DrillError> {
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(DrillError::errno("cannot enter a network namespace"))
}

/// In one line.
fn words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(", ")
}
