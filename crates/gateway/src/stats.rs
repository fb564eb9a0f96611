//! What `stats` tells: memcached's names, and nothing of any other tenant.

mod names;

use std::fmt::{self, Write};

use base::Timestamp;
use base::kv::Stats;
use memcache_proto::{Reply, StatsKind, VERSION};

use crate::gather::ConnectionLine;
use crate::session::SessionId;
use crate::{Backend, ConnectionFigures, Shard};
use names::{ABSENT, ABSENT_OF_ITEMS, ABSENT_SETTINGS, SETTINGS};

/// What `stats` tells of the server itself.
#[derive(Clone, Debug)]
pub struct ServerInfo {
    /// The process's number.
    pub pid: u32,
    /// When it started.
    pub started: Timestamp,
    /// Its event loops.
    pub threads: usize,
    /// Connections that it accepts at most.
    pub connections_max: usize,
    /// The port of the open tenant; 0 where it has none.
    pub open_port: u16,
    /// The port of all others.
    pub auth_port: u16,
    /// Connections that the kernel keeps until they are accepted.
    pub tcp_backlog: u32,
    /// Seconds of silence after which a connection is closed; 0 for never.
    pub idle_timeout_s: u64,
}

impl<B: Backend> Shard<B> {
    pub(crate) fn write_stats(
        &self,
        now: Timestamp,
        asked_by: SessionId,
        kind: StatsKind<'_>,
        reply: Reply<'_>,
        out: &mut Vec<u8>,
    ) {
        let Some(session) = self.sessions.get(asked_by.0 as usize) else {
            return;
        };
        let Some(tenant) = self.tenants.get(session.tenant as usize) else {
            return;
        };
        let mut page = Page {
            reply,
            out,
            text: String::new(),
        };
        let stats = self.backend.stats(&tenant.data);
        match kind {
            StatsKind::General => {
                page.server(now, &self.config.server);
                page.connections(&tenant.figures.sum(), &self.config.server);
                page.commands(&stats);
                page.memory(&stats, &self.config.server);
                page.absent(ABSENT);
            }
            StatsKind::Settings => {
                let visitor = Visitor {
                    item_size_max: tenant.limits.item_size_max,
                    may_flush: session.rights.flush,
                    is_authenticated: session.credential.is_some(),
                    turn_requests_max: self.config.turn_requests_max,
                    has_detail: tenant.figures.prefixes.is_on(),
                };
                page.settings(&stats, &visitor, &self.config.server);
            }
            StatsKind::Items => page.items(&stats),
            StatsKind::Slabs => page.slabs(&stats),
            StatsKind::Sizes => page.line("sizes_status", "disabled"),
            _ => {}
        }
        reply.stats_end(page.out);
    }
}

/// Writes the answer to `stats conns`.
pub(crate) fn write_connections(lines: &[ConnectionLine], reply: Reply<'_>, out: &mut Vec<u8>) {
    let mut page = Page {
        reply,
        out,
        text: String::new(),
    };
    for (number, line) in lines.iter().enumerate() {
        page.line(format_args!("{number}:addr"), line.peer);
        page.line(format_args!("{number}:listen_addr"), line.local);
        page.line(format_args!("{number}:state"), line.state);
        page.line(format_args!("{number}:secs_since_last_cmd"), line.idle_s);
    }
    reply.stats_end(page.out);
}

/// The lines of one answer.
struct Page<'p> {
    reply: Reply<'p>,
    out: &'p mut Vec<u8>,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, name: impl fmt::Display, value: impl fmt::Display) {
        self.text.clear();
        // Writing to a String does not fail.
        let _ = write!(self.text, "{name}");
        let name_len = self.text.len();
        let _ = write!(self.text, "{value}");
        let (name, value) = self.text.split_at(name_len);
        self.reply.stat(name.as_bytes(), value.as_bytes(), self.out);
    }

    fn lines(&mut self, lines: &[(&str, u64)]) {
        for (name, value) in lines {
            self.line(name, value);
        }
    }

    fn server(&mut self, now: Timestamp, server: &ServerInfo) {
        self.line("pid", server.pid);
        self.line("uptime", now.since(server.started).as_secs());
        self.line("time", now.unix_secs());
        self.line("version", VERSION);
        self.line("libevent", "none");
        self.line("pointer_size", usize::BITS);
    }

    fn connections(&mut self, figures: &ConnectionFigures, server: &ServerInfo) {
        // The time spent serving this tenant, kernel included, stands for memcached's user time.
        let busy = std::time::Duration::from_nanos(figures.busy_ns);
        self.line(
            "rusage_user",
            format_args!("{}.{:06}", busy.as_secs(), busy.subsec_micros()),
        );
        self.line("rusage_system", "0.000000");
        self.lines(&[
            ("max_connections", server.connections_max as u64),
            ("curr_connections", figures.connections),
            ("total_connections", figures.connections_total),
            ("rejected_connections", figures.shed),
            ("connection_structures", figures.connections),
            ("cmd_meta", figures.meta_requests),
            ("auth_cmds", figures.auth_attempts),
            ("auth_errors", figures.auth_failures),
            ("bytes_read", figures.bytes_read),
            ("bytes_written", figures.bytes_written),
            ("conn_yields", figures.turns_cut_short),
        ]);
    }

    fn commands(&mut self, stats: &Stats) {
        self.lines(&[
            ("cmd_get", stats.cmd_get),
            ("cmd_set", stats.cmd_set),
            ("cmd_flush", stats.cmd_flush),
            ("cmd_touch", stats.cmd_touch),
            ("get_hits", stats.get_hits),
            ("get_misses", stats.get_misses),
            ("get_expired", stats.get_expired),
            ("get_flushed", stats.get_flushed),
            ("delete_misses", stats.delete_misses),
            ("delete_hits", stats.delete_hits),
            ("incr_misses", stats.incr_misses),
            ("incr_hits", stats.incr_hits),
            ("decr_misses", stats.decr_misses),
            ("decr_hits", stats.decr_hits),
            ("cas_misses", stats.cas_misses),
            ("cas_hits", stats.cas_hits),
            ("cas_badval", stats.cas_badval),
            ("touch_hits", stats.touch_hits),
            ("touch_misses", stats.touch_misses),
            ("store_too_large", stats.store_too_large),
            ("store_no_memory", stats.store_no_memory),
        ]);
    }

    fn memory(&mut self, stats: &Stats, server: &ServerInfo) {
        self.lines(&[
            ("limit_maxbytes", stats.quota_bytes),
            ("accepting_conns", 1),
            ("listen_disabled_num", 0),
            ("threads", server.threads as u64),
            ("hash_power_level", table_power(stats.index_bytes)),
            ("hash_bytes", stats.index_bytes),
            ("hash_is_expanding", 0),
            ("bytes", stats.bytes),
            ("curr_items", stats.curr_items),
            ("total_items", stats.total_items),
            ("expired_unfetched", stats.expired_unfetched),
            ("evicted_unfetched", stats.evicted_unfetched),
            ("evictions", stats.evictions),
            ("reclaimed", stats.reclaimed),
            ("cofferdam_held_bytes", stats.held_bytes),
            ("cofferdam_segments", stats.segments),
            ("cofferdam_copied_bytes", stats.copied_bytes),
        ]);
    }

    fn absent(&mut self, names: &[&str]) {
        for name in names {
            self.line(name, 0);
        }
    }

    fn settings(&mut self, stats: &Stats, visitor: &Visitor, server: &ServerInfo) {
        let authenticated = yes_or_no(visitor.is_authenticated);
        self.line("maxbytes", stats.quota_bytes);
        self.line("maxconns", server.connections_max);
        let port = match visitor.is_authenticated {
            true => server.auth_port,
            false => server.open_port,
        };
        self.line("tcpport", port);
        self.line("tcp_backlog", server.tcp_backlog);
        self.line("idle_timeout", server.idle_timeout_s);
        self.line("num_threads", server.threads);
        self.line("reqs_per_event", visitor.turn_requests_max);
        self.line("auth_enabled_sasl", authenticated);
        self.line("auth_enabled_ascii", authenticated);
        self.line("item_size_max", visitor.item_size_max);
        self.line("flush_enabled", yes_or_no(visitor.may_flush));
        self.line("detail_enabled", yes_or_no(visitor.has_detail));
        for (name, value) in SETTINGS {
            self.line(name, value);
        }
        self.absent(ABSENT_SETTINGS);
    }

    /// A tenant has one class of items, whatever their size: it is told as class 1.
    fn items(&mut self, stats: &Stats) {
        if stats.curr_items == 0 {
            return;
        }
        self.lines(&[
            ("items:1:number", stats.curr_items),
            // As in a memcached whose LRU has no segments: all of them are in the last one.
            ("items:1:number_cold", stats.curr_items),
            ("items:1:hits_to_cold", stats.get_hits),
            ("items:1:age", stats.small_age_s.max(stats.main_age_s)),
            ("items:1:mem_requested", stats.bytes),
            ("items:1:evicted", stats.evictions),
            ("items:1:evicted_time", stats.evicted_idle_s),
            ("items:1:evicted_unfetched", stats.evicted_unfetched),
            ("items:1:expired_unfetched", stats.expired_unfetched),
            ("items:1:outofmemory", stats.store_no_memory),
            ("items:1:reclaimed", stats.reclaimed),
        ]);
        self.absent(ABSENT_OF_ITEMS);
    }

    fn slabs(&mut self, stats: &Stats) {
        if let Some(segment_bytes) = stats.segment_bytes.checked_div(stats.segments) {
            self.lines(&[
                ("1:chunk_size", segment_bytes),
                ("1:chunks_per_page", 1),
                ("1:total_pages", stats.segments),
                ("1:total_chunks", stats.segments),
                ("1:used_chunks", stats.segments),
                // Free segments are not told apart from those in use.
                ("1:free_chunks", 0),
                ("1:free_chunks_end", 0),
                ("1:mem_requested", stats.bytes),
                ("1:get_hits", stats.get_hits),
                ("1:cmd_set", stats.cmd_set),
                ("1:delete_hits", stats.delete_hits),
                ("1:incr_hits", stats.incr_hits),
                ("1:decr_hits", stats.decr_hits),
                ("1:cas_hits", stats.cas_hits),
                ("1:cas_badval", stats.cas_badval),
                ("1:touch_hits", stats.touch_hits),
            ]);
        }
        self.line("active_slabs", u64::from(stats.segments > 0));
        self.line("total_malloced", stats.held_bytes);
    }
}

/// What `stats settings` tells that depends on who asks.
struct Visitor {
    item_size_max: u32,
    may_flush: bool,
    is_authenticated: bool,
    turn_requests_max: usize,
    has_detail: bool,
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// The size of an index as memcached tells it: a table of 2 to this power pointers of 8 bytes.
fn table_power(index_bytes: u64) -> u64 {
    (index_bytes / 8).checked_ilog2().unwrap_or(0).into()
}

#[cfg(test)]
#[path = "stats_test.rs"]
mod tests;
