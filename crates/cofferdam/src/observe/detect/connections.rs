//! Connections that our own side keeps half closed, and logins that fail.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use base::event::{EventKind, Figure, Unit};
use base::{TenantId, Timestamp};

use super::window::Window;
use super::{Observation, OverdueConnection, rate, told};
use crate::observe::reading::TenantReading;
use crate::observe::signal::Signal;

const SPAN: Duration = Duration::from_secs(5);
/// Wrong passwords a second from which on it is worth a word.
const FAILURES_PER_SECOND_MIN: f64 = 2.0;

/// What goes wrong with connections, tenant by tenant.
#[derive(Debug, Default)]
pub(super) struct Connections {
    logins: HashMap<TenantId, Logins>,
}

/// A tenant's logins.
#[derive(Debug)]
struct Logins {
    /// Attempts and failures.
    window: Window<(u64, u64)>,
    /// Since when too many fail, if they do.
    since: Option<Timestamp>,
}

impl Connections {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        signals.extend(close_waits(seen.now, seen.overdue));
        let tenants = &seen.reading.tenants;
        self.logins
            .retain(|id, _| tenants.iter().any(|tenant| tenant.id == *id));
        for tenant in tenants {
            signals.extend(self.failed_logins(seen.now, tenant));
        }
    }

    fn failed_logins(&mut self, now: Timestamp, tenant: &TenantReading) -> Option<Signal> {
        let new = || Logins {
            window: Window::new(SPAN),
            since: None,
        };
        let Logins { window, since } = self.logins.entry(tenant.id).or_insert_with(new);
        let clients = &tenant.clients;
        window.push(now, (clients.auth_attempts, clients.auth_failures));
        let (attempts, time) = window.growth(|(attempts, _)| *attempts);
        let (failures, _) = window.growth(|(_, failures)| *failures);
        let failures_rate = rate(failures, time);
        if !window.is_full() || failures_rate < FAILURES_PER_SECOND_MIN {
            *since = None;
            return None;
        }
        let onset = *since.get_or_insert(window.start()?);
        let name = &tenant.name;
        let sentence = format!(
            "Clients of tenant {name} present wrong passwords: {} of {} logins failed in the last \
             {} s.",
            told(failures as f64),
            told(attempts as f64),
            time.as_secs()
        );
        let ended = format!("Clients of tenant {name} no longer present wrong passwords");
        let signal = Signal::lasting(EventKind::LoginsFailing, onset, sentence, ended)
            .tenant(Some(name))
            .advice(
                "A credential was revoked or mistyped: give the clients the present one, which \
                 `cofferdam tenant show` names and `cofferdam tenant rotate` replaces.",
            )
            .evidence([
                Figure::new("logins_failed", failures_rate, Unit::PerSecond),
                Figure::new("logins", rate(attempts, time), Unit::PerSecond),
            ]);
        Some(signal)
    }
}

/// One signal for each listener and tenant that has such connections.
fn close_waits(now: Timestamp, overdue: &[OverdueConnection]) -> Vec<Signal> {
    type Key<'a> = (&'static str, Option<&'a Arc<str>>);
    let mut groups: BTreeMap<Key<'_>, Vec<&OverdueConnection>> = BTreeMap::new();
    for connection in overdue {
        let key = (connection.listener, connection.tenant.as_ref());
        groups.entry(key).or_default().push(connection);
    }
    let groups = groups.into_iter();
    groups
        .map(|((listener, tenant), group)| close_wait(now, listener, tenant, &group))
        .collect()
}

fn close_wait(
    now: Timestamp,
    listener: &'static str,
    tenant: Option<&Arc<str>>,
    group: &[&OverdueConnection],
) -> Signal {
    let oldest = group.iter().map(|connection| connection.age).max();
    let oldest = oldest.unwrap_or_default();
    let peer = group.first().map(|connection| connection.peer);
    let whose = match tenant {
        Some(name) => format!("of tenant {name} "),
        None => String::new(),
    };
    let example = peer.map(|peer| format!(", among them {peer}"));
    let sentence = format!(
        "{} connections {whose}on listener {listener} were closed by their clients and not by this \
         server (CLOSE_WAIT), the oldest {:.1} s ago{}.",
        told(group.len() as f64),
        oldest.as_secs_f64(),
        example.unwrap_or_default()
    );
    let ended = format!("No connection {whose}on listener {listener} is in CLOSE_WAIT any more");
    Signal::lasting(EventKind::CloseWait, now - oldest, sentence, ended)
        .cause(listener)
        .tenant(tenant)
        .advice(
            "This is a defect of the server, or its loops do not turn: keep the journal and the \
             log, and report it.",
        )
        .evidence([
            Figure::new("close_wait_connections", group.len() as f64, Unit::Count),
            Figure::new("close_wait_oldest", oldest.as_secs_f64(), Unit::Seconds),
        ])
}

#[cfg(test)]
#[path = "connections_test.rs"]
mod tests;
