//! Which threads go first on a processor that several want.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::process::setpriority_process;
use rustix::thread::gettid;

/// How long a serving thread runs before others get their turn; the kernel's own measure is several
/// times that. Who asks for less at a time is let in sooner: since Linux 6.12 a thread that wakes
/// does not wait for the end of a longer slice that another one has begun, which was up to 3 ms.
const SERVING_SLICE: Duration = Duration::from_micros(500);

/// How far housekeeping stands back behind the event loops: on a processor that they fill it gets
/// about a tenth, which is several times what it needs.
const HOUSEKEEPING_NICENESS: i32 = 10;

/// Lets the calling thread in at once when it wakes, ahead of whoever uses a processor for longer;
/// its share stays what it was. Kernels that keep no slices for ordinary threads take it and do nothing.
pub fn serve_promptly() {
    if let Err(error) = ask_for_slice(SERVING_SLICE) {
        tracing::warn!(%error, "a serving thread waits for its turn like any other");
    }
}

/// Lets the calling thread give way to those that serve.
pub fn give_way() {
    // For the kernel a thread's priority is its own.
    if let Err(error) = setpriority_process(Some(gettid()), HOUSEKEEPING_NICENESS) {
        tracing::warn!(%error, "a thread of housekeeping runs at the priority of those that serve");
    }
}

/// Lets the calling thread have only what no ordinary thread of the machine wants. A processor with nothing else
/// to run counts as idle for whoever wakes, who is put there and goes first at once; where all of them are busy
/// for good the thread hardly runs. It cannot be undone without privileges.
pub(crate) fn take_what_is_left() {
    if let Err(error) = set_attributes(libc::SCHED_IDLE, Duration::ZERO) {
        tracing::warn!(%error, "a thread of the background runs like those that serve");
    }
}

/// Lets whoever serves on this processor go first; between two steps of housekeeping. A thread that gives way
/// is not interrupted before its slice is over, and meanwhile all clients wait.
pub fn step_aside() {
    thread::yield_now();
}

fn ask_for_slice(slice: Duration) -> io::Result<()> {
    set_attributes(libc::SCHED_OTHER, slice)
}

/// The calling thread's policy, and how long it runs before others get their turn, where the policy has that.
fn set_attributes(policy: i32, slice: Duration) -> io::Result<()> {
    let attributes = libc::sched_attr {
        size: size_of::<libc::sched_attr>() as u32,
        sched_policy: policy as u32,
        sched_flags: 0,
        sched_nice: rustix::process::getpriority_process(Some(gettid()))?,
        sched_priority: 0,
        sched_runtime: slice.as_nanos() as u64,
        sched_deadline: 0,
        sched_period: 0,
    };
    let (this_thread, no_flags) = (0, 0);
    // SAFETY: the kernel reads as many bytes as the structure says that it has, and keeps no pointer.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_sched_setattr,
            this_thread,
            &raw const attributes,
            no_flags,
        )
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
#[path = "priority_test.rs"]
mod tests;
