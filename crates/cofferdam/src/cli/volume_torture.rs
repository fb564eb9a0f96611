//! `cofferdam volume torture`: does an NBD server keep what it acknowledges?

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use base::rng::Rng;
use clap::Args;
use runtime::Clock;
use runtime::volumes::{Found, NbdClient, NbdUri, Torture, TortureConfig, Violation};

use super::global::Global;
use super::output;
use crate::config::{Size, Span};
use crate::failure::Failure;

/// The bytes of a block.
const BLOCK_LEN: u64 = 4096;
/// How long a server may take to be there, and to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(5);
/// How long a server lives at most between two kills.
const LIFE_MAX_US: u64 = 60_000;
/// How many violations are told.
const TOLD_MAX: usize = 10;

/// What to do, and to whom.
#[derive(Args, Debug)]
pub(crate) struct TortureArgs {
    /// `nbd://HOST[:PORT]/EXPORT` or `nbd+unix:///EXPORT?socket=PATH`, or `nbds` for TLS with
    /// `tls-certificates=DIR`; what the beginning of the
    /// export holds is LOST
    uri: NbdUri,
    /// How much of the export to use
    #[arg(long, value_name = "SIZE", default_value = "4MiB")]
    size: Size,
    /// How long to go on, where nothing is killed
    #[arg(long, value_name = "TIME", default_value = "10s")]
    time: Span,
    /// Operations under way at once
    #[arg(long, value_name = "N", default_value_t = 16)]
    depth: usize,
    /// Connections, if the server offers several
    #[arg(long, value_name = "N", default_value_t = 2)]
    connections: usize,
    /// Where all that is random comes from [default: the clock]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// TRIM makes zeroes, as this server's does
    #[arg(long)]
    trim_zeroes: bool,
    /// A server that is killed keeps what it answered, as this one does, and not only what was flushed
    #[arg(long)]
    keeps_answered: bool,
    /// Keep the histories of all blocks there; with a file that is there go on where a run has left it
    /// that has ended or was killed itself
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Kill the server with SIGKILL this often, and start it again each time
    #[arg(long, value_name = "N", default_value_t = 0, requires = "server")]
    kills: u64,
    /// How to start the server, after `--`
    #[arg(last = true, value_name = "COMMAND")]
    server: Vec<String>,
}

/// A server that this process starts, if it starts one.
struct Server<'a> {
    command: &'a [String],
    child: Option<Child>,
}

pub(crate) fn run(global: &Global, args: &TortureArgs) -> Result<(), Failure> {
    let clock = Clock::new();
    let seed = args.seed.unwrap_or_else(|| clock.now().as_nanos());
    let config = TortureConfig {
        seed,
        blocks: (args.size.bytes() / BLOCK_LEN).max(1),
        depth: args.depth.max(1),
        trim_zeroes: args.trim_zeroes,
        keeps_answered: args.keeps_answered,
    };
    let resumed = args.history.as_ref().filter(|path| path.exists());
    let mut torture = match (&args.history, resumed) {
        (Some(_), Some(path)) => Torture::resumed_from(config, path)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?,
        (Some(path), None) => Torture::kept_in(config, path),
        (None, _) => Torture::new(config),
    };
    let mut server = Server {
        command: &args.server,
        child: None,
    };
    let outcome = lives(args, (&mut torture, resumed.is_some()), &mut server, clock);
    server.kill();
    let figures = torture.figures;
    if let Err(found) = outcome {
        return Err(Failure::new(told(&found, seed)));
    }
    if global.json {
        return output::json(&serde_json::json!({
            "seed": seed,
            "writes": figures.writes,
            "reads": figures.reads,
            "flushes": figures.flushes,
            "errors": figures.errors,
            "crashes": figures.crashes,
            "violations": 0,
        }));
    }
    output::text(&format!(
        "no violation: {} writes, {} reads, {} flushes, {} errors, {} crashes, seed {seed}\n",
        figures.writes, figures.reads, figures.flushes, figures.errors, figures.crashes
    ))
}

fn lives(
    args: &TortureArgs,
    (torture, resumed): (&mut Torture, bool),
    server: &mut Server<'_>,
    clock: Clock,
) -> Result<(), Found> {
    let mut rng = Rng::new(args.seed.unwrap_or_else(|| clock.now().as_nanos()));
    server.start()?;
    let mut clients = connect(args, clock)?;
    if let Some(first) = clients.first_mut() {
        match resumed {
            true => torture.settle(first)?,
            false => torture.begin(first)?,
        }
    }
    let mut kills = 0;
    loop {
        let deadline = clock.now() + args.time.0;
        let killer = match kills < args.kills {
            true => Some(server.kill_after(Duration::from_micros(rng.below(LIFE_MAX_US)))),
            false => None,
        };
        let is_killed = killer.is_some();
        let last_life = args.kills > 0 && !is_killed;
        let ended = || !is_killed && (last_life || clock.now() >= deadline);
        let outcome = torture.run(&mut clients, ended);
        if let Some(killer) = killer {
            server.child = killer.wait();
        }
        match outcome {
            Ok(()) => break,
            Err(Found::Broken(error)) if is_killed && is_of_a_crash(&error) => {}
            Err(found) => return Err(found),
        }
        kills += 1;
        torture.crashed()?;
        server.start()?;
        clients = connect(args, clock)?;
        if let Some(first) = clients.first_mut() {
            torture.settle(first)?;
        }
    }
    // What was acknowledged is also there for the last reader.
    torture.crashed()?;
    torture.figures.crashes -= 1;
    match clients.first_mut() {
        Some(first) => torture.settle(first),
        None => Ok(()),
    }
}

fn connect(args: &TortureArgs, clock: Clock) -> io::Result<Vec<NbdClient>> {
    let deadline = clock.now() + PATIENCE;
    let mut clients = Vec::new();
    while clients.len() < args.connections.max(1) {
        match NbdClient::connect(&args.uri, PATIENCE) {
            Ok(client) => clients.push(client),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(error) if clock.now() >= deadline => return Err(error),
            // It is not there yet.
            Err(_) => thread::park_timeout(LOOK),
        }
        if clients.first().is_some_and(|first| !first.is_multi_conn()) {
            break;
        }
    }
    Ok(clients)
}

fn is_of_a_crash(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

/// Somebody who kills a server at a time of his choice.
struct Killer(thread::JoinHandle<Option<Child>>);

impl Killer {
    fn wait(self) -> Option<Child> {
        self.0.join().unwrap_or_default()
    }
}

impl Server<'_> {
    fn start(&mut self) -> io::Result<()> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Ok(());
        };
        self.kill();
        let mut command = Command::new(program);
        command.args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        self.child = Some(command.spawn()?);
        Ok(())
    }

    fn kill_after(&mut self, life: Duration) -> Killer {
        let mut child = self.child.take();
        Killer(thread::spawn(move || {
            let (_keep, never) = mpsc::channel::<()>();
            if never.recv_timeout(life) == Err(RecvTimeoutError::Timeout)
                && let Some(child) = &mut child
            {
                // One that has ended by itself is seen by its client.
                let _ = child.kill();
                let _ = child.wait();
            }
            child
        }))
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn told(found: &Found, seed: u64) -> String {
    match found {
        Found::Broken(error) => format!("the server went away: {error} (seed {seed})"),
        Found::Violations(violations) => {
            let lines: Vec<String> = violations.iter().take(TOLD_MAX).map(line).collect();
            format!(
                "{} blocks are not what they may be (seed {seed})\n{}",
                violations.len(),
                lines.join("\n")
            )
        }
    }
}

fn line(violation: &Violation) -> String {
    let legal: Vec<String> = violation
        .legal
        .iter()
        .map(|one| format!("{one:?}"))
        .collect();
    format!(
        "  block {}: {:?}, which may be {}",
        violation.block,
        violation.read,
        legal.join(" or ")
    )
}
