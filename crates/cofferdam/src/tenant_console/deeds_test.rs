//! What is typed into the form of alerts, and what it becomes.

use super::*;

fn form(hit_ratio: &str, memory: &str, webhook: &str) -> AlertsPage {
    AlertsPage {
        shell: Shell {
            title: "Alerts".into(),
            tenant: "acme".into(),
            username: "acme-1".into(),
            version: "0",
            form_token: String::new(),
        },
        hit_ratio: hit_ratio.into(),
        memory: memory.into(),
        webhook: webhook.into(),
        has_secret: false,
        failure: None,
    }
}

#[test]
fn numbers_are_percents_and_nothing_is_none() {
    let none = AlertRule::default();
    assert_eq!(rule_of(&form("", "", ""), &none, false), Ok(none.clone()));
    let rule = rule_of(&form("80", "95 %", ""), &none, false).unwrap();
    assert_eq!(rule.hit_ratio_min_percent, Some(80));
    assert_eq!(rule.memory_max_percent, Some(95));
    for bad in ["0", "101", "-1", "eighty", "8 0", "1e2"] {
        let error = rule_of(&form(bad, "", ""), &none, false).unwrap_err();
        assert!(error.starts_with("Hit ratio: "), "{error}");
        assert!(rule_of(&form("", bad, ""), &none, false).is_err());
    }
}

#[test]
fn an_address_that_is_new_gets_a_secret_and_one_that_is_kept_keeps_it() {
    let url = "https://hooks.example/acme";
    let none = AlertRule::default();
    let first = rule_of(&form("", "", url), &none, false).unwrap();
    let secret = first.webhook.clone().unwrap().secret;
    assert_eq!(secret.len(), SECRET_LEN);
    let kept = rule_of(&form("50", "", url), &first, false).unwrap();
    assert_eq!(kept.webhook.unwrap().secret, secret);
    let other = rule_of(&form("", "", "https://hooks.example/other"), &first, false);
    assert_ne!(other.unwrap().webhook.unwrap().secret, secret);
    for bad in [
        "http://hooks.example/",
        "https://10.0.0.1/",
        "hooks.example",
    ] {
        assert!(rule_of(&form("", "", bad), &none, false).is_err(), "{bad}");
    }
    assert!(rule_of(&form("", "", "http://10.0.0.1/"), &none, true).is_ok());
}
