//! The table that a run is judged by: figures in, reasons in words out.

use super::outcome::{Figures, Verdict};

/// What the victims' p99 may rise by during the fault, in milliseconds.
pub(crate) const P99_MORE_MS: f64 = 0.25;
/// A fresh connect and login of a victim, p99, in milliseconds.
const CONNECT_P99_MS: f64 = 100.0;
/// No CLOSE_WAIT lives longer than this, in milliseconds.
const CLOSE_WAIT_MS: f64 = 1000.0;
/// Isolation must not waste the machine.
const SERVED_SHARE: f64 = 0.9;
/// Normal again after the fault within this, in milliseconds.
const RECOVER_MS: f64 = 1000.0;
/// What idle connections may cost the victims: this factor, or this many milliseconds more.
const IDLE_RATIO: f64 = 1.2;
const IDLE_MORE_MS: f64 = 0.2;
/// A run is no run if its own generator was later than this, in milliseconds,
const LAG_P99_MS: f64 = 0.2;
/// or offered less than so many times the capacity,
const OFFERED_MULTIPLE: f64 = 3.0;
/// or took longer than so many times the period over the first round of the storm,
const FIRST_ROUND_OVER: f64 = 1.1;
/// or if the host took this part of the machine's time,
const STEAL: f64 = 0.02;
/// or if others took this part of the server's core before the fault, as ticks tell it,
const OTHERS_BEFORE: f64 = 0.05;
/// or this part during the fault, when there is nothing to spare.
const OTHERS_DURING: f64 = 0.03;
/// or if the victims' p99 before the fault differs by this from third to third, in milliseconds: a
/// rise of as much would tell nothing.
const NOISE_MS: f64 = P99_MORE_MS;
/// or if the capacity after everything is so much more or less than it was, as a part of it: the
/// share would be one of another machine.
const DRIFT: f64 = 0.1;
/// A control fails by far if the victims' p99 rises so many times.
const FAR_RATIO: f64 = 10.0;

/// Whose run is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The server under test.
    Subject,
    /// The same without protections, which must show the outage.
    Control,
    /// What a user would have otherwise.
    Peer,
}

/// What a run was to be, so far as judging needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asked {
    /// Connections of the storm in each period.
    pub(crate) connections: u32,
    pub(crate) period_s: f64,
    pub(crate) part: Part,
}

/// Judges a run: by its validity first, then by the table.
///
/// What disturbed a run can make it fail, so that a disturbed failure says nothing; a control or
/// a peer that fails by far does so whatever else went on. A pass needs an undisturbed begin to compare with.
pub(crate) fn judge(figures: &Figures, asked: Asked) -> (Verdict, Vec<String>) {
    let flaws = flaws(figures, asked);
    let mut misses = misses(figures);
    let is_far = asked.part != Part::Subject && fails_by_far(figures);
    let excuses = match (misses.is_empty(), is_far) {
        (_, true) => Vec::new(),
        (true, false) => disturbed_before(figures),
        (false, false) => [disturbed_before(figures), disturbed_during(figures)].concat(),
    };
    let reasons = [flaws, excuses].concat();
    if !reasons.is_empty() {
        misses
            .iter_mut()
            .for_each(|it| it.insert_str(0, "so it does not count that "));
        return (Verdict::Invalid, [reasons, misses].concat());
    }
    let verdict = match misses.is_empty() {
        true => Verdict::Pass,
        false => Verdict::Fail,
    };
    if asked.part == Part::Control {
        misses.push(far(figures, is_far));
    }
    (verdict, misses)
}

/// Why this was not the run that it should have been, if so.
fn flaws(figures: &Figures, asked: Asked) -> Vec<String> {
    let storm = &figures.storm;
    let (lag_ms, multiple) = (
        figures.generator.lag_p99_ms,
        figures.aggressor.offered_multiple,
    );
    let connections = u64::from(asked.connections);
    let is_slow = storm.first_round_s > asked.period_s * FIRST_ROUND_OVER;
    let lag = format!(
        "the victims' generator was late itself: lag p99 {lag_ms:.3} ms, at most {LAG_P99_MS} allowed"
    );
    let offered = format!(
        "the spike offered {multiple:.2} times the capacity, at least {OFFERED_MULTIPLE} wanted"
    );
    let slow = format!(
        "the storm was slower than its script: {} connections opened, the first {connections} in {:.1} s, {:.1} s wanted",
        storm.opened, storm.first_round_s, asked.period_s
    );
    said([
        (exceeds(lag_ms, LAG_P99_MS), lag),
        (exceeds(-multiple, -OFFERED_MULTIPLE), offered),
        (is_slow || storm.first_round_s <= 0.0, slow),
    ])
}

/// What others on the machine did to the figures from before the fault, if anything.
fn disturbed_before(figures: &Figures) -> Vec<String> {
    let others = figures.generator.others_before;
    let words = format!(
        "other processes took {:.1} % of the server's core before the fault, at most {:.0} % allowed",
        others * 100.0,
        OTHERS_BEFORE * 100.0
    );
    let noise_ms = figures.generator.noise_ms;
    let unsteady = format!(
        "the victims' p99 varied by {noise_ms:.3} ms before the fault, at most {NOISE_MS} allowed"
    );
    said([
        (exceeds(others, OTHERS_BEFORE), words),
        (exceeds(noise_ms, NOISE_MS), unsteady),
    ])
}

/// What others did to the figures of the fault, if anything.
fn disturbed_during(figures: &Figures) -> Vec<String> {
    let (steal, others) = (figures.generator.steal, figures.generator.others_during);
    let host = format!(
        "the host took {:.1} % of the machine's time, at most {:.0} % allowed",
        steal * 100.0,
        STEAL * 100.0
    );
    let core = format!(
        "other processes took {:.1} % of the server's core during the fault, at most {:.0} % allowed",
        others * 100.0,
        OTHERS_DURING * 100.0
    );
    let aggressor = &figures.aggressor;
    let (capacity, after) = (aggressor.capacity_per_s, aggressor.capacity_after_per_s);
    let drifted = format!(
        "the capacity was {capacity:.0} requests/s before and {after:.0} after, at most {:.0} % apart allowed",
        DRIFT * 100.0
    );
    said([
        (exceeds(steal, STEAL), host),
        (exceeds(others, OTHERS_DURING), core),
        (
            exceeds((after - capacity).abs(), DRIFT * capacity.max(after)),
            drifted,
        ),
    ])
}

/// The words for what is so.
fn said<const N: usize>(all: [(bool, String); N]) -> Vec<String> {
    let so = all.into_iter().filter(|(is_so, _)| *is_so);
    so.map(|(_, words)| words).collect()
}

/// Every figure that is not within its bound.
fn misses(figures: &Figures) -> Vec<String> {
    let (victims, storm) = (&figures.victims, &figures.storm);
    let p99 = victims.p99_ms;
    let mut misses = Vec::new();
    let mut miss = |is_so: bool, words: String| {
        if is_so {
            misses.push(words);
        }
    };
    miss(
        exceeds(p99.during - p99.before, P99_MORE_MS),
        format!(
            "victims' p99 rose from {:.3} to {:.3} ms, at most {P99_MORE_MS} ms more allowed",
            p99.before, p99.during
        ),
    );
    miss(
        victims.errors > 0,
        format!(
            "{} requests of victims got no right answer, none allowed",
            victims.errors
        ),
    );
    miss(
        victims.connect_failures > 0,
        format!(
            "{} connects of victims failed, none allowed",
            victims.connect_failures
        ),
    );
    miss(
        exceeds(victims.connect_p99_ms, CONNECT_P99_MS),
        format!(
            "a victim's connect and login took {:.1} ms (p99), at most {CONNECT_P99_MS} allowed",
            victims.connect_p99_ms
        ),
    );
    miss(
        exceeds(storm.close_wait_oldest_ms, CLOSE_WAIT_MS),
        format!(
            "a connection stood in CLOSE_WAIT for {:.0} ms ({} at once), at most {CLOSE_WAIT_MS} ms allowed",
            storm.close_wait_oldest_ms, storm.close_wait_peak
        ),
    );
    miss(
        exceeds(-figures.aggressor.served_share, -SERVED_SHARE),
        format!(
            "the large tenant was served {:.2} of what the victims left, at least {SERVED_SHARE} wanted",
            figures.aggressor.served_share
        ),
    );
    miss(
        !figures.recover_ms.is_some_and(|ms| ms <= RECOVER_MS),
        match figures.recover_ms {
            Some(ms) => format!(
                "back to normal {ms:.0} ms after the end of the spike, at most {RECOVER_MS} allowed"
            ),
            None => "not back to normal after the end of the spike".to_owned(),
        },
    );
    misses.extend(idle_miss(figures));
    misses
}

/// Whether a figure is above its bound; one that is no number is, too.
fn exceeds(figure: f64, bound: f64) -> bool {
    figure.is_nan() || figure > bound
}

fn idle_miss(figures: &Figures) -> Option<String> {
    let idle = figures.idle?;
    let before = figures.victims.p99_ms.before;
    let allowed = (before * IDLE_RATIO).max(before + IDLE_MORE_MS);
    if idle.alive < idle.connections {
        return Some(format!(
            "of {} idle connections {} were closed",
            idle.connections,
            idle.connections - idle.alive
        ));
    }
    (idle.p99_ms > allowed).then(|| {
        format!(
            "{} idle connections raised the victims' p99 from {before:.3} to {:.3} ms, at most {allowed:.3} allowed",
            idle.connections, idle.p99_ms
        )
    })
}

/// Whether the victims suffer as they did in the outage.
fn fails_by_far(figures: &Figures) -> bool {
    ratio(figures) >= FAR_RATIO || errors(figures) > 0
}

fn ratio(figures: &Figures) -> f64 {
    let p99 = figures.victims.p99_ms;
    p99.during / p99.before.max(f64::MIN_POSITIVE)
}

fn errors(figures: &Figures) -> u64 {
    figures.victims.errors + figures.victims.connect_failures
}

/// Whether a control shows the outage, in words.
fn far(figures: &Figures, is_far: bool) -> String {
    let (ratio, errors) = (ratio(figures), errors(figures));
    match is_far {
        true => {
            format!("control: it fails by far, p99 x {ratio:.0} and {errors} errors, as it must")
        }
        false => format!(
            "control: it does not fail by far (p99 x {ratio:.1}, no errors), so this drill proves nothing here"
        ),
    }
}

#[cfg(test)]
#[path = "score_test.rs"]
mod tests;
