//! `/proc/pressure/*`: time lost for want of something, as kernels with PSI tell it.

use std::time::Duration;

/// Time in which work waited for one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pressure {
    /// In which at least one task waited.
    pub some: Stall,
    /// In which nothing but waiting went on; not told for processors by older kernels.
    pub full: Option<Stall>,
}

/// Time lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stall {
    /// Of the last ten seconds, in parts of a hundred.
    pub avg10_percent: f64,
    /// In all.
    pub total: Duration,
}

impl Pressure {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let find = |name: &str| {
            text.lines()
                .find_map(|line| stall(line.strip_prefix(name)?))
        };
        Some(Self {
            some: find("some ")?,
            full: find("full "),
        })
    }
}

/// `avg10=0.04 avg60=0.28 avg300=0.26 total=82047379`, the last in microseconds.
fn stall(rest: &str) -> Option<Stall> {
    let value = |name: &str| {
        rest.split_ascii_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    };
    let avg10: f64 = value("avg10")?.parse().ok()?;
    Some(Stall {
        avg10_percent: avg10.is_finite().then_some(avg10)?,
        total: Duration::from_micros(value("total")?.parse().ok()?),
    })
}
