//! A report and its progress as text for people.

use std::fmt::{self, Write as _};

use super::report::{Errors, Latency, OpenReport, Phase, Progress, Report};

/// Who ran for less is not worth a word.
const TOLD_MS: f64 = 1.0;

impl Report {
    /// The report as a short text with a table of latencies; ends with a line feed.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, out: &mut String) -> fmt::Result {
        writeln!(
            out,
            "{} {}, {} connections x {} in flight, {:.1} s",
            self.protocol, self.mode, self.connections, self.pipeline, self.elapsed_s
        )?;
        writeln!(
            out,
            "{} requests, {:.0} per second; {} hits, {} misses; {} sent, {} received",
            self.requests,
            self.ops_per_s,
            self.hits,
            self.misses,
            bytes_text(self.bytes_sent),
            bytes_text(self.bytes_received)
        )?;
        if let Some(prefill) = &self.prefill {
            writeln!(
                out,
                "prefill: {} items in {:.1} s",
                prefill.items, prefill.elapsed_s
            )?;
        }
        if let Some(hold) = &self.hold {
            writeln!(
                out,
                "held: {} connections opened, {} still open at the end",
                hold.opened, hold.alive
            )?;
        }
        self.write_latencies(out)?;
        write_errors(out, &self.errors, self.reconnects)?;
        if let Some(words) = &self.first_error {
            writeln!(out, "first error: {words}")?;
        }
        if let Some(open) = &self.open {
            write_open(out, open)?;
        }
        self.write_generator(out)
    }

    fn write_latencies(&self, out: &mut String) -> fmt::Result {
        writeln!(
            out,
            "{:<24}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "latency, microseconds", "count", "mean", "p50", "p90", "p99", "p99.9", "max"
        )?;
        for op in &self.by_op {
            write_latency(out, op.op, &op.latency)?;
        }
        if self.by_op.len() != 1 {
            write_latency(out, "all", &self.latency)?;
        }
        for tenant in &self.by_tenant {
            write_latency(out, &format!("tenant {}", tenant.tenant), &tenant.latency)?;
        }
        write_latency(out, "connect and log in", &self.connect)
    }

    fn write_generator(&self, out: &mut String) -> fmt::Result {
        let own = &self.generator;
        write!(
            out,
            "generator: {:.2} s of CPU, busiest thread {:.0} %",
            own.cpu_s,
            own.busy * 100.0
        )?;
        if self.open.is_some() {
            write!(
                out,
                ", own lag p50 {:.1} p99 {:.1} max {:.1} microseconds",
                own.lag.p50_us, own.lag.p99_us, own.lag.max_us
            )?;
        }
        if own.busy > 0.95 {
            write!(out, " (the generator is the limit: add threads)")?;
        }
        writeln!(out)?;
        let outside = &own.outside;
        write!(
            out,
            "meanwhile: the host took {:.1} ms, the generator waited {:.1} ms for a core; of others ran",
            outside.stolen_ms, outside.waited_ms
        )?;
        for other in outside.others.iter().filter(|it| it.ran_ms >= TOLD_MS) {
            write!(out, " {} {:.1} ms,", other.name, other.ran_ms)?;
        }
        writeln!(out, " and nobody else for {TOLD_MS} ms")
    }
}

fn write_latency(out: &mut String, name: &str, latency: &Latency) -> fmt::Result {
    if latency.count == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "{:<24}{:>12}{:>10.1}{:>10.1}{:>10.1}{:>10.1}{:>10.1}{:>10.1}",
        name,
        latency.count,
        latency.mean_us,
        latency.p50_us,
        latency.p90_us,
        latency.p99_us,
        latency.p99_9_us,
        latency.max_us
    )
}

fn write_errors(out: &mut String, errors: &Errors, reconnects: u64) -> fmt::Result {
    write!(out, "errors: {}", errors.total())?;
    for (name, count) in errors.by_name() {
        if count > 0 {
            write!(out, ", {name} {count}")?;
        }
    }
    writeln!(out, "; reconnects: {reconnects}")
}

fn write_open(out: &mut String, open: &OpenReport) -> fmt::Result {
    writeln!(
        out,
        "open loop: {:.0} per second asked, {} due, {} had to wait for a free connection, {} never sent",
        open.rate_asked_per_s, open.due, open.waited, open.unsent
    )
}

fn bytes_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, name) in UNITS {
        if bytes >= size {
            return format!("{:.1} {name}", bytes as f64 / size as f64);
        }
    }
    format!("{bytes} B")
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Connect => "connect",
            Self::Prefill => "prefill",
            Self::Warmup => "warmup",
            Self::Measure => "measure",
            Self::Hold => "hold",
        })
    }
}

impl fmt::Display for Progress {
    /// One line, without a line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<8}{:>6.1} s {:>9.0} ops/s  p50 {:>8.1} us  p99 {:>8.1} us",
            self.phase, self.elapsed_s, self.ops_per_s, self.p50_us, self.p99_us
        )?;
        for (name, count) in [
            ("misses", self.misses),
            ("errors", self.errors),
            ("reconnects", self.reconnects),
        ] {
            if count > 0 {
                write!(f, "  {name} {count}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "report_text_test.rs"]
mod tests;
