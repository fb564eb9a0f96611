//! The binary as a user runs it: one daemon on free ports, and the commands beside it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Far longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Together more than the kernel buffers for one connection.
const VALUE_LEN: usize = 1_000_000;
const GETS: usize = 40;

fn cofferdam() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cofferdam"));
    // The user's own configuration is none of a test's business.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command
}

/// Runs one command on the data folder `dir`.
fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = cofferdam();
    command.args(args).arg("--data-dir").arg(dir);
    command.output().unwrap()
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let mut args = args.to_vec();
    args.push("--json");
    let output = run(dir, &args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

struct Daemon {
    child: Child,
    memcache: String,
    memcache_auth: String,
    admin: String,
}

impl Daemon {
    fn start(dir: &Path, more: &[&str]) -> Self {
        let mut command = cofferdam();
        command
            .args(["up", "--memory", "64MiB", "--threads", "1"])
            .args([
                "--memcache",
                "127.0.0.1:0",
                "--memcache-auth",
                "127.0.0.1:0",
            ])
            .args(["--admin", "127.0.0.1:0", "--nbd", "127.0.0.1:0"])
            .args(["--status", "off", "--tenant-console", "off"])
            .arg("--data-dir")
            .arg(dir)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.trim_end().split(' ').collect();
        let [ready, memcache, memcache_auth, admin, ..] = words[..] else {
            panic!("not a ready line: {line:?}")
        };
        assert_eq!(ready, "ready");
        let value = |word: &str, name: &str| {
            let value = word
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('='));
            value.unwrap().to_owned()
        };
        Self {
            memcache: value(memcache, "memcache"),
            memcache_auth: value(memcache_auth, "memcache_auth"),
            admin: value(admin, "admin"),
            child,
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already where the test got that far.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn login(address: &str, grant: &Value) -> Self {
        let mut client = Self::connect(address);
        let (user, password) = (&grant["username"], &grant["password"]);
        let body = format!("{} {}", user.as_str().unwrap(), password.as_str().unwrap());
        assert_eq!(
            client.ask(&format!("set auth 0 0 {}\r\n{body}", body.len())),
            "STORED"
        );
        client
    }

    fn ask(&mut self, request: &str) -> String {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        self.0.get_mut().write_all(b"\r\n").unwrap();
        self.line()
    }

    /// Asks for more than sockets hold, and reads nothing of it yet.
    fn ask_for_much(&mut self) {
        let value = "v".repeat(VALUE_LEN);
        assert_eq!(
            self.ask(&format!("set v 0 0 {VALUE_LEN}\r\n{value}")),
            "STORED"
        );
        let gets = "get v\r\n".repeat(GETS);
        self.0.get_mut().write_all(gets.as_bytes()).unwrap();
        assert_eq!(self.line(), format!("VALUE v 0 {VALUE_LEN}"));
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What comes until the server has closed the connection.
    fn closed(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }
}

#[test]
fn a_tenant_connects_rotates_and_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let grant = json(dir.path(), &["tenant", "add", "acme", "--memory", "16MiB"]);
    assert_eq!(grant["servers"][0], *daemon.memcache_auth);
    let keys: Vec<&String> = grant.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 4, "{keys:?}");

    let mut old = Client::login(&daemon.memcache_auth, &grant);
    assert_eq!(old.ask("set a 0 0 3\r\nabc"), "STORED");
    let new = json(dir.path(), &["tenant", "rotate", "acme"]);
    let mut client = Client::login(&daemon.memcache_auth, &new);
    assert_eq!(old.ask("get a"), "VALUE a 0 3");
    assert_eq!((old.line().as_str(), old.line().as_str()), ("abc", "END"));
    json(dir.path(), &["tenant", "revoke", "acme", "acme"]);
    old.closed();
    assert_eq!(client.ask("get a"), "VALUE a 0 3");

    let mut open = Client::connect(&daemon.memcache);
    assert_eq!(
        open.ask("get a"),
        "END",
        "tenants do not see each other's keys"
    );
    let stat = json(dir.path(), &["stat", "--tenant", "acme"]);
    assert_eq!(stat["tenants"][0]["cache"]["cmd_set"], 1);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn tenants_survive_a_restart_and_a_restore() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let grant = json(dir.path(), &["tenant", "add", "acme", "--memory", "16MiB"]);
    let inside = dir.path().join("lock");
    let output = run(
        dir.path(),
        &["state", "backup", inside.to_str().unwrap(), "--force"],
    );
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    let file = file.to_str().unwrap();
    json(dir.path(), &["state", "backup", file]);
    let again = run(dir.path(), &["state", "backup", file]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("--force"), "{}", stderr(&again));
    json(dir.path(), &["state", "backup", file, "--force"]);
    let refused = run(dir.path(), &["state", "restore", file]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("no daemon runs"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(daemon.stop(), Some(0));
    assert!(
        !dir.path().join("state.db-wal").exists(),
        "the state is closed in an orderly way"
    );

    json(dir.path(), &["tenant", "remove", "acme"]);
    json(dir.path(), &["state", "restore", file]);
    let daemon = Daemon::start(dir.path(), &[]);
    Client::login(&daemon.memcache_auth, &grant);
}

#[test]
fn a_second_daemon_on_the_same_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let second = run(dir.path(), &["up", "--memcache", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    let pid = daemon.child.id().to_string();
    assert!(stderr(&second).contains(&pid), "{}", stderr(&second));
    assert!(
        second.stdout.is_empty(),
        "only a daemon that serves says ready"
    );
}

#[test]
fn a_second_signal_does_not_wait_for_a_client_that_does_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), &[]);
    let mut idle = Client::connect(&daemon.memcache);
    assert_eq!(idle.ask("get a"), "END");
    let mut busy = Client::connect(&daemon.memcache);
    busy.ask_for_much();
    daemon.signal(Signal::TERM);
    idle.closed();
    assert!(
        daemon.child.try_wait().unwrap().is_none(),
        "replies are under way"
    );
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.child.wait().unwrap().code(), Some(1));
}

#[test]
fn requests_in_flight_are_answered_before_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(dir.path(), &[]);
    let mut idle = Client::connect(&daemon.memcache);
    assert_eq!(idle.ask("get a"), "END");
    let mut busy = Client::connect(&daemon.memcache);
    busy.ask_for_much();
    daemon.signal(Signal::TERM);
    idle.closed();
    let rest = busy.closed();
    assert!(
        rest.len() > GETS * VALUE_LEN && rest.ends_with(b"\r\nEND\r\n"),
        "{}",
        rest.len()
    );
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reload_reports_what_is_in_force_and_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("cofferdam.toml");
    fs::write(&config, "").unwrap();
    let _daemon = Daemon::start(dir.path(), &["--config", config.to_str().unwrap()]);
    fs::write(
        &config,
        "log_level = \"debug\"\n[limits]\nauth_timeout = \"9s\"\n",
    )
    .unwrap();
    let report = json(dir.path(), &["reload"]);
    assert_eq!(report["changed"][0], "log_level");
    assert_eq!(report["needs_restart"][0], "limits.auth_timeout");
    fs::write(&config, "\nlog_levle = \"debug\"\n").unwrap();
    let bad = run(dir.path(), &["reload"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        stderr(&bad).contains("cofferdam.toml:2: "),
        "{}",
        stderr(&bad)
    );
}

#[test]
fn the_admin_port_takes_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(dir.path(), &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let ask = |token: &str| {
        let mut command = cofferdam();
        command.args([
            "--admin",
            &daemon.admin,
            "tenant",
            "list",
            "--json",
            "--data-dir",
        ]);
        command
            .arg(elsewhere.path())
            .env("COFFERDAM_ADMIN_TOKEN", token);
        command.output().unwrap()
    };
    let token = fs::read_to_string(dir.path().join("admin.token")).unwrap();
    assert!(ask(&token).status.success());
    let refused = ask("guess");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("admin.token"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn a_tenant_below_the_floor_is_refused_before_it_keeps_the_next_start_down() {
    let dir = tempfile::tempdir().unwrap();
    let tiny = [
        "tenant",
        "add",
        "tiny",
        "--memory",
        "64KiB",
        "--item-size",
        "1KiB",
    ];
    let refused = run(dir.path(), &tiny);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("at least 256KiB"),
        "{}",
        stderr(&refused)
    );
    let mut enough = tiny;
    enough[4] = "256KiB";
    json(dir.path(), &enough);
    let daemon = Daemon::start(dir.path(), &[]);
    json(dir.path(), &["tenant", "show", "tiny"]);
    assert_eq!(daemon.stop(), Some(0));
}
