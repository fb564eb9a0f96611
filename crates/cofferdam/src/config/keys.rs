//! Every key of `cofferdam.toml`: its type, default, flag and meaning, written once and used by
//! the reader, by `reload` and by the reference page.

use std::path::PathBuf;
use std::time::Duration;

use base::ByteSize;
use serde::Deserialize;

use super::entries::{ClientCertificate, NodeEntry, NodeRole, TlsListener};
use super::page_keys::{Gate, Judge, Status, TenantConsole, Webhooks};
use super::value::{Addr, Auto, FileMode, Network, Size, Span, Switch};
use crate::logging::{LogFormat, LogLevel};

/// What becomes of a changed key on a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// In force at once.
    Live,
    /// In force after a restart.
    Restart,
}

/// What is in force where the file does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unsaid {
    /// This value, as it would stand in the file.
    Default(&'static str),
    /// Nothing; a value could look like this.
    Nothing(&'static str),
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) unsaid: Unsaid,
    pub(crate) change: Change,
    /// The flag of `up` that overrides it.
    pub(crate) flag: Option<&'static str>,
}

/// The keys under one `[header]`, or those before the first.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
}

macro_rules! table {
    (
        $(#[doc = $about:literal])*
        $name:ident $header:literal {
            $(
                $(#[doc = $doc:literal])*
                $key:ident: $type:ty = $default:expr, $unsaid:expr, $change:ident $(, $flag:literal)?;
            )*
            $([$inner:ident]: $table:ident;)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[doc = $doc])* pub(crate) $key: $type,)*
            $(pub(crate) $inner: $table,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($key: $default,)*
                    $($inner: $table::default(),)*
                }
            }
        }

        impl $name {
            pub(crate) const TABLE: Table = Table {
                name: $header,
                doc: concat!($($about, "\n"),*),
                keys: &[$(Key {
                    name: stringify!($key),
                    doc: concat!($($doc, "\n"),*),
                    unsaid: $unsaid,
                    change: Change::$change,
                    flag: table!(@flag $($flag)?),
                },)*],
            };

            /// Full names of the keys in which `self` and `other` differ.
            pub(crate) fn differences(&self, other: &Self) -> Vec<(String, Change)> {
                let mut names = Vec::new();
                $(if self.$key != other.$key {
                    names.push((full_name($header, stringify!($key)), Change::$change));
                })*
                $(names.extend(self.$inner.differences(&other.$inner));)*
                names
            }

            /// Takes over from `new` what may change while the program runs.
            pub(crate) fn take_live_keys(&mut self, new: &Self) {
                $(if Change::$change == Change::Live {
                    self.$key.clone_from(&new.$key);
                })*
                $(self.$inner.take_live_keys(&new.$inner);)*
            }
        }
    };
    (@flag) => { None };
    (@flag $flag:literal) => { Some($flag) };
}

/// `header.key`, or `key` before the first header.
pub(crate) fn full_name(header: &str, key: &str) -> String {
    match header {
        "" => key.to_owned(),
        _ => format!("{header}.{key}"),
    }
}

table! {
    /// Everything that can be set. These keys stand before the first `[header]`.
    Config "" {
        /// Folder of the state, the admin socket and the admin token. Unless it is said here or by
        /// the flag, `$XDG_STATE_HOME/cofferdam`, else `~/.local/state/cofferdam`, and
        /// `/var/lib/cofferdam` for a user without a home.
        data_dir: Option<PathBuf> = None, Unsaid::Nothing("\"/var/lib/cofferdam\""), Restart, "--data-dir";
        /// Memory for the caches of all tenants, segments and index counted. `"auto"` is a quarter
        /// of the machine's memory (or of the control group's limit), at most 1 GiB. At least twice
        /// `item_size` and at least 256 KiB.
        memory: Auto<Size> = Auto::Auto, Unsaid::Default("\"auto\""), Live, "--memory";
        /// The largest value that `default`, and a tenant added without a size of its own, may
        /// store: 1 KiB to 1 GiB. A tenant's memory is at least twice its item size and at least
        /// 256 KiB, and so much stays with `default` however much is sold.
        item_size: Size = Size(ByteSize(1 << 20)), Unsaid::Default("\"1MiB\""), Live, "--item-size";
        /// Event loops that serve clients. `"auto"` is one for each core that the process may use.
        threads: Auto<u16> = Auto::Auto, Unsaid::Default("\"auto\""), Restart, "--threads";
        /// How log lines look: `"text"` for people, `"json"` for collectors.
        log_format: LogFormat = LogFormat::Text, Unsaid::Default("\"text\""), Restart, "--log-format";
        /// What is logged: `"error"`, `"warn"`, `"info"`, `"debug"` or `"trace"`.
        log_level: LogLevel = LogLevel::Info, Unsaid::Default("\"info\""), Live;
        [listen]: Listen;
        [limits]: Limits;
        [tls]: Tls;
        [admin]: Admin;
        [tenant_console]: TenantConsole;
        [webhooks]: Webhooks;
        [volumes]: Volumes;
        [fleet]: Fleet;
        [store]: Store;
        [judge]: Judge;
        [gate]: Gate;
        [status]: Status;
    }
}

table! {
    /// Where clients and operators connect. Port 0 picks a free one; the line `ready …` names it.
    Listen "listen" {
        /// The listener of the open tenant `default`: no password, hence loopback only. `"off"`
        /// serves no open tenant over TCP.
        memcache: Switch<Addr> = Switch::On(loopback(11211)), Unsaid::Default("\"127.0.0.1:11211\""), Restart, "--memcache";
        /// The listener of all other tenants; every connection authenticates first.
        memcache_auth: Addr = loopback(11212), Unsaid::Default("\"127.0.0.1:11212\""), Restart, "--memcache-auth";
        /// A second listener for them, over TLS, so that both kinds of clients can be served; see
        /// `[tls]`.
        memcache_tls: Switch<Addr> = Switch::Off, Unsaid::Default("\"off\""), Restart;
        /// A Unix socket for the open tenant `default`.
        unix: Option<PathBuf> = None, Unsaid::Nothing("\"/run/cofferdam/memcache.sock\""), Restart, "--unix";
        /// The permissions of that socket; who may open it may use `default`.
        unix_mode: FileMode = FileMode(0o600), Unsaid::Default("\"0600\""), Restart;
        /// Where volumes are served by NBD. Whoever comes here has shown nothing, hence loopback
        /// only, and only the volumes of the open tenant `default`; unless `tls.listeners` has `"nbd"`:
        /// then clients show certificates, and see the volumes of the tenant that these name. `"off"`
        /// serves none over TCP.
        nbd: Switch<Addr> = Switch::On(loopback(10809)), Unsaid::Default("\"127.0.0.1:10809\""), Restart, "--nbd";
        /// A Unix socket for the volumes of all tenants, which only the user that the service runs as
        /// may open. Unless it is said here or by the flag, `nbd.sock` in the data folder.
        nbd_unix: Option<PathBuf> = None, Unsaid::Nothing("\"/run/cofferdam/nbd.sock\""), Restart, "--nbd-unix";
        /// The admin API over TCP. It asks for the token in `admin.token` of the data folder. Off
        /// loopback have it speak TLS (`[admin]`), or the token travels in the clear. `"off"` leaves
        /// the socket `admin.sock` of the data folder as the only way in.
        admin: Switch<Addr> = Switch::On(loopback(8311)), Unsaid::Default("\"127.0.0.1:8311\""), Restart, "--admin";
        /// The status page, for everybody; see `[status]`. `"off"` serves none. Where this default is
        /// taken already the server starts without the page, and says so.
        status: Switch<Addr> = Switch::On(STATUS), Unsaid::Default("\"127.0.0.1:8312\""), Restart, "--status";
        /// The console of tenants, where each logs in with a credential of its own. Off loopback it
        /// speaks TLS, with the certificate of `[tls]`. `"off"` serves none. Where this default is
        /// taken already the server starts without it, and says so.
        tenant_console: Switch<Addr> = Switch::On(TENANT_CONSOLE), Unsaid::Default("\"127.0.0.1:8313\""), Restart, "--tenant-console";
        /// What `tenant add` tells clients to connect to, `HOST:PORT` each, where that is not the
        /// address of `memcache_auth`: behind a name, a balancer, a translated address.
        advertise: Vec<String> = Vec::new(), Unsaid::Default("[]"), Live;
        /// Networks of load balancers. Whoever connects from there begins with a PROXY protocol
        /// header, version 2, and the client that it names counts as the source; without one he is
        /// closed. Nobody else may send one.
        proxy_protocol_from: Vec<Network> = Vec::new(), Unsaid::Nothing("[\"10.0.0.0/8\"]"), Restart;
    }
}

table! {
    /// Bounds on what clients may use.
    Limits "limits" {
        /// Client connections at once, over all listeners; of what the limit on open files leaves
        /// beside them, some more may be about to authenticate. `"auto"` is nine tenths of the hard
        /// limit, to which the soft one is raised at start, and at most 100000. More than that limit
        /// allows is lowered to what fits, with a warning. When all are taken, a tenant with fewer than
        /// its share by weight gets those that others have above theirs, the longest idle first.
        max_connections: Auto<u32> = Auto::Auto, Unsaid::Default("\"auto\""), Restart, "--max-connections";
        /// How long a connection may take to authenticate before it is closed.
        auth_timeout: Span = Span(Duration::from_secs(5)), Unsaid::Default("\"5s\""), Restart;
        /// Connections that may be about to authenticate at once; past that the oldest of whoever
        /// has most of them is closed. `"auto"` is half of `max_connections`.
        max_unauthenticated: Auto<u32> = Auto::Auto, Unsaid::Default("\"auto\""), Restart;
        /// Of these, from one source that has no authenticated connection yet: an IPv4 address, or
        /// an IPv6 network of 64 bits. Past that its oldest is closed. `"auto"` is a quarter of
        /// `max_unauthenticated`, and at least 16.
        max_unauthenticated_per_source: Auto<u32> = Auto::Auto, Unsaid::Default("\"auto\""), Restart;
        /// New connections a second that such a source may open; what is above that waits in the
        /// door behind all others.
        max_connects_per_second_per_source: Switch<u32> = Switch::On(1000), Unsaid::Default("1000"), Restart;
        /// Memory for what connections have sent before they are authenticated. When it is used up
        /// the oldest of whoever has most of it is closed.
        door_memory: Size = Size(ByteSize(32 << 20)), Unsaid::Default("\"32MiB\""), Restart;
        /// How long a client may leave its replies unread before its connection is closed.
        stalled_reader_timeout: Span = Span(Duration::from_secs(30)), Unsaid::Default("\"30s\""), Restart;
        /// How long a client may take to complete a request that it has begun, and for each 16 KiB of a
        /// long one, before its connection is closed.
        stalled_writer_timeout: Span = Span(Duration::from_secs(30)), Unsaid::Default("\"30s\""), Restart;
        /// Close client connections that have been silent for so long. Off as a rule: clients that
        /// keep pools reconnect all at once.
        idle_timeout: Switch<Span> = Switch::Off, Unsaid::Default("\"off\""), Restart;
        /// How long what was sent may stay unacknowledged before the client's host is taken for
        /// dead (`TCP_USER_TIMEOUT`). `"off"` leaves that to the system: a quarter of an hour.
        user_timeout: Switch<Span> = Switch::On(Span(Duration::from_secs(30))), Unsaid::Default("\"30s\""), Restart;
        /// What the kernel may hold of replies for one connection (`SO_SNDBUF`), charged to the
        /// connection's tenant: 4 KiB to 1 GiB. `"auto"` leaves it to the system, which gives some
        /// megabytes to whoever reads slowly.
        send_buffer: Auto<Size> = Auto::Is(Size(ByteSize(256 << 10))), Unsaid::Default("\"256KiB\""), Restart;
        /// Bytes of requests and replies that a tenant without a limit of its own (`tenant limit
        /// --inflight-bytes`) may have on their way, over all connections, the kernel's send buffers
        /// included: 1 MiB to 1 TiB. Above that its sockets are not read.
        inflight_bytes: Size = Size(ByteSize(256 << 20)), Unsaid::Default("\"256MiB\""), Restart;
        /// After SIGTERM, how long requests in flight may take before what is left is cut off.
        drain_timeout: Span = Span(Duration::from_secs(10)), Unsaid::Default("\"10s\""), Live;
        /// After `cofferdam upgrade`, the time over which the old process closes its connections,
        /// evenly spread, so that clients do not come back all at once.
        drain_time: Span = Span(Duration::from_secs(60)), Unsaid::Default("\"60s\""), Live;
    }
}

table! {
    /// Encryption. The files are read at start and again on each reload; connections that are open
    /// keep what they began with.
    Tls "tls" {
        /// Listeners of `[listen]` that speak TLS and nothing else: `"memcache"`, `"memcache_auth"`,
        /// `"tenant_console"`, `"status"`. `memcache_tls` always does, and `tenant_console` off
        /// loopback. With `"nbd"` clients of volumes must begin with STARTTLS and show a certificate
        /// that `client_ca` vouches for, whatever `client_certificate` says.
        listeners: Vec<TlsListener> = Vec::new(), Unsaid::Nothing("[\"memcache_auth\"]"), Restart;
        /// The server's certificate and those that lead to its authority, PEM.
        certificate: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/server.pem\""), Live;
        /// The private key of that certificate, PEM.
        key: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/server.key\""), Live;
        /// Authorities of client certificates, PEM. A client that shows one of theirs is
        /// authenticated as the tenant that its common name, or a name beside it, names.
        client_ca: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/clients.pem\""), Live;
        /// Whether clients must show a certificate where `client_ca` is set: `"optional"` (those
        /// without one authenticate with a password) or `"required"`.
        client_certificate: ClientCertificate = ClientCertificate::Optional, Unsaid::Default("\"optional\""), Live;
    }
}

table! {
    /// The admin API.
    Admin "admin" {
        /// Names besides `localhost` and plain addresses under which the admin API may be asked.
        /// Any other `Host` is refused, so that no web page reaches it through a name of its own.
        hosts: Vec<String> = Vec::new(), Unsaid::Default("[]"), Restart;
        /// The certificate with which `listen.admin` speaks TLS and nothing else, and those that lead
        /// to its authority, PEM. To ask it from the command line, `--admin https://HOST:PORT`, and
        /// `--admin-ca FILE` where the system does not trust the authority. Read again on each reload.
        certificate: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/admin.pem\""), Live;
        /// The private key of that certificate, PEM.
        key: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/admin.key\""), Live;
    }
}

table! {
    /// Block volumes, where this process serves them.
    Volumes "volumes" {
        /// Memory for blocks that are read again and again, of all volumes together, beside the
        /// system's page cache, which has them as they are stored: checked, and opened if they are
        /// compressed. `"0"` keeps none.
        read_cache: Size = Size(ByteSize(64 << 20)), Unsaid::Default("\"64MiB\""), Restart;
    }
}

table! {
    /// Several machines: who this process is, and who the others are. Read by `cofferdam gateway` and
    /// `cofferdam node`; `cofferdam up` is a fleet of its own.
    Fleet "fleet" {
        /// The number of this gateway or node, another one for each in the fleet; of no meaning with a
        /// store, which gives out numbers itself.
        member: u32 = 0, Unsaid::Default("0"), Restart;
        /// Its name, which its certificate bears and no other member has: letters, digits, `-`, `_` and `.`, 63
        /// at most.
        name: String = "cofferdam".to_owned(), Unsaid::Default("\"cofferdam\""), Restart;
        /// What `cofferdam node` serves: `"cache"`, a part of the tenants' keys, or `"volume"`, the volumes of
        /// its data folder and no cache. A volume node stands alone: it is in no store.
        role: NodeRole = NodeRole::Cache, Unsaid::Default("\"cache\""), Restart;
        /// Where a node takes gateways' connections.
        listen: Addr = loopback(8322), Unsaid::Default("\"127.0.0.1:8322\""), Restart;
        /// Where gateways reach this node, `IP:PORT`, if that is not `listen`.
        advertise: Option<Addr> = None, Unsaid::Nothing("\"10.0.0.1:8322\""), Restart;
        /// This node's part of the keys beside the others'.
        weight: u32 = 100, Unsaid::Default("100"), Restart;
        /// The cache nodes, for a gateway without a store. All gateways list the same ones with the
        /// same weights.
        nodes: Vec<NodeEntry> = Vec::new(), Unsaid::Nothing("[{ member = 1, name = \"node1\", addr = \"10.0.0.1:8322\", weight = 100 }]"), Restart;
        /// Folder with `ca.pem`, `member.pem` and `member.key`: gateways and nodes show each other
        /// certificates of one authority. Unless it is set, `fleet` in the data folder, where
        /// `cofferdam cluster join` puts them. New ones are taken up without a restart.
        certificates: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/fleet\""), Restart;
        /// Whether gateways and nodes speak unencrypted and believe anybody. Refused off loopback.
        plaintext: bool = false, Unsaid::Default("false"), Restart;
        /// 32 hexadecimal digits, the same on all gateways (without a store, which has its own), from which it follows which node has a
        /// key: keep it from clients, who could aim all keys at one node.
        secret: Option<String> = None, Unsaid::Nothing("\"00112233445566778899aabbccddeeff\""), Restart;
        /// The least time for which a request to a node is waited for, however quick the others of
        /// its tenant were.
        deadline_min: Span = Span(Duration::from_millis(20)), Unsaid::Default("\"20ms\""), Restart;
        /// The most, however slow they were. Clients give up themselves after 500 ms as a rule.
        deadline_max: Span = Span(Duration::from_millis(250)), Unsaid::Default("\"250ms\""), Restart;
        /// Requests of one connection that a node allows to be unanswered at once.
        credits: u32 = 4096, Unsaid::Default("4096"), Restart;
    }
}

table! {
    /// Where a fleet keeps what its processes must agree on: etcd, through its JSON gateway. Read by
    /// `cofferdam gateway` and `cofferdam node`.
    Store "store" {
        /// Base URLs of etcd's members; `http` on loopback only. None is a fleet without a store,
        /// whose nodes are listed in `fleet.nodes`.
        endpoints: Vec<String> = Vec::new(), Unsaid::Nothing("[\"https://10.0.0.11:2379\", \"https://10.0.0.12:2379\", \"https://10.0.0.13:2379\"]"), Restart;
        /// The fleet's name, for several that share an etcd.
        fleet: String = "main".to_owned(), Unsaid::Default("\"main\""), Restart;
        /// Who signed etcd's certificates, PEM; unless it is set, the fleet's own authority did, and
        /// etcd is shown this member's certificate.
        authority: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/etcd/ca.pem\""), Restart;
        /// This process's own certificate, where etcd asks for one, PEM.
        certificate: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/etcd/client.pem\""), Restart;
        /// The private key of that certificate, PEM.
        key: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/etcd/client.key\""), Restart;
    }
}

/// Where the status page is served unless it is said otherwise.
pub(crate) const STATUS: Addr = loopback(8312);

/// Where tenants' console is served unless it is said otherwise.
pub(crate) const TENANT_CONSOLE: Addr = loopback(8313);

const fn loopback(port: u16) -> Addr {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    Addr(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
}

impl Fleet {
    /// The secret in bytes, all 0 if there is none; `None` if it is no 32 hexadecimal digits.
    pub(crate) fn secret(&self) -> Option<[u8; 16]> {
        let Some(text) = &self.secret else {
            return Some([0; 16]);
        };
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(number.to_be_bytes())
    }
}
