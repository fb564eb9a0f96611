//! A fleet of the drill's own: an etcd, nodes, gateways, and the ways to the nodes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::admin::Admin;
use super::network::{Place, Site, Stack, Way};
use super::scenario::{GATEWAYS, Judge, NODES};
use crate::child::{self, Child, Nursery};
use crate::error::DrillError;
use crate::home::Home;
use crate::load::clock;
use crate::machine;
use crate::proxy::Faults;

/// How long a process, and the whole, may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY_NS: u64 = 50_000_000;
const PROCESS: &str = "a process of the fleet";

/// A running fleet; it ends with this.
pub(crate) struct Fleet {
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) nodes: Vec<Node>,
    /// Before the processes, since they stand on it; it goes with the last of them.
    pub(crate) site: Site,
    /// One that may still come, where it is to.
    spare: Option<Spare>,
    _etcd: Child,
}

/// A node that is not started yet, and the way to it.
struct Spare {
    name: String,
    way: Way,
    command: Mutex<Option<Command>>,
}

/// One gateway.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) admin: Admin,
    child: Child,
}

/// One node, and the way to it.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) way: Way,
    child: Child,
}

/// Where fleets are put up.
pub(crate) struct Ground<'a> {
    pub(crate) nursery: &'a Nursery,
    pub(crate) home: &'a Home,
    pub(crate) cores: Vec<usize>,
    /// How many fleets there were.
    pub(crate) fleets: usize,
    pub(crate) seed: u64,
    /// Whether cables can be made narrow.
    pub(crate) can_narrow: bool,
}

impl Ground<'_> {
    /// Puts up a fleet of so many nodes and waits until all of it serves; one more may come.
    pub(crate) fn fleet(
        &mut self,
        judge: Judge,
        count: usize,
        stack: Stack,
    ) -> Result<Fleet, DrillError> {
        self.fleets += 1;
        let dir = self.home.room(&format!("fleet{}", self.fleets))?;
        let mut site = Site::new(stack, self.can_narrow, self.seed)?;
        let middle = site.middle();
        let port = middle.within(machine::free_port)?;
        let etcd = self.etcd(&dir, &middle, port)?;
        let store = format!(
            "[store]\nendpoints = [\"http://{}:{port}\"]\n",
            middle.address
        );
        let mut nodes = Vec::new();
        for number in 1..=count {
            let (node, mut command, log) = self.node(&dir, &mut site, number, &store, "")?;
            nodes.push((node, Child::start(PROCESS, &mut command)?, log));
        }
        // Without a gate there is nothing that would keep it from its whole share at once.
        let founding = match judge {
            Judge::On => "0s",
            Judge::Naive | Judge::Off => "1h",
        };
        let gate = format!("[gate]\nfounding = \"{founding}\"\n");
        let spare = match count < NODES {
            true => Some(self.node(&dir, &mut site, count + 1, &store, &gate)?),
            false => None,
        };
        let mut gateways = Vec::new();
        for number in 1..=GATEWAYS {
            gateways.push(self.gateway(&dir, &mut site, number, &store, judge)?);
        }
        let mut fleet = Fleet {
            gateways: Vec::new(),
            nodes: Vec::new(),
            site,
            spare: spare.map(|((name, way), command, _)| Spare {
                name,
                way,
                command: Mutex::new(Some(command)),
            }),
            _etcd: etcd,
        };
        for (node, mut child, log) in nodes {
            ready(&mut child, &log)?;
            let (name, way) = node;
            fleet.nodes.push(Node { name, way, child });
        }
        for (mut child, log, socket) in gateways {
            let line = ready(&mut child, &log)?;
            let address = line
                .split(' ')
                .find_map(|word| word.strip_prefix("memcache="));
            let address = address.and_then(|it| it.parse().ok());
            let unsaid = || DrillError::CannotRun(format!("no address in {line:?}"));
            fleet.gateways.push(Gateway {
                address: address.ok_or_else(unsaid)?,
                admin: Admin { socket },
                child,
            });
        }
        fleet.await_whole(count)?;
        Ok(fleet)
    }

    fn command(&self, place: &Place, at: usize, program: &Path) -> Command {
        let core = self.cores.get(at % self.cores.len().max(1)).copied();
        let mut command = place.command(self.nursery, core.unwrap_or(0), program);
        command.env("COFFERDAM_DRILL", "1").stdin(Stdio::null());
        command
    }

    fn etcd(&self, dir: &Path, place: &Place, port: u16) -> Result<Child, DrillError> {
        let address = place.address;
        let (client, peer) = (
            format!("http://{address}:{port}"),
            format!("http://{address}:{}", place.within(machine::free_port)?),
        );
        let log = File::create(dir.join("etcd.log"));
        let log = log.map_err(DrillError::system("cannot prepare the fleet's folder"))?;
        let mut command = self.command(place, 0, Path::new("etcd"));
        command
            .args(["--name", "drill", "--logger", "zap", "--log-level", "error"])
            .arg("--data-dir")
            .arg(dir.join("etcd"))
            .args([
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
            ])
            .args([
                "--listen-peer-urls",
                &peer,
                "--initial-advertise-peer-urls",
                &peer,
            ])
            .args(["--initial-cluster", &format!("drill={peer}")])
            .stdout(Stdio::null())
            .stderr(log);
        let mut child = Child::start("etcd", &mut command)?;
        let until_ns = clock::now_ns() + PATIENCE.as_nanos() as u64;
        let connect = || {
            let connected = TcpStream::connect((address, port));
            connected
                .map(drop)
                .map_err(DrillError::system("etcd does not answer"))
        };
        while place.within(connect).is_err() {
            child.check()?;
            if clock::now_ns() > until_ns {
                return Err(DrillError::CannotRun("etcd does not answer".into()));
            }
            clock::sleep_until(clock::now_ns() + LOOK_EVERY_NS);
        }
        Ok(child)
    }

    fn node(
        &self,
        dir: &Path,
        site: &mut Site,
        number: usize,
        store: &str,
        more: &str,
    ) -> Result<((String, Way), Command, PathBuf), DrillError> {
        let name = format!("mc{number}");
        let way = site.way(number)?;
        let config = format!(
            "memory = \"64MiB\"\nthreads = 1\n[listen]\nadmin = \"off\"\n[fleet]\nname = \"{name}\"\n\
             listen = \"{}\"\nadvertise = \"{}\"\nplaintext = true\n{store}{more}",
            way.listen, way.advertise
        );
        let (command, log, _) = self.process(dir, &way.place, "node", &name, number, &config)?;
        Ok(((name, way), command, log))
    }

    fn gateway(
        &self,
        dir: &Path,
        site: &mut Site,
        number: usize,
        store: &str,
        judge: Judge,
    ) -> Result<(Child, PathBuf, PathBuf), DrillError> {
        let (mode, deadlines) = match judge {
            Judge::On => ("on", ""),
            Judge::Naive => ("naive", ""),
            Judge::Off => ("off", "deadline_min = \"10s\"\ndeadline_max = \"10s\"\n"),
        };
        let name = format!("gateway{number}");
        let place = site.place()?;
        let address = place.address;
        let config = format!(
            "threads = 1\n[listen]\nmemcache = \"{address}:0\"\nmemcache_auth = \"127.0.0.1:0\"\n\
             admin = \"off\"\nnbd = \"off\"\nstatus = \"off\"\ntenant_console = \"off\"\n\
             [fleet]\nname = \"{name}\"\nplaintext = true\n{deadlines}\
             [judge]\nmode = \"{mode}\"\n{store}"
        );
        let (mut command, log, socket) =
            self.process(dir, &place, "gateway", &name, number, &config)?;
        Ok((Child::start(PROCESS, &mut command)?, log, socket))
    }

    /// What starts a process, its log, and its admin socket.
    fn process(
        &self,
        dir: &Path,
        place: &Place,
        role: &str,
        name: &str,
        at: usize,
        config: &str,
    ) -> Result<(Command, PathBuf, PathBuf), DrillError> {
        let failed = || DrillError::system("cannot prepare the fleet's folder");
        let (file, log) = (
            dir.join(format!("{name}.toml")),
            dir.join(format!("{name}.log")),
        );
        let data = dir.join(name);
        fs::write(&file, config).map_err(failed())?;
        let mut command = self.command(place, at, &self.nursery.program);
        command
            .arg(role)
            .arg("--config")
            .arg(&file)
            .arg("--data-dir")
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(failed())?);
        Ok((command, log, data.join("admin.sock")))
    }
}

impl Fleet {
    /// Has the node come that is not there yet, over such a way; it goes with what is returned.
    pub(crate) fn admit_spare(&self, faults: &Faults) -> Result<Child, DrillError> {
        let nobody = || DrillError::CannotRun("no node is left that could come".into());
        let spare = self.spare.as_ref().ok_or_else(nobody)?;
        spare.way.set(faults)?;
        let command = spare.command.lock();
        let command = command.unwrap_or_else(PoisonError::into_inner).take();
        let mut command = command.ok_or_else(nobody)?;
        // Nobody waits for its ready line: whether it serves is seen from outside.
        Child::start(PROCESS, command.stdout(Stdio::null()))
    }

    /// The name of a node, there or not.
    pub(crate) fn name(&self, node: usize) -> Option<String> {
        let there = self.nodes.get(node).map(|node| node.name.clone());
        there.or_else(|| self.spare.as_ref().map(|spare| spare.name.clone()))
    }

    fn await_whole(&mut self, count: usize) -> Result<(), DrillError> {
        let until_ns = clock::now_ns() + PATIENCE.as_nanos() as u64;
        while !self.gateways.iter().all(|it| it.admin.is_whole(count)) {
            for node in &mut self.nodes {
                node.child.check()?;
            }
            for gateway in &mut self.gateways {
                gateway.child.check()?;
            }
            if clock::now_ns() > until_ns {
                let text = "the fleet did not become whole: is the machine very busy?";
                return Err(DrillError::CannotRun(text.into()));
            }
            clock::sleep_until(clock::now_ns() + LOOK_EVERY_NS);
        }
        Ok(())
    }

    /// Numbers of all its processes of one kind.
    pub(crate) fn node_pid(&self, node: usize) -> Option<u32> {
        self.nodes.get(node).map(|node| node.child.pid())
    }

    /// The number of a gateway's process.
    pub(crate) fn gateway_pid(&self, gateway: usize) -> Option<u32> {
        self.gateways.get(gateway).map(|it| it.child.pid())
    }
}

/// Sends a signal to a process of the fleet; one that has gone gets none.
pub(crate) fn signal(pid: Option<u32>, signal: Signal) {
    if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether the store's program is there.
pub(crate) fn check_etcd() -> Result<(), DrillError> {
    let missing = || DrillError::CannotRun("no etcd: apt-get install etcd-server".into());
    child::version("etcd", "--version")
        .map(drop)
        .ok_or_else(missing)
}

/// Waits for a process's ready line.
fn ready(child: &mut Child, log: &Path) -> Result<String, DrillError> {
    let (lines, line) = channel();
    if let Some(output) = child.process.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // After the ready line nobody listens, but the pipe is kept empty.
                let _ = lines.send(line);
            }
        });
    }
    line.recv_timeout(PATIENCE).map_err(|_| {
        let log = fs::read_to_string(log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(3).collect();
        DrillError::CannotRun(format!("a process did not start: {}", last.join(" / ")))
    })
}
