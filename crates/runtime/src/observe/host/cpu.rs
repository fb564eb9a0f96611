//! `/proc/stat`: where the processors' time went.

use std::time::Duration;

/// The kernel tells these times in hundredths of a second, whatever its own tick is (time(7)).
const TICK: Duration = Duration::from_millis(10);

/// Time of all processors together since the machine's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Running programs.
    pub user: Duration,
    /// Running programs of low priority.
    pub nice: Duration,
    /// Running the kernel.
    pub system: Duration,
    /// Nothing to do.
    pub idle: Duration,
    /// Nothing to do but wait for a disk.
    pub iowait: Duration,
    /// Serving interrupts.
    pub irq: Duration,
    /// Serving what interrupts left to do, as received packets.
    pub softirq: Duration,
    /// Taken by the host that this machine is a guest of.
    pub steal: Duration,
    /// Processors.
    pub count: u64,
}

impl Cpu {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let mut ticks = line.split_ascii_whitespace().map(str::parse::<u64>);
        let mut next = || Some(time(ticks.next()?.ok()?));
        let count = text.lines().filter(|line| is_processor(line)).count();
        Some(Self {
            user: next()?,
            nice: next()?,
            system: next()?,
            idle: next()?,
            iowait: next()?,
            irq: next()?,
            softirq: next()?,
            steal: next().unwrap_or_default(),
            count: u64::try_from(count).unwrap_or(u64::MAX).max(1),
        })
    }

    /// The modes and their times.
    pub fn modes(&self) -> [(&'static str, Duration); 8] {
        [
            ("user", self.user),
            ("nice", self.nice),
            ("system", self.system),
            ("idle", self.idle),
            ("iowait", self.iowait),
            ("irq", self.irq),
            ("softirq", self.softirq),
            ("steal", self.steal),
        ]
    }

    /// The time of all modes.
    pub fn total(&self) -> Duration {
        let times = self.modes().into_iter().map(|(_, time)| time);
        times.fold(Duration::ZERO, Duration::saturating_add)
    }
}

pub(super) fn time(ticks: u64) -> Duration {
    let nanos = ticks.saturating_mul(TICK.as_nanos() as u64);
    Duration::from_nanos(nanos)
}

fn is_processor(line: &str) -> bool {
    line.strip_prefix("cpu")
        .and_then(|rest| rest.chars().next())
        .is_some_and(|first| first.is_ascii_digit())
}
