//! A real etcd for tests, on loopback, with certificates and a data directory of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Detail, EtcdConfig, EtcdStore, EtcdTls, Store, connect};

/// Ended with this value.
pub(super) struct EtcdServer {
    dir: TempDir,
    ports: [u16; 2],
    child: Option<Child>,
}

impl EtcdServer {
    /// `None` on a machine without etcd.
    pub(super) fn start() -> Option<Self> {
        Command::new("etcd").arg("--version").output().ok()?;
        let mut server = Self {
            dir: tempfile::tempdir().unwrap(),
            ports: free_ports(),
            child: None,
        };
        server.certify();
        server.resume();
        Some(server)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn certify(&self) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        fs::write(self.path("ca.pem"), authority).unwrap();
        let issuer = Issuer::new(params, key);
        for name in ["server", "client"] {
            let mut params = CertificateParams::default();
            params.subject_alt_names = vec![SanType::IpAddress(Ipv4Addr::LOCALHOST.into())];
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap().pem();
            fs::write(self.path(&format!("{name}.pem")), certificate).unwrap();
            fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
    }

    /// Starts it, on the data that it had, and waits until it answers.
    pub(super) fn resume(&mut self) {
        let client = format!("https://127.0.0.1:{}", self.ports[0]);
        let peer = format!("http://127.0.0.1:{}", self.ports[1]);
        let child = Command::new("etcd")
            .arg("--data-dir")
            .arg(self.path("data"))
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
            .args(["--initial-cluster", &format!("default={peer}")])
            // Short elections allow short leases.
            .args(["--heartbeat-interval", "50", "--election-timeout", "500"])
            .args([
                "--client-cert-auth",
                "--logger",
                "zap",
                "--log-level",
                "error",
            ])
            .arg("--trusted-ca-file")
            .arg(self.path("ca.pem"))
            .arg("--cert-file")
            .arg(self.path("server.pem"))
            .arg("--key-file")
            .arg(self.path("server.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.path("log")).unwrap())
            .spawn();
        self.child = Some(child.unwrap());
        let store = self.connect();
        for _ in 0..200 {
            if store.range("", Detail::Keys).is_ok() {
                return;
            }
            thread::park_timeout(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        panic!("etcd does not answer: {log}");
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it where it is, so that it looks cut off: connections stay, answers do not come.
    pub(super) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(super) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap();
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    pub(super) fn config(&self) -> EtcdConfig {
        EtcdConfig {
            endpoints: vec![format!("https://127.0.0.1:{}", self.ports[0])],
            tls: Some(EtcdTls {
                authority: self.path("ca.pem"),
                identity: Some((self.path("client.pem"), self.path("client.key"))),
            }),
        }
    }

    pub(super) fn connect(&self) -> Arc<EtcdStore> {
        connect(&self.config(), "test").unwrap()
    }
}

impl Drop for EtcdServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_ports() -> [u16; 2] {
    // Both are held until both are known, so that they differ.
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
