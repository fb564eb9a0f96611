//! The victims' latency over time as a picture: one panel for each server, logarithmic.

use std::fmt::Write as _;

use super::timeline::{Phase, Point, Timeline};

const WIDTH: f64 = 900.0;
const PANEL_HEIGHT: f64 = 220.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 15.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 34.0;
/// The scale's ends, in milliseconds.
const LOW_MS: f64 = 0.01;
const HIGH_MS: f64 = 1000.0;
const SECONDS_PER_TICK: usize = 5;

/// The whole picture.
pub(crate) fn svg(timelines: &[(String, Timeline)]) -> String {
    let height = PANEL_HEIGHT * timelines.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (index, (name, timeline)) in timelines.iter().enumerate() {
        let _ = writeln!(
            text,
            "<g transform=\"translate(0 {})\">",
            PANEL_HEIGHT * index as f64
        );
        panel(&mut text, name, timeline);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

fn panel(text: &mut String, name: &str, timeline: &Timeline) {
    let points = timeline.points();
    let end_s = points.last().map_or(1.0, |it| it.at_s).max(1.0);
    let x = |at_s: f64| LEFT + (WIDTH - LEFT - RIGHT) * at_s / end_s;
    phases(text, timeline, &x);
    scale(text, end_s, &x);
    line(text, &points, &x, |it| it.p99_ms, "#c0392b");
    line(text, &points, &x, |it| it.p50_ms, "#2471a3");
    for point in points.iter().filter(|it| it.errors > 0) {
        let (at, base) = (x(point.at_s), PANEL_HEIGHT - BOTTOM);
        let _ = writeln!(
            text,
            "<path d=\"M{at:.1} {base} l-3 -7 h6 z\" fill=\"#000000\"><title>{} errors</title></path>",
            point.errors
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{LEFT}\" y=\"14\">{}: victims' latency in ms, <tspan fill=\"#2471a3\">p50</tspan> \
         and <tspan fill=\"#c0392b\">p99</tspan> per 100 ms, ▼ errors</text>",
        escape(name)
    );
}

/// A band and a name for each phase.
fn phases(text: &mut String, timeline: &Timeline, x: &dyn Fn(f64) -> f64) {
    let begin_ns = timeline.begin_ns();
    let since = |ns: u64| ns.saturating_sub(begin_ns) as f64 / 1e9;
    for (phase, span) in timeline.phases() {
        let fill = match phase {
            Phase::Steady | Phase::Recover => "#eef5ee",
            Phase::Idle => "#eef2f8",
            Phase::Inject => "#fdf3e3",
            Phase::Hold => "#fbe6e3",
        };
        let (from, to) = (x(since(span.from_ns)), x(since(span.to_ns)));
        let _ = writeln!(
            text,
            "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\" fill=\"{fill}\"/>\n\
             <text x=\"{:.1}\" y=\"{}\" fill=\"#666666\">{phase}</text>",
            (to - from).max(0.0),
            PANEL_HEIGHT - TOP - BOTTOM,
            from + 3.0,
            TOP - 5.0
        );
    }
}

/// Lines for powers of ten, and seconds.
fn scale(text: &mut String, end_s: f64, x: &dyn Fn(f64) -> f64) {
    let mut value_ms = LOW_MS;
    while value_ms <= HIGH_MS * 1.001 {
        let at = y(value_ms);
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {at:.1} H{}\" stroke=\"#cccccc\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            (value_ms * 100.0).round() / 100.0
        );
        value_ms *= 10.0;
    }
    for second in (0..=end_s as usize).step_by(SECONDS_PER_TICK) {
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{second} s</text>",
            x(second as f64),
            PANEL_HEIGHT - BOTTOM + 16.0
        );
    }
}

/// A line with a gap where nothing was answered.
fn line(
    text: &mut String,
    points: &[Point],
    x: &dyn Fn(f64) -> f64,
    value_ms: fn(&Point) -> f64,
    colour: &str,
) {
    let _ = write!(
        text,
        "<path fill=\"none\" stroke-width=\"1.3\" stroke=\"{colour}\" d=\""
    );
    let mut is_down = false;
    for point in points {
        if point.has_latency {
            let command = if is_down { 'L' } else { 'M' };
            let (at, height) = (x(point.at_s), y(value_ms(point)));
            let _ = write!(text, "{command}{at:.1} {height:.1} ");
        }
        is_down = point.has_latency;
    }
    text.push_str("\"/>\n");
}

/// Where a latency lies.
fn y(value_ms: f64) -> f64 {
    let decades = (HIGH_MS / LOW_MS).log10();
    let part = (value_ms.clamp(LOW_MS, HIGH_MS) / LOW_MS).log10() / decades;
    PANEL_HEIGHT - BOTTOM - (PANEL_HEIGHT - TOP - BOTTOM) * part
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
#[path = "plot_test.rs"]
mod tests;
