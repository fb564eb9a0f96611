//! What a run found, for people: Markdown with a text sparkline, and a plot beside it.

use std::fmt::Write as _;

use super::outcome::{Figures, Outcome, Verdict};
use super::plot;
use super::timeline::{Phase, Point, Timeline};

/// What a run found.
#[derive(Debug)]
pub struct Report {
    /// For programs.
    pub outcome: Outcome,
    /// The course of each server's run, by name; the first is the one under test.
    pub(crate) timelines: Vec<(String, Timeline)>,
}

/// From quick to slow, one step each 10^(1/2).
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The latency of the lowest bar, in milliseconds.
const BAR_MS: f64 = 0.05;
const LINE_LEN_MAX: usize = 100;

impl Report {
    /// The whole report as Markdown; `plot` is the name of the picture beside it.
    pub fn to_markdown(&self, plot: Option<&str>) -> String {
        let outcome = &self.outcome;
        let mut text = format!(
            "# Drill `{}`: {}\n\n{}, protections {}, seed {}.\n\n",
            outcome.drill,
            word(outcome.verdict),
            outcome.server,
            outcome.protections,
            outcome.seed
        );
        list(&mut text, &outcome.reasons);
        text.push_str(&self.table());
        for (name, timeline) in &self.timelines {
            let _ = write!(text, "\n{name}, victims' p99 over time:\n\n```\n");
            text.push_str(&sparkline(timeline));
            text.push_str("```\n");
        }
        if let Some(plot) = plot {
            let _ = write!(text, "\n![victims' latency over time]({plot})\n");
        }
        for peer in &outcome.peers {
            let _ = write!(text, "\n{}: {}\n\n", peer.name, word(peer.verdict));
            list(&mut text, &peer.reasons);
        }
        if !outcome.notes.is_empty() {
            text.push_str("\nNotes:\n\n");
            list(&mut text, &outcome.notes);
        }
        text
    }

    /// The plot of the victims' latency, as SVG.
    pub fn to_svg(&self) -> String {
        plot::svg(&self.timelines)
    }

    /// A line for each figure, a column for each server.
    fn table(&self) -> String {
        let outcome = &self.outcome;
        let mut columns = vec![("this server", &outcome.figures)];
        for peer in &outcome.peers {
            let name = peer.name.split([' ', ',']).next().unwrap_or_default();
            columns.push((name, &peer.figures));
        }
        let mut text = "| figure | bound |".to_owned();
        for (name, _) in &columns {
            let _ = write!(text, " {name} |");
        }
        text.push_str("\n|---|---|");
        text.push_str(&"---:|".repeat(columns.len()));
        text.push('\n');
        for (figure, bound, show) in ROWS {
            let _ = write!(text, "| {figure} | {bound} |");
            for (_, figures) in &columns {
                let _ = write!(text, " {} |", show(figures));
            }
            text.push('\n');
        }
        text
    }
}

/// A figure's name, its bound, and how it is shown.
type Row = (&'static str, &'static str, fn(&Figures) -> String);

const ROWS: [Row; 23] = [
    ("victims' p99 before, ms", "", |it| {
        ms(it.victims.p99_ms.before)
    }),
    ("victims' p99 under the spike, ms", "", |it| {
        ms(it.victims.spike_p99_ms)
    }),
    ("victims' p99 during, ms", "before + 0.25", |it| {
        ms(it.victims.p99_ms.during)
    }),
    ("victims' p99 after, ms", "", |it| {
        ms(it.victims.p99_ms.after)
    }),
    ("victims' errors", "0", |it| it.victims.errors.to_string()),
    ("victims' failed connects", "0", |it| {
        it.victims.connect_failures.to_string()
    }),
    ("victims' connect and login p99, ms", "100", |it| {
        ms(it.victims.connect_p99_ms)
    }),
    ("oldest CLOSE_WAIT, ms", "1000", |it| {
        format!("{:.0}", it.storm.close_wait_oldest_ms)
    }),
    ("CLOSE_WAIT at once", "", |it| {
        it.storm.close_wait_peak.to_string()
    }),
    ("large tenant's served share", "0.9 or more", |it| {
        format!("{:.2}", it.aggressor.served_share)
    }),
    ("the same in the storm", "", |it| {
        format!("{:.2}", it.aggressor.served_share_in_storm)
    }),
    ("times that it connected anew", "", |it| {
        it.aggressor.reconnects.to_string()
    }),
    ("back to normal after, ms", "1000", |it| {
        match it.recover_ms {
            Some(ms) => format!("{ms:.0}"),
            None => "never".into(),
        }
    }),
    (
        "victims' p99 with idle connections held, ms",
        "x 1.2 or + 0.2",
        |it| match it.idle {
            Some(idle) => format!("{} ({} held)", ms(idle.p99_ms), idle.alive),
            None => "-".into(),
        },
    ),
    ("offered, times the capacity", "3 or more", |it| {
        format!("{:.2}", it.aggressor.offered_multiple)
    }),
    ("capacity before / after, requests/s of the mix", "", |it| {
        let (before, after) = (
            it.aggressor.capacity_per_s,
            it.aggressor.capacity_after_per_s,
        );
        format!("{before:.0} / {after:.0}")
    }),
    ("storm: connections opened", "", |it| {
        format!(
            "{} ({} at once)",
            it.storm.opened, it.storm.connections_peak
        )
    }),
    ("storm: closed by the server", "", |it| {
        it.storm.closed_by_server.to_string()
    }),
    ("server's CPU before / during / after, cores", "", |it| {
        let cpu = it.server_cpu;
        format!("{:.2} / {:.2} / {:.2}", cpu.before, cpu.during, cpu.after)
    }),
    (
        "victims' p99 before: from third to third, ms",
        "0.25",
        |it| ms(it.generator.noise_ms),
    ),
    ("others on the server's core before, %", "5", |it| {
        format!("{:.1}", it.generator.others_before * 100.0)
    }),
    ("others on the server's core during, %", "3", |it| {
        format!("{:.1}", it.generator.others_during * 100.0)
    }),
    ("generator's own lag p99, ms", "0.2", |it| {
        ms(it.generator.lag_p99_ms)
    }),
];

fn ms(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.3}"),
        value => format!("{value:.1}"),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Invalid => "invalid",
    }
}

fn list(text: &mut String, items: &[String]) {
    for item in items {
        let _ = writeln!(text, "- {item}");
    }
    if !items.is_empty() {
        text.push('\n');
    }
}

/// A line for each phase: its name and a bar for each window, crossed out where there were errors.
fn sparkline(timeline: &Timeline) -> String {
    let points = timeline.points();
    let begin_ns = timeline.begin_ns();
    let mut text = String::new();
    for (phase, span) in timeline.phases() {
        let since = |ns: u64| ns.saturating_sub(begin_ns) as f64 / 1e9;
        let (from_s, to_s) = (since(span.from_ns), since(span.to_ns));
        let within: Vec<Point> = points
            .iter()
            .filter(|it| (from_s..to_s).contains(&it.at_s))
            .copied()
            .collect();
        let _ = writeln!(text, "{} {}", label(*phase), bars(&within));
    }
    let top_ms = BAR_MS * 10f64.powf(BARS.len() as f64 / 2.0);
    let _ = writeln!(
        text,
        "        {} up to {BAR_MS} ms, each step x 3.2, {} above {:.0} ms; x: errors, ·: no answers",
        BARS[0],
        BARS[BARS.len() - 1],
        top_ms / 10f64.sqrt() / 10f64.sqrt()
    );
    text
}

fn label(phase: Phase) -> String {
    format!("{:<7}", phase.to_string())
}

fn bars(points: &[Point]) -> String {
    let per_bar = points.len().div_ceil(LINE_LEN_MAX).max(1);
    points.chunks(per_bar).map(bar).collect()
}

/// The worst of some windows.
fn bar(points: &[Point]) -> char {
    if points.iter().any(|it| it.errors > 0) {
        return 'x';
    }
    if !points.iter().any(|it| it.has_latency) {
        return '·';
    }
    let worst_ms = points.iter().map(|it| it.p99_ms).fold(0.0, f64::max);
    let step = (worst_ms / BAR_MS).max(1.0).log10() * 2.0;
    BARS[(step.ceil() as usize).min(BARS.len() - 1)]
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
