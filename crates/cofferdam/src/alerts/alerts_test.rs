//! Rules survive a restart, and no file of them keeps anybody from being served.

use super::*;

fn rule(percent: u8) -> AlertRule {
    AlertRule {
        hit_ratio_min_percent: Some(percent),
        memory_max_percent: None,
        webhook: Some(WebhookTarget {
            url: "https://hooks.example/x".into(),
            secret: "hunter2hunter2".into(),
        }),
    }
}

#[test]
fn rules_are_there_after_a_restart_and_gone_when_empty() {
    let dir = tempfile::tempdir().unwrap();
    let rules = AlertRules::open(dir.path());
    assert_eq!(rules.of(TenantId(1)), AlertRule::default());
    rules.set(TenantId(1), rule(80)).unwrap();
    rules.set(TenantId(2), rule(50)).unwrap();
    let again = AlertRules::open(dir.path());
    assert_eq!(again.of(TenantId(1)), rule(80));
    again.set(TenantId(1), AlertRule::default()).unwrap();
    assert_eq!(AlertRules::open(dir.path()).all().len(), 1);
}

#[test]
fn only_the_owner_reads_the_file_and_nothing_prints_the_secret() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let rules = AlertRules::open(dir.path());
    rules.set(TenantId(1), rule(80)).unwrap();
    let mode = std::fs::metadata(dir.path().join(FILE)).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    assert!(!format!("{:?}", rules.all()).contains("hunter2"));
}

#[test]
fn a_file_that_is_none_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), "{\"1\": [").unwrap();
    let rules = AlertRules::open(dir.path());
    assert!(rules.all().is_empty());
    assert!(dir.path().join("alerts.json.unreadable").exists());
    rules.set(TenantId(3), rule(10)).unwrap();
    assert_eq!(AlertRules::open(dir.path()).of(TenantId(3)), rule(10));
}
