//! A reload takes over what may change, reports the rest, and leaves all as it was on an error.

use std::fs;

use super::*;
use crate::fake_plane::{FakePlane, MIB};
use crate::logging::{self, LogFormat, LogLevel};

struct Setup {
    dir: tempfile::TempDir,
    plane: Arc<FakePlane>,
    reloader: Reloader,
}

fn setup() -> Setup {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    let file = dir.path().join("cofferdam.toml");
    fs::write(&file, "memory = \"64MiB\"\n").unwrap();
    let overrides = Overrides::default();
    let config = Config::load(Some(&file), &overrides).unwrap();
    let level = logging::start(LogFormat::Text, LogLevel::Error);
    let auth = "127.0.0.1:11212".parse().unwrap();
    let reloader = Reloader::new(
        Some(&file),
        &overrides,
        &config,
        Some(auth),
        Arc::new(control),
        level,
    );
    Setup {
        dir,
        plane,
        reloader,
    }
}

impl Setup {
    fn reload(&self, text: &str) -> Result<ReloadReport, Failure> {
        fs::write(self.dir.path().join("cofferdam.toml"), text).unwrap();
        self.reloader.reload()
    }
}

#[test]
fn live_keys_take_hold_and_others_wait() {
    let setup = setup();
    let report = setup
        .reload("memory = \"32MiB\"\nthreads = 7\n[limits]\ndrain_timeout = \"3s\"\n")
        .unwrap();
    assert_eq!(report.changed, ["memory", "limits.drain_timeout"]);
    assert_eq!(report.needs_restart, ["threads"]);
    assert_eq!(setup.plane.cache(1).quota_bytes, 32 * MIB);
    assert_eq!(setup.reloader.drain_timeout(), Duration::from_secs(3));
    let again = setup.reloader.reload().unwrap();
    assert_eq!(again.changed, [""; 0]);
    assert_eq!(again.needs_restart, ["threads"], "until it is restarted");
}

#[test]
fn a_bad_file_changes_nothing() {
    let setup = setup();
    let error = setup.reload("memory = \"32MiB\"\nbogus = 1\n").unwrap_err();
    assert!(error.to_string().contains("cofferdam.toml:2: "), "{error}");
    assert_eq!(setup.plane.cache(1).quota_bytes, 64 * MIB);
}
