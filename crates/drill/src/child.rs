//! Child processes that end with the runner, however it ends.
//!
//! Every child is started through the binary's own hidden `drill exec`, which first asks the kernel
//! for its death with its parent, moves to its core and only then becomes what it is to be. So a
//! runner that is killed leaves nothing behind that puts load on anybody.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, getppid, kill_process, set_parent_process_death_signal, setpriority_process,
};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::error::DrillError;
use crate::load::clock;
use crate::namespaces::{self, Space};

/// How long a child may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_EVERY_NS: u64 = 10_000_000;
/// The nice value at which whatever else runs on a machine is a small disturbance.
const AHEAD: i32 = -20;

/// How children are started: by which binary, and where they are to run.
#[derive(Clone, Debug)]
pub(crate) struct Nursery {
    /// The binary that has `drill exec`.
    pub(crate) program: PathBuf,
}

/// How a child stands to others that want its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// As any program.
    Ordinary,
    /// Before all ordinary ones, where that is allowed: for servers, since what else a machine is
    /// busy with is not what a drill is about.
    Ahead,
    /// Whenever it is ready, at this real-time priority.
    RealTime(u8),
}

/// A process that is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) process: process::Child,
    name: &'static str,
}

impl Nursery {
    /// A command that runs `program` on `core`.
    pub(crate) fn command(&self, core: usize, priority: Priority, program: &Path) -> Command {
        self.command_in(None, core, priority, program)
    }

    /// The same within a network of its own, if there is one.
    pub(crate) fn command_in(
        &self,
        space: Option<&Space>,
        core: usize,
        priority: Priority,
        program: &Path,
    ) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["drill", "exec", "--parent"]);
        command.arg(process::id().to_string());
        command.arg("--core").arg(core.to_string());
        if priority == Priority::Ahead {
            command.arg("--ahead");
        }
        if let Some(space) = space {
            command.arg("--network").arg(space.path());
        }
        command.arg("--");
        if let Priority::RealTime(priority) = priority {
            command.args(["chrt", "-f"]).arg(priority.to_string());
        }
        command.arg(program);
        command
    }
}

impl Child {
    /// Starts `command`.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self, DrillError> {
        let process = command
            .spawn()
            .map_err(DrillError::system(format!("cannot start {name}")))?;
        Ok(Self { process, name })
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// An error if it has ended already.
    pub(crate) fn check(&mut self) -> Result<(), DrillError> {
        let ended = self
            .process
            .try_wait()
            .map_err(DrillError::system(format!("cannot look at {}", self.name)))?;
        match ended {
            None => Ok(()),
            Some(status) => Err(self.gone(status)),
        }
    }

    fn gone(&self, status: ExitStatus) -> DrillError {
        DrillError::CannotRun(format!("{} ended early: {status}", self.name))
    }

    /// Asks it to end, and makes it if it does not.
    pub(crate) fn stop(mut self) {
        if let Some(pid) = Pid::from_raw(self.process.id().cast_signed()) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        let until_ns = clock::now_ns().saturating_add(PATIENCE.as_nanos() as u64);
        while clock::now_ns() < until_ns && matches!(self.process.try_wait(), Ok(None)) {
            clock::sleep_until(clock::now_ns().saturating_add(LOOK_EVERY_NS));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where and how `drill exec` runs what it becomes.
#[derive(Clone, Debug)]
pub struct Post {
    /// It dies with this process.
    pub parent: u32,
    /// The number of its only core.
    pub core: usize,
    /// Whether it goes before ordinary processes, where that is allowed.
    pub is_ahead: bool,
    /// The network namespace that it is to be in, if not this one.
    pub network: Option<PathBuf>,
}

/// What `drill exec` does: becomes `command`, at its post. Returns only if it failed.
pub fn exec(post: &Post, command: &[OsString]) -> DrillError {
    let network = post.network.as_deref();
    let posted =
        bind_to(post.parent, post.core).and_then(|()| network.map_or(Ok(()), namespaces::enter));
    if let Err(error) = posted {
        return error;
    }
    if post.is_ahead {
        go_ahead();
    }
    let Some((program, args)) = command.split_first() else {
        return DrillError::CannotRun("nothing to run: give a command after --".into());
    };
    let error = Command::new(program).args(args).exec();
    DrillError::system(format!("cannot run {}", program.display()))(error)
}

fn bind_to(parent: u32, core: usize) -> Result<(), DrillError> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(DrillError::errno("cannot bind a child to the runner"))?;
    // The runner may have gone before that was asked for.
    let is_there = getppid().is_some_and(|pid| pid.as_raw_nonzero().get() == parent.cast_signed());
    if !is_there {
        let gone = io::Error::from(io::ErrorKind::NotFound);
        return Err(DrillError::system("the runner has gone")(gone));
    }
    pin(&[core])
}

/// Has this process, and what it starts, go before ordinary ones where that is allowed.
pub(crate) fn go_ahead() {
    // Not allowed to every user; then the run's own checks tell whether others were in the way.
    let _ = setpriority_process(None, AHEAD);
}

/// Lets the calling thread run on these cores only.
pub(crate) fn pin(cores: &[usize]) -> Result<(), DrillError> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set).map_err(DrillError::errno(format!("cannot run on {cores:?}")))
}

/// Whether the program is there and says so when it is asked for its version.
pub(crate) fn version(program: &str, flag: &str) -> Option<String> {
    let output = Command::new(OsStr::new(program))
        .arg(flag)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().map(|line| line.trim().to_owned())
}
