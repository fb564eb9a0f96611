//! Clients that open connections faster than they send requests, and the setting that makes them.

use std::collections::HashMap;
use std::time::Duration;

use base::event::{EventKind, Figure, Unit};
use base::{TenantId, Timestamp};

use super::window::Window;
use super::{Observation, rate, told};
use crate::observe::reading::TenantReading;
use crate::observe::signal::Signal;

/// Over how long connects and requests are compared.
const SPAN: Duration = Duration::from_secs(5);
/// Fewer connects a second are nobody's trouble.
const CONNECTS_PER_SECOND_MIN: f64 = 5.0;
/// Requests for each connect up to which clients are said to reconnect: one connect for each
/// request, with room for a request of the connection's making.
const REQUESTS_PER_CONNECT_MAX: f64 = 1.5;
/// Under so many requests for each connect most connections end unused.
const REQUESTS_PER_USED_CONNECT: f64 = 0.5;

/// Connects and requests of each tenant.
#[derive(Debug, Default)]
pub(super) struct Reconnects {
    tenants: HashMap<TenantId, Track>,
}

#[derive(Debug)]
struct Track {
    window: Window<Counts>,
    /// Since when clients reconnect, if they do.
    since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Those that came in, and those that waited for that in vain.
    connects: u64,
    in_vain: u64,
    requests: u64,
    refused: u64,
}

/// Past such a delay it is the delay that is to be changed, and not the clients' timeout.
const DELAY_MAX: Duration = Duration::from_millis(1000);

/// Why clients reconnect, as far as figures tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// They give up connecting before the tenant's limits on connections let them in.
    Held,
    /// They give up waiting before we refuse.
    Timeout,
    /// Each request has a connection of its own.
    NotPersistent,
    /// Connections are opened and hardly used.
    Pool,
}

impl Reconnects {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        let tenants = &seen.reading.tenants;
        self.tenants
            .retain(|id, _| tenants.iter().any(|tenant| tenant.id == *id));
        for tenant in tenants {
            let track = self.tenants.entry(tenant.id).or_insert_with(|| Track {
                window: Window::new(SPAN),
                since: None,
            });
            let clients = &tenant.clients;
            let in_vain = clients.connects_abandoned + clients.connects_refused;
            let counts = Counts {
                connects: clients.connections_total + in_vain,
                in_vain,
                requests: tenant.requests(),
                refused: tenant.refused(),
            };
            track.window.push(seen.now, counts);
            signals.extend(track.signal(tenant));
        }
    }
}

impl Track {
    fn signal(&mut self, tenant: &TenantReading) -> Option<Signal> {
        let (connects, time) = self.window.growth(|counts| counts.connects);
        let (requests, _) = self.window.growth(|counts| counts.requests);
        let (refused, _) = self.window.growth(|counts| counts.refused);
        let (in_vain, _) = self.window.growth(|counts| counts.in_vain);
        let connects_rate = rate(connects, time);
        let requests_rate = rate(requests, time);
        // Whoever is not let in comes back, however busy the tenant's other connections are.
        let is_held = rate(in_vain, time) >= CONNECTS_PER_SECOND_MIN;
        let reconnects = self.window.is_full()
            && connects_rate >= CONNECTS_PER_SECOND_MIN
            && (is_held || requests_rate <= connects_rate * REQUESTS_PER_CONNECT_MAX);
        if !reconnects {
            self.since = None;
            return None;
        }
        let onset = *self.since.get_or_insert(self.window.start()?);
        let delayed = refused > 0;
        let reason = match requests_rate >= connects_rate * REQUESTS_PER_USED_CONNECT {
            _ if is_held => Reason::Held,
            _ if delayed => Reason::Timeout,
            true => Reason::NotPersistent,
            false => Reason::Pool,
        };
        let name = &tenant.name;
        let sentence = format!(
            "Clients of tenant {name} are reconnecting: they open {} connections a second and send \
             {} requests a second.",
            told(connects_rate),
            told(requests_rate)
        );
        let ended = format!("Clients of tenant {name} no longer reconnect");
        let signal = Signal::lasting(EventKind::ClientsReconnecting, onset, sentence, ended)
            .tenant(Some(name))
            .advice(reason.advice(tenant.traffic.max_delay))
            .evidence([
                Figure::new("connects", connects_rate, Unit::PerSecond),
                Figure::new("connects_in_vain", rate(in_vain, time), Unit::PerSecond),
                Figure::new("requests", requests_rate, Unit::PerSecond),
                Figure::new("requests_refused", refused as f64, Unit::Count),
                Figure::new(
                    "connections",
                    tenant.clients.connections as f64,
                    Unit::Count,
                ),
            ]);
        Some(signal)
    }
}

impl Reason {
    /// The likely setting of the client.
    fn advice(self, max_delay: Duration) -> String {
        match self {
            Self::Held => "The tenant's limits on connections (--connections, \
                 --connects-per-second) hold them at the door, and they give up and come back: set the \
                 clients' connect timeout above 5 s and a pause before they connect again, keep their \
                 pools within the limit, or raise it."
                .to_owned(),
            // No client waits that long, and none should be told to.
            Self::Timeout if max_delay > DELAY_MAX => format!(
                "Its requests wait up to {} ms before they are refused, and its clients give up first: \
                 lower that to half of their timeout (`cofferdam tenant limit NAME --max-delay-ms`; 200 \
                 is what it is unless it is said), or raise the tenant's limit.",
                max_delay.as_millis()
            ),
            Self::Timeout => format!(
                "The tenant waits for its limit and its clients give up first: set their timeout \
                 (read, socket or operation timeout) above {} ms, or raise the tenant's limit.",
                // The longest wait, and as much again for the way and the client's own delays.
                max_delay.as_millis().saturating_mul(2).max(500)
            ),
            Self::NotPersistent => "Each request seems to have a connection of its own: keep \
                 connections open between requests (persistent connections, a client per process \
                 instead of one per request)."
                .to_owned(),
            Self::Pool => "Connections are opened and hardly used: lower the client's pool size, \
                 let it keep idle connections, and look for a health check that only connects."
                .to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "reconnects_test.rs"]
mod tests;
