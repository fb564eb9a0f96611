//! What is drilled: a Cofferdam of the drill's own, a peer, or a server that is there already.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rustix::process::geteuid;
use serde_json::Value;

use crate::child::{Child, Nursery, Priority};
use crate::error::DrillError;
use crate::home::Home;
use crate::load::{Login, clock};
use crate::{child, machine};

const MEMORY: &str = "1GiB";
const TENANT_MEMORY: &str = "64MiB";
const AGGRESSOR_MEMORY: &str = "256MiB";
const VICTIMS: [&str; 3] = ["victim-1", "victim-2", "victim-3"];
pub(crate) const AGGRESSOR: &str = "large";
/// Connections beside the storm's: the victims', the large tenant's, fresh ones.
pub(crate) const OTHER_CONNECTIONS: u32 = 1_000;
/// How long a server may take to be there.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY_NS: u64 = 20_000_000;
const PEER_MEMORY_MIB: &str = "1024";
const PROXY_MEMORY_MAX: u64 = 6 << 30;

/// What is drilled.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Its name and version.
    pub(crate) name: String,
    pub(crate) target: SocketAddr,
    /// None where there are no tenants: then all share one.
    pub(crate) victims: Vec<Login>,
    pub(crate) aggressor: Option<Login>,
    /// Its processes, if the drill started them.
    pub(crate) children: Vec<Child>,
    /// It stands beside the server under test, and may fail as it fails its users.
    pub(crate) is_peer: bool,
    /// How to ask it for its own figures.
    operator: Option<Operator>,
}

/// A Cofferdam's command line, as its operator uses it.
#[derive(Clone, Debug)]
struct Operator {
    program: PathBuf,
    dir: PathBuf,
}

impl Subject {
    /// A Cofferdam with one event loop on `core`.
    pub(crate) fn cofferdam(
        nursery: &Nursery,
        home: &Home,
        core: usize,
        connections: u32,
        protections: bool,
    ) -> Result<Self, DrillError> {
        let dir = home.room("server")?;
        let config = dir.join("cofferdam.toml");
        let failed = || DrillError::system("cannot prepare the server's folder");
        // Empty: what this machine's own server is configured to is none of the drill's business.
        fs::write(&config, "").map_err(failed())?;
        let log = dir.join("log");
        let mut command = nursery.command(core, Priority::Ahead, &nursery.program);
        command
            .args([
                "up",
                "--threads",
                "1",
                "--memory",
                MEMORY,
                "--memcache",
                "off",
            ])
            .args(["--memcache-auth", "127.0.0.1:0", "--admin", "off"])
            .args(["--nbd", "off", "--status", "off", "--tenant-console", "off"])
            .arg("--max-connections")
            .arg(connections.saturating_add(OTHER_CONNECTIONS).to_string())
            .arg("--config")
            .arg(&config)
            .arg("--data-dir")
            .arg(&dir)
            .env("COFFERDAM_DRILL", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(failed())?);
        if !protections {
            command.args(["--protections", "off"]);
        }
        let mut child = Child::start("the server", &mut command)?;
        let target = ready(&mut child, &log)?;
        let operator = Operator {
            program: nursery.program.clone(),
            dir,
        };
        let victims: Result<Vec<Login>, DrillError> = VICTIMS
            .iter()
            .map(|name| operator.add_tenant(name, TENANT_MEMORY))
            .collect();
        Ok(Self {
            name: child::version(&nursery.program.to_string_lossy(), "--version")
                .unwrap_or_else(|| "cofferdam".into()),
            target,
            victims: victims?,
            aggressor: Some(operator.add_tenant(AGGRESSOR, AGGRESSOR_MEMORY)?),
            children: vec![child],
            is_peer: false,
            operator: Some(operator),
        })
    }

    /// A server that is there already, without tenants.
    pub(crate) fn existing(target: SocketAddr) -> Self {
        Self {
            name: target.to_string(),
            target,
            victims: Vec::new(),
            aggressor: None,
            children: Vec::new(),
            is_peer: false,
            operator: None,
        }
    }

    /// Debian's memcached with one worker on `core`, if it is installed.
    pub(crate) fn memcached(
        nursery: &Nursery,
        core: usize,
        connections: u32,
    ) -> Result<Option<Self>, DrillError> {
        let Some(version) = child::version("memcached", "-V") else {
            return Ok(None);
        };
        let port = machine::free_port()?;
        let mut command = nursery.command(core, Priority::Ahead, Path::new("memcached"));
        command
            .args([
                "-l",
                "127.0.0.1",
                "-U",
                "0",
                "-t",
                "1",
                "-m",
                PEER_MEMORY_MIB,
            ])
            .args(["-p", &port.to_string(), "-c"])
            .arg(connections.saturating_add(OTHER_CONNECTIONS).to_string());
        if geteuid().is_root() {
            command.args(["-u", "root"]);
        }
        let child = Child::start("memcached", quiet(&mut command))?;
        Self::peer(version, port, vec![child]).map(Some)
    }

    /// Debian's nutcracker in front of a memcached, both on `core`, if both are installed.
    pub(crate) fn nutcracker(
        nursery: &Nursery,
        home: &Home,
        core: usize,
        connections: u32,
    ) -> Result<Option<Self>, DrillError> {
        let Some(version) = child::version("nutcracker", "-V") else {
            return Ok(None);
        };
        let Some(behind) = Self::memcached(nursery, core, connections)? else {
            return Ok(None);
        };
        let (port, stats_port) = (machine::free_port()?, machine::free_port()?);
        let dir = home.room("nutcracker")?;
        let config = dir.join("nutcracker.yml");
        let text = format!(
            "drill:\n  listen: 127.0.0.1:{port}\n  hash: fnv1a_64\n  distribution: ketama\n  \
             auto_eject_hosts: false\n  redis: false\n  servers:\n   - {}:1\n",
            behind.target
        );
        fs::write(&config, text).map_err(DrillError::system("cannot configure nutcracker"))?;
        // It queues without bound: a gigabyte a second under the spike, until the machine has none.
        let mut command = nursery.command(core, Priority::Ahead, Path::new("prlimit"));
        command
            .arg(format!("--as={PROXY_MEMORY_MAX}"))
            .arg("nutcracker")
            .arg("-c")
            .arg(&config)
            .args(["-s", &stats_port.to_string()]);
        command.arg("-o").arg(dir.join("log"));
        let child = Child::start("nutcracker", quiet(&mut command))?;
        let version = version.trim_start_matches("This is ");
        let name = format!("{version} in front of {}", behind.name);
        let mut children = behind.children;
        children.push(child);
        Self::peer(name, port, children).map(Some)
    }

    fn peer(name: String, port: u16, mut children: Vec<Child>) -> Result<Self, DrillError> {
        let target = SocketAddr::from(([127, 0, 0, 1], port));
        let until_ns = clock::now_ns().saturating_add(PATIENCE.as_nanos() as u64);
        while TcpStream::connect(target).is_err() {
            for child in &mut children {
                child.check()?;
            }
            if clock::now_ns() > until_ns {
                return Err(DrillError::CannotRun(format!(
                    "{name} does not answer at {target}"
                )));
            }
            clock::sleep_until(clock::now_ns().saturating_add(LOOK_EVERY_NS));
        }
        Ok(Self {
            name,
            target,
            victims: Vec::new(),
            aggressor: None,
            children,
            is_peer: true,
            operator: None,
        })
    }

    /// The numbers of its processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.children.iter().map(Child::pid).collect()
    }

    /// An error if one of its processes has ended.
    pub(crate) fn check(&mut self) -> Result<(), DrillError> {
        self.children.iter_mut().try_for_each(Child::check)
    }

    /// What it says of itself; nothing where it cannot be asked.
    pub(crate) fn stat(&self) -> Value {
        let asked = self.operator.as_ref().map(|it| it.ask(&["stat"]));
        asked.and_then(Result::ok).unwrap_or_default()
    }

    /// Ends its processes, the last started first.
    pub(crate) fn stop(mut self) {
        while let Some(child) = self.children.pop() {
            child.stop();
        }
    }
}

impl Operator {
    fn add_tenant(&self, name: &str, memory: &str) -> Result<Login, DrillError> {
        let grant = self.ask(&["tenant", "add", name, "--memory", memory])?;
        let text = |field: &str| grant[field].as_str().unwrap_or_default().to_owned();
        Ok(Login {
            username: text("username"),
            password: text("password"),
        })
    }

    /// Runs one command of the binary and reads its JSON.
    fn ask(&self, args: &[&str]) -> Result<Value, DrillError> {
        let what = || format!("cofferdam {}", args.join(" "));
        let output = Command::new(&self.program)
            .args(args)
            .args(["--json", "--config"])
            .arg(self.dir.join("cofferdam.toml"))
            .arg("--data-dir")
            .arg(&self.dir)
            .stdin(Stdio::null())
            .output()
            .map_err(DrillError::system(what()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(DrillError::CannotRun(format!(
                "{}: {}",
                what(),
                said.trim()
            )));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| DrillError::CannotRun(format!("{}: {error}", what())))
    }
}

/// Waits for the server's ready line, and takes the authenticating listener's address from it.
fn ready(child: &mut Child, log: &Path) -> Result<SocketAddr, DrillError> {
    let (lines, line) = channel();
    if let Some(output) = child.process.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // After the ready line nobody listens, but the pipe is kept empty.
                let _ = lines.send(line);
            }
        });
    }
    let said = line.recv_timeout(PATIENCE).unwrap_or_default();
    let address = said
        .split(' ')
        .find_map(|word| word.strip_prefix("memcache_auth="))
        .and_then(|word| word.parse().ok());
    address.ok_or_else(|| {
        let log = fs::read_to_string(log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(3).collect();
        DrillError::CannotRun(format!("the server did not start: {}", last.join(" / ")))
    })
}

fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}
