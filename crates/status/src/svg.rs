//! Pictures as SVG: bars of days, the latency of a day, and a badge; small, and drawn on the server.

use std::fmt::Write;

use crate::component::Path;
use crate::level::Level;
use crate::view::View;

/// Colours of the badge, which stands on pages of others: dark enough for white text.
const fn badge_colour(level: Level) -> &'static str {
    match level {
        Level::Operational => "#1a7f37",
        Level::Maintenance => "#1f6feb",
        Level::NoData => "#57606a",
        Level::Degraded => "#7d5700",
        Level::Partial => "#b35900",
        Level::Major => "#b42318",
    }
}

/// Days as bars in a box of one unit each: a run of days of one level is one dashed line, so that
/// ninety days take some dozen bytes.
pub(crate) fn bars(levels: &[Level]) -> String {
    let mut paths: Vec<(Level, String)> = Vec::new();
    let mut at = 0;
    while let Some(level) = levels.get(at) {
        let run = levels
            .iter()
            .skip(at)
            .take_while(|one| *one == level)
            .count();
        if !paths.iter().any(|(known, _)| known == level) {
            paths.push((*level, String::new()));
        }
        if let Some((_, path)) = paths.iter_mut().find(|(known, _)| known == level) {
            // A `String` takes all that is written to it.
            let _ = write!(path, "M{at} 5h{run}");
        }
        at += run;
    }
    let mut svg = String::new();
    for (level, path) in paths {
        let _ = write!(svg, "<path class=\"{}\" d=\"{path}\"/>", level.class());
    }
    svg
}

/// Five minutes each, a day in all.
pub(crate) const BUCKETS: u64 = 288;
const BUCKET_MINUTES: u64 = 5;
const HEIGHT: u32 = 100;

/// The latency of the last day, each way a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The lines and the marks of failures, as elements in a box of 288 by 100.
    pub svg: String,
    /// What the top of the box stands for, in words.
    pub top: String,
    /// In words, for those who do not see it.
    pub summary: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    slowest_us: u32,
    answered: u32,
    failed: u32,
}

/// The latency of the last day; of several gateways the slowest counts.
pub(crate) fn graph(view: &View<'_>) -> Graph {
    let lines = [Path::New, Path::Kept].map(|path| (path, buckets(view, path)));
    let all = lines.iter().flat_map(|(_, buckets)| buckets);
    let highest_us = all.clone().map(|one| one.slowest_us).max().unwrap_or(0);
    let top_us = nice_top(highest_us);
    let mut svg = String::new();
    let mut parts = Vec::new();
    for (path, buckets) in &lines {
        let d = line(buckets, top_us);
        let _ = write!(svg, "<path class=\"line-{}\" d=\"{d}\"/>", path.key());
        let last = buckets.iter().rev().find(|one| one.answered > 0);
        let last = last.map_or("no data".to_owned(), |one| latency(one.slowest_us));
        parts.push(format!("{}: {last} at last", path.name()));
    }
    let mut failures = String::new();
    for at in 0..BUCKETS as usize {
        let failed = lines
            .iter()
            .any(|(_, b)| b.get(at).is_some_and(|one| one.failed > 0));
        if failed {
            let _ = write!(failures, "M{at} 0v{HEIGHT}");
        }
    }
    let svg = format!("<path class=\"failures\" d=\"{failures}\"/>{svg}");
    let is_known = all.clone().any(|one| one.answered > 0);
    Graph {
        svg,
        top: match is_known {
            true => latency(top_us),
            false => String::new(),
        },
        summary: match is_known {
            true => parts.join("; "),
            false => "No figures yet: the first come within a minute".to_owned(),
        },
    }
}

fn buckets(view: &View<'_>, path: Path) -> Vec<Bucket> {
    let last = view.now.as_nanos() / 60_000_000_000 / BUCKET_MINUTES;
    let first = last.saturating_sub(BUCKETS - 1);
    let mut buckets = vec![Bucket::default(); BUCKETS as usize];
    for one in view.components().filter(|one| one.component().path == path) {
        for minute in one.watched.history.minutes() {
            let index = (minute.minute / BUCKET_MINUTES).checked_sub(first);
            let Some(bucket) = index.and_then(|index| buckets.get_mut(index as usize)) else {
                continue;
            };
            bucket.slowest_us = bucket.slowest_us.max(minute.median_us);
            bucket.answered += minute.answered;
            bucket.failed += minute.failed;
        }
    }
    buckets
}

/// A line with gaps where nothing was answered.
fn line(buckets: &[Bucket], top_us: u32) -> String {
    let mut d = String::new();
    let mut is_down = false;
    for (at, bucket) in buckets.iter().enumerate() {
        if bucket.answered == 0 {
            is_down = false;
            continue;
        }
        let share = u64::from(bucket.slowest_us) * u64::from(HEIGHT) / u64::from(top_us.max(1));
        let y = u64::from(HEIGHT).saturating_sub(share);
        match is_down {
            true => drop(write!(d, "L{at} {y}")),
            // A single point is drawn as well.
            false => drop(write!(d, "M{at} {y}h.5")),
        }
        is_down = true;
    }
    d
}

/// The next of 1, 2 and 5 times a power of ten, in microseconds; at least a millisecond.
fn nice_top(highest_us: u32) -> u32 {
    let mut top = 1_000u32;
    for factor in [2, 5, 10].into_iter().cycle() {
        if top >= highest_us {
            break;
        }
        let power = 10u32.saturating_pow(top.ilog10());
        top = power.saturating_mul(factor);
        if top == u32::MAX {
            break;
        }
    }
    top
}

/// `0.8 ms`, `12 ms`, `2 s`.
pub(crate) fn latency(us: u32) -> String {
    match us {
        0..10_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        10_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

/// The state as a badge for other pages.
pub fn badge(view: &View<'_>) -> String {
    let (label, text) = ("status", badge_text(view.level));
    // As wide as a letter of Verdana at 11 pixels is on average.
    let width = |text: &str| 7 * text.len() + 12;
    let (left, right) = (width(label), width(text));
    let all = left + right;
    let colour = badge_colour(view.level);
    let (label_at, text_at) = (left / 2, left + right / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" \
         aria-label=\"{label}: {text}\"><title>{label}: {text}</title><clipPath id=\"r\">\
         <rect width=\"{all}\" height=\"20\" rx=\"3\"/></clipPath><g clip-path=\"url(#r)\">\
         <path fill=\"#444c56\" d=\"M0 0h{left}v20H0z\"/>\
         <path fill=\"{colour}\" d=\"M{left} 0h{right}v20H{left}z\"/></g>\
         <g fill=\"#fff\" text-anchor=\"middle\" font-size=\"11\" \
         font-family=\"Verdana,DejaVu Sans,sans-serif\"><text x=\"{label_at}\" y=\"14\">{label}</text>\
         <text x=\"{text_at}\" y=\"14\">{text}</text></g></svg>\n"
    )
}

const fn badge_text(level: Level) -> &'static str {
    match level {
        Level::Operational => "operational",
        Level::Maintenance => "maintenance",
        Level::NoData => "no data",
        Level::Degraded => "slow",
        Level::Partial => "partial outage",
        Level::Major => "outage",
    }
}

#[cfg(test)]
#[path = "svg_test.rs"]
mod tests;
