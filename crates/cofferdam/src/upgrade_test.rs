//! A successor that does not take over changes nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use runtime::Clock;
use runtime::http::Listeners;
use tempfile::TempDir;

use super::Upgrader;
use crate::control::Control;
use crate::fake_plane::FakePlane;

struct Setting {
    dir: TempDir,
    control: Arc<Control>,
    upgrader: Upgrader,
}

fn setting() -> Setting {
    let dir = tempfile::tempdir().unwrap();
    let (_, control) = FakePlane::with_control(dir.path());
    let control = Arc::new(control);
    let listeners = Listeners::bind(&dir.path().join("admin.sock"), None).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap().into();
    let upgrader = Upgrader::new(
        Arc::clone(&control),
        listeners.gate().unwrap(),
        dir.path().to_owned(),
        Clock::new(),
        vec![("memcache_auth".into(), socket)],
        None,
    );
    Setting {
        dir,
        control,
        upgrader,
    }
}

impl Setting {
    /// A program that does what `script` says.
    fn program(&self, script: &str) -> PathBuf {
        let path = self.dir.path().join("successor");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let setting = setting();
    let missing = setting.dir.path().join("nowhere");
    let failure = setting.upgrader.upgrade(Some(&missing)).unwrap_err();
    assert!(failure.to_string().contains("nowhere"), "{failure}");
    assert!(!setting.upgrader.is_handed_over());
    assert!(setting.control.list().is_ok());
}

#[test]
fn a_successor_that_ends_leaves_the_state_where_it_was() {
    let setting = setting();
    let program = setting.program("exit 0");
    let failure = setting.upgrader.upgrade(Some(&program)).unwrap_err();
    assert!(failure.to_string().contains("goes on"), "{failure}");
    assert!(setting.control.list().is_ok());
}

#[test]
fn whoever_stops_hands_nothing_over() {
    let setting = setting();
    setting.upgrader.let_go_of_sockets();
    let program = setting.program("exit 0");
    assert!(setting.upgrader.upgrade(Some(&program)).is_err());
}

#[test]
fn the_state_can_be_released_and_taken_back() {
    let setting = setting();
    setting.control.release_state();
    assert!(setting.control.list().is_err());
    setting.upgrader.resume();
    assert!(setting.control.list().is_ok());
}
