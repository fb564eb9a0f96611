//! A hub over a board of two gateways, for tests.

use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use runtime::Clock;
use runtime::probe::Target;
use status::component::{Failed, Fault, Stage};

use super::hub::{Hub, Past};
use super::settings::{Doorman, Gateway, PROBE_TIMEOUT, Settings};
use crate::config::Config;

/// Takes `acme` with `right`.
pub(super) fn doorman() -> Arc<Doorman> {
    Arc::new(|username, password| match (username, password) {
        ("acme", "right") => Ok(Some("acme".to_owned())),
        ("down", _) => Err("nobody answers".to_owned()),
        _ => Ok(None),
    })
}

pub(super) fn settings() -> Settings {
    let gateways = ["One", "Two"].map(|name| Gateway {
        name: name.to_owned(),
        target: Target {
            address: "127.0.0.1:1".into(),
            username: "canary".into(),
            password: "secret".into(),
            tls: None,
            timeout: PROBE_TIMEOUT,
        },
    });
    let config = Config::parse("[status]\nname = \"Test\"\nurl = \"http://localhost\"\n\
                mail_server = \"127.0.0.1:1\"\nmail_tls = \"off\"\nmail_from = \"s@mail.example\"\n").unwrap();
    Settings::of(&config, gateways.to_vec(), doorman()).unwrap()
}

pub(super) fn hub(past: Past) -> Arc<Hub> {
    Arc::new(Hub::new(&settings(), past, Clock::new()))
}

/// Has every probe of the last moments fail.
pub(super) fn outage(hub: &Hub, now: Timestamp) {
    let failed = Failed {
        stage: Stage::Connect,
        fault: Fault::Refused,
    };
    for index in 0..4 {
        for _ in 0..3 {
            hub.board().handle_probe(index, now, now, Err(failed));
        }
    }
    // Until what is drafted is published.
    hub.board().handle_timeout(now + Duration::from_secs(2));
}
