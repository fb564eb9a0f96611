//! `/proc/net/{snmp,netstat,snmp6,sockstat}`: TCP's and UDP's counters, and sockets by kind.

use std::collections::HashMap;

/// Counters of the kernel's TCP and UDP. One that this kernel does not have is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols {
    /// UDP datagrams that nobody listened for, IPv4 and IPv6.
    pub udp_no_ports: Option<u64>,
    /// UDP datagrams that were damaged or found no room, IPv4 and IPv6.
    pub udp_receive_errors: Option<u64>,
    /// UDP datagrams that found no room in a receive buffer, IPv4 and IPv6.
    pub udp_receive_buffer_errors: Option<u64>,
    /// UDP datagrams that found no room in a send buffer, IPv4 and IPv6.
    pub udp_send_buffer_errors: Option<u64>,
    /// Connections accepted by the kernel.
    pub tcp_passive_opens: Option<u64>,
    /// Connections begun from here.
    pub tcp_active_opens: Option<u64>,
    /// Attempts that came to nothing.
    pub tcp_attempt_failures: Option<u64>,
    /// Connections that were reset.
    pub tcp_established_resets: Option<u64>,
    /// Connections established now.
    pub tcp_established: Option<u64>,
    /// Segments received.
    pub tcp_segments_received: Option<u64>,
    /// Segments sent.
    pub tcp_segments_sent: Option<u64>,
    /// Segments sent again.
    pub tcp_retransmitted_segments: Option<u64>,
    /// Resets sent.
    pub tcp_resets_sent: Option<u64>,
    /// Connections turned away because a listen queue was full.
    pub listen_overflows: Option<u64>,
    /// Connection attempts dropped at listeners, for whatever reason.
    pub listen_drops: Option<u64>,
    /// Cookies sent in place of remembering an attempt.
    pub syn_cookies_sent: Option<u64>,
    /// Connections made from a cookie.
    pub syn_cookies_received: Option<u64>,
    /// Cookies that were none of ours.
    pub syn_cookies_failed: Option<u64>,
    /// Times that a full queue of attempts made the kernel send cookies.
    pub request_queue_full_cookies: Option<u64>,
    /// Attempts dropped because that queue was full.
    pub request_queue_full_drops: Option<u64>,
    /// Connections given up because a peer did not answer.
    pub tcp_timeouts: Option<u64>,
    /// Connections ended for want of memory.
    pub tcp_aborts_on_memory: Option<u64>,
}

/// Reads the three tables; each may be empty.
pub(super) fn parse(snmp: &str, netstat: &str, snmp6: &str) -> Protocols {
    let snmp = Table::parse(snmp);
    let netstat = Table::parse(netstat);
    let six = |name: &str| single(snmp6, name);
    let both = |four: Option<u64>, six: Option<u64>| match (four, six) {
        (None, None) => None,
        (four, six) => Some(four.unwrap_or(0).saturating_add(six.unwrap_or(0))),
    };
    let udp = |name: &str| both(snmp.get("Udp", name), six(&format!("Udp6{name}")));
    let tcp = |name: &str| snmp.get("Tcp", name);
    let ext = |name: &str| netstat.get("TcpExt", name);
    Protocols {
        udp_no_ports: udp("NoPorts"),
        udp_receive_errors: udp("InErrors"),
        udp_receive_buffer_errors: udp("RcvbufErrors"),
        udp_send_buffer_errors: udp("SndbufErrors"),
        tcp_passive_opens: tcp("PassiveOpens"),
        tcp_active_opens: tcp("ActiveOpens"),
        tcp_attempt_failures: tcp("AttemptFails"),
        tcp_established_resets: tcp("EstabResets"),
        tcp_established: tcp("CurrEstab"),
        tcp_segments_received: tcp("InSegs"),
        tcp_segments_sent: tcp("OutSegs"),
        tcp_retransmitted_segments: tcp("RetransSegs"),
        tcp_resets_sent: tcp("OutRsts"),
        listen_overflows: ext("ListenOverflows"),
        listen_drops: ext("ListenDrops"),
        syn_cookies_sent: ext("SyncookiesSent"),
        syn_cookies_received: ext("SyncookiesRecv"),
        syn_cookies_failed: ext("SyncookiesFailed"),
        request_queue_full_cookies: ext("TCPReqQFullDoCookies"),
        request_queue_full_drops: ext("TCPReqQFullDrop"),
        tcp_timeouts: ext("TCPAbortOnTimeout"),
        tcp_aborts_on_memory: ext("TCPAbortOnMemory"),
    }
}

/// Pairs of lines with the same prefix: names, then values.
struct Table<'a>(HashMap<(&'a str, &'a str), u64>);

impl<'a> Table<'a> {
    fn parse(text: &'a str) -> Self {
        let mut figures = HashMap::new();
        let mut lines = text.lines();
        while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
            let (Some((group, names)), Some((same, values))) =
                (names.split_once(':'), values.split_once(':'))
            else {
                continue;
            };
            if group != same {
                continue;
            }
            let names = names.split_ascii_whitespace();
            for (name, value) in names.zip(values.split_ascii_whitespace()) {
                // Some are negative, as the greatest number of connections, -1 for none.
                if let Ok(value) = value.parse() {
                    figures.insert((group, name), value);
                }
            }
        }
        Self(figures)
    }

    fn get(&self, group: &str, name: &str) -> Option<u64> {
        self.0.get(&(group, name)).copied()
    }
}

/// A line of a name and a value.
fn single(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next()? == name).then(|| words.next()?.parse().ok())?
    })
}

/// TCP sockets of the machine (of this network namespace) by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// In use: listening, connected or closing.
    pub in_use: u64,
    /// Closed by their process, and not by the peer yet.
    pub orphaned: u64,
    /// Waiting for stray packets of a connection that is over.
    pub time_wait: u64,
    /// Memory of their buffers, in pages.
    pub memory_pages: u64,
}

impl Sockets {
    /// `TCP: inuse 1 orphan 0 tw 3 alloc 1 mem 121`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("TCP:"))?;
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let value = |name: &str| {
            let mut pairs = words.chunks_exact(2);
            pairs.find_map(|pair| match pair {
                [key, value] if *key == name => value.parse().ok(),
                _ => None,
            })
        };
        Some(Self {
            in_use: value("inuse")?,
            orphaned: value("orphan").unwrap_or(0),
            time_wait: value("tw").unwrap_or(0),
            memory_pages: value("mem").unwrap_or(0),
        })
    }
}
