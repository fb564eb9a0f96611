//! Time as the generator needs it: a monotonic clock, a thread's CPU time, a precise alarm.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

/// Nanoseconds of the monotonic clock.
#[inline]
pub(crate) fn now_ns() -> u64 {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// Milliseconds of Unix time.
pub(crate) fn unix_ms() -> u64 {
    nanos(clock_gettime(ClockId::Realtime)) / 1_000_000
}

/// Waits until `time_ns` of the monotonic clock, or until a signal comes.
pub(crate) fn sleep_until(time_ns: u64) {
    // Waking early or late is seen by whoever looks at the clock next.
    let _ = clock_nanosleep_absolute(ClockId::Monotonic, &timespec(time_ns));
}

/// Nanoseconds of CPU that the calling thread has used.
pub(crate) fn thread_cpu_ns() -> u64 {
    nanos(clock_gettime(ClockId::ThreadCPUTime))
}

fn nanos(time: Timespec) -> u64 {
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    secs.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn timespec(time_ns: u64) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time_ns / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: (time_ns % 1_000_000_000) as i64,
    }
}

/// A descriptor that becomes readable at a given time, to the microsecond; the time limit of a poll
/// is rounded up to whole milliseconds.
#[derive(Debug)]
pub(crate) struct Alarm(OwnedFd);

impl Alarm {
    /// One that is not set.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Self(timerfd_create(TimerfdClockId::Monotonic, flags)?))
    }

    /// Rings at `time_ns` of the monotonic clock; forgets any earlier setting.
    pub(crate) fn set(&self, time_ns: u64) -> io::Result<()> {
        // All zeros would mean "never".
        let time_ns = time_ns.max(1);
        let timer = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: timespec(time_ns),
        };
        timerfd_settime(self.0.as_fd(), TimerfdTimerFlags::ABSTIME, &timer)?;
        Ok(())
    }

    /// The descriptor to poll. Edge-triggered, so that it need not be read: setting it anew clears it.
    pub(crate) fn raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
