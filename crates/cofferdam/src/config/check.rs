//! What no single value of the configuration shows: bounds, and values that exclude each other.

use std::net::SocketAddr;
use std::time::Duration;

use base::ByteSize;
use base::event::EventKind;
use base::kv::ITEM_SIZE_MAX;
use runtime::webhook::Target;

use super::{
    Addr, Auto, Config, ITEM_SIZE_MIN, MailTls, NodeRole, Size, Span, Switch, TlsListener,
};

/// As many entrants as fit at least, each with all that it may send.
const DOOR_MEMORY_MIN: u64 = 64 * 1024;
const INFLIGHT_MIN: u64 = 1 << 20;
const INFLIGHT_MAX: u64 = 1 << 40;
const SEND_BUFFER_MIN: u64 = 4 * 1024;
const SEND_BUFFER_MAX: u64 = 1 << 30;
/// A day: more is a mistake, and the kernel counts milliseconds in 32 bits.
const USER_TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How often a gateway may be probed.
const EVERY_MIN: Duration = Duration::from_millis(500);
const EVERY_MAX: Duration = Duration::from_secs(60);

impl Config {
    /// Says what is wrong with the first value that is, beginning with the full name of its key, by
    /// which its line is found; the remedy is in the same line.
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_paths()?;
        self.check_hosts()?;
        self.check_member_names()?;
        check_open_listener(self.listen.memcache.value().map(|addr| addr.0))?;
        self.check_nbd_listener()?;
        self.check_listeners_differ()?;
        self.check_sizes()?;
        self.check_counts()?;
        self.check_times()?;
        self.check_tls()?;
        self.check_fleet()?;
        self.check_status()?;
        self.check_webhooks()?;
        let servers = &self.listen.advertise;
        match servers.iter().find(|server| !is_host_and_port(server)) {
            Some(server) => Err(format!("listen.advertise has {server:?}: write HOST:PORT")),
            None => Ok(()),
        }
    }

    fn check_fleet(&self) -> Result<(), String> {
        let fleet = &self.fleet;
        if fleet.role == NodeRole::Volume && !self.store.endpoints.is_empty() {
            return Err(
                "fleet.role is \"volume\" and store.endpoints is set: leave one of them out, a volume \
                 node stands alone"
                    .into(),
            );
        }
        for (index, node) in fleet.nodes.iter().enumerate() {
            let others = fleet.nodes.iter().skip(index + 1);
            if let Some(other) = others.into_iter().find(|other| other.member == node.member) {
                return Err(format!(
                    "fleet.nodes has member {} twice, as {:?} and {:?}: give each its own number",
                    node.member, node.name, other.name
                ));
            }
            if fleet.plaintext && !node.addr.0.ip().is_loopback() {
                return Err(format!(
                    "fleet.plaintext is true and node {:?} is at {}: leave it out, and set \
                     fleet.certificates",
                    node.name, node.addr.0
                ));
            }
        }
        if fleet.plaintext && !fleet.listen.0.ip().is_loopback() {
            return Err(format!(
                "fleet.plaintext is true and fleet.listen is {}: leave it out, and set \
                 fleet.certificates",
                fleet.listen.0
            ));
        }
        self.check_store()?;
        self.judge.check()?;
        self.gate.check()?;
        if fleet.secret().is_none() {
            return Err("fleet.secret is no 32 hexadecimal digits".into());
        }
        if fleet.deadline_min.0 > fleet.deadline_max.0 || fleet.deadline_min.0.is_zero() {
            return Err("fleet.deadline_min is 0 or above fleet.deadline_max".into());
        }
        match fleet.credits {
            16..=65_536 => Ok(()),
            credits => Err(format!("fleet.credits is {credits}: choose 16 to 65536")),
        }
    }

    /// Whoever reaches a listener without a login may use what it shows.
    fn check_nbd_listener(&self) -> Result<(), String> {
        let Switch::On(Addr(addr)) = self.listen.nbd else {
            return Ok(());
        };
        if addr.ip().is_loopback() || self.tls.listeners.contains(&TlsListener::Nbd) {
            return Ok(());
        }
        Err(format!(
            "listen.nbd is {addr}, but volumes are served to other machines only over TLS with \
             client certificates: put \"nbd\" into tls.listeners, or use 127.0.0.1:{port} or \
             listen.nbd_unix",
            port = addr.port()
        ))
    }

    fn check_store(&self) -> Result<(), String> {
        let (fleet, store) = (&self.fleet, &self.store);
        if store.endpoints.is_empty() {
            return Ok(());
        }
        if !fleet.nodes.is_empty() {
            return Err(
                "store.endpoints and fleet.nodes are both set: leave fleet.nodes out, the store \
                 knows the nodes"
                    .into(),
            );
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if store.fleet.is_empty() || !store.fleet.chars().all(is_plain) {
            return Err(format!(
                "store.fleet is {:?}: choose letters, digits, - and _",
                store.fleet
            ));
        }
        if fleet.name.is_empty() {
            return Err("fleet.name is empty: give each member its own".into());
        }
        let plaintext = fleet.plaintext.then_some(fleet.advertise).flatten();
        if plaintext.is_some_and(|addr| !addr.0.ip().is_loopback()) {
            return Err(
                "fleet.plaintext is true and fleet.advertise is off loopback: leave it \
                        out, and set fleet.certificates"
                    .into(),
            );
        }
        if store.certificate.is_some() != store.key.is_some() {
            return Err("store.certificate and store.key go together: set both or none".into());
        }
        match fleet.weight {
            1..=10_000 => Ok(()),
            weight => Err(format!("fleet.weight is {weight}: choose 1 to 10000")),
        }
    }

    /// Two listeners cannot have one address; port 0 is another one each time.
    fn check_listeners_differ(&self) -> Result<(), String> {
        let all = self.tcp_listeners();
        for (index, (first, one)) in all.iter().enumerate() {
            for (second, other) in all.iter().skip(index + 1) {
                if collide(*one, *other) {
                    return Err(format!(
                        "listen.{second} is {other}, which listen.{first} ({one}) has already: \
                         give each its own port"
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), String> {
        let item_size = self.item_size;
        if !(ITEM_SIZE_MIN..=u64::from(ITEM_SIZE_MAX)).contains(&item_size.bytes()) {
            return Err(format!("item_size is {item_size}: choose 1KiB to 1GiB"));
        }
        let least = cache::least_quota_bytes(self.item_size_bytes());
        if let Auto::Is(memory) = self.memory
            && memory.bytes() < least
        {
            return Err(format!(
                "memory is {memory}, too little with an item_size of {item_size}: \
                 give at least {}",
                ByteSize(least)
            ));
        }
        let door_memory = self.limits.door_memory;
        if door_memory.bytes() < DOOR_MEMORY_MIN {
            return Err(format!(
                "limits.door_memory is {door_memory}: give at least 64KiB"
            ));
        }
        let inflight = self.limits.inflight_bytes.bytes();
        if !(INFLIGHT_MIN..=INFLIGHT_MAX).contains(&inflight) {
            return Err(format!(
                "limits.inflight_bytes is {}: choose 1MiB to 1TiB",
                ByteSize(inflight)
            ));
        }
        match self.limits.send_buffer {
            Auto::Is(Size(ByteSize(bytes)))
                if !(SEND_BUFFER_MIN..=SEND_BUFFER_MAX).contains(&bytes) =>
            {
                Err(format!(
                    "limits.send_buffer is {}: choose 4KiB to 1GiB, or \"auto\"",
                    ByteSize(bytes)
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_counts(&self) -> Result<(), String> {
        if !matches!(self.threads, Auto::Auto | Auto::Is(1..=256)) {
            return Err("threads is out of bounds: choose 1 to 256, or \"auto\"".into());
        }
        let limits = &self.limits;
        let counts = [
            ("max_connections", limits.max_connections),
            ("max_unauthenticated", limits.max_unauthenticated),
            (
                "max_unauthenticated_per_source",
                limits.max_unauthenticated_per_source,
            ),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == Auto::Is(0)) {
            return Err(format!("limits.{key} is 0: choose at least 1, or \"auto\""));
        }
        if limits.max_connects_per_second_per_source == Switch::On(0) {
            return Err(
                "limits.max_connects_per_second_per_source is 0: choose at least 1, or \"off\""
                    .into(),
            );
        }
        Ok(())
    }

    /// No time would be no service.
    fn check_times(&self) -> Result<(), String> {
        let limits = &self.limits;
        let times = [
            ("auth_timeout", Some(limits.auth_timeout)),
            (
                "stalled_reader_timeout",
                Some(limits.stalled_reader_timeout),
            ),
            (
                "stalled_writer_timeout",
                Some(limits.stalled_writer_timeout),
            ),
            ("idle_timeout", limits.idle_timeout.value()),
            ("user_timeout", limits.user_timeout.value()),
        ];
        for (key, time) in times {
            if let Some(Span(time)) = time
                && time < Duration::from_millis(1)
            {
                return Err(format!("limits.{key} is {time:?}: give at least 1ms"));
            }
        }
        match limits.user_timeout {
            Switch::On(Span(time)) if time > USER_TIMEOUT_MAX => {
                Err("limits.user_timeout is more than a day: give less, or \"off\"".into())
            }
            _ => Ok(()),
        }
    }

    fn check_status(&self) -> Result<(), String> {
        let status = &self.status;
        if !(EVERY_MIN..=EVERY_MAX).contains(&status.every.0) {
            return Err("status.every is out of bounds: choose 500ms to 1m".into());
        }
        if let Some(gateway) = status
            .gateways
            .iter()
            .find(|one| !is_host_and_port(&one.address))
        {
            return Err(format!(
                "status.gateways has the address {:?}: write HOST:PORT",
                gateway.address
            ));
        }
        if let Some(server) = &status.mail_server {
            if !is_host_and_port(server) {
                return Err(format!("status.mail_server is {server:?}: write HOST:PORT"));
            }
            if status.mail_from.is_none() || status.url.is_none() {
                return Err(
                    "status.mail_server needs status.mail_from, and status.url for links in mail"
                        .into(),
                );
            }
            if status.mail_tls == MailTls::Off && status.mail_username.is_some() {
                return Err(
                    "status.mail_tls is \"off\", and a password would travel in the clear: choose \
                     \"starttls\" or \"wrapped\""
                        .into(),
                );
            }
        }
        // What is public is not to tell where a machine is.
        let names = status.gateways.iter().map(|one| one.name.as_str());
        let told = names.chain([status.name.as_str()]);
        for name in told {
            if let Some(secret) = status::privacy::first_secret(name, []) {
                return Err(format!(
                    "status: the public name {name:?} tells {secret:?}: choose one without addresses"
                ));
            }
        }
        Ok(())
    }

    fn check_webhooks(&self) -> Result<(), String> {
        let webhooks = &self.webhooks;
        for target in &webhooks.targets {
            let url = &target.url;
            Target::parse(url, webhooks.private_addresses)
                .map_err(|why| format!("webhooks.targets: {why}"))?;
            let unknown = target
                .events
                .iter()
                .find(|kind| kind.parse::<EventKind>().is_err());
            if let Some(kind) = unknown {
                return Err(format!(
                    "webhooks.targets, {url:?}: there are no events {kind:?}: see docs/metrics.md"
                ));
            }
        }
        Ok(())
    }

    /// The keys of all TCP listeners that are on, and their addresses.
    pub(crate) fn tcp_listeners(&self) -> Vec<(&'static str, SocketAddr)> {
        let listen = &self.listen;
        let all = [
            ("memcache", listen.memcache.value()),
            ("memcache_auth", Some(listen.memcache_auth)),
            ("memcache_tls", listen.memcache_tls.value()),
            ("nbd", listen.nbd.value()),
            ("admin", listen.admin.value()),
            ("status", listen.status.value()),
            ("tenant_console", listen.tenant_console.value()),
        ];
        let on = all.into_iter();
        on.filter_map(|(key, addr)| Some((key, addr?.0))).collect()
    }
}

/// Everybody who reaches an open tenant may use it, so nobody else may reach it.
fn check_open_listener(addr: Option<SocketAddr>) -> Result<(), String> {
    match addr {
        Some(addr) if !addr.ip().is_loopback() => Err(format!(
            "listen.memcache is {addr}, but the open tenant is served on loopback only: \
             use 127.0.0.1:{port}, or let clients elsewhere authenticate at listen.memcache_auth",
            port = addr.port()
        )),
        _ => Ok(()),
    }
}

/// Whether the system would refuse the second of two listeners.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    let overlap =
        a == b || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()));
    overlap && one.port() != 0 && one.port() == other.port()
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0))
}

#[cfg(test)]
#[path = "check_test.rs"]
mod tests;
