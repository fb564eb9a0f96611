//! What a thread asks of the scheduler is its own, and no other thread's.

use super::*;

fn niceness() -> i32 {
    rustix::process::getpriority_process(Some(gettid())).unwrap()
}

/// The slice that the kernel tells: 0 before Linux 6.12, which keeps none for ordinary threads.
fn slice_ns() -> u64 {
    let mut told = [0_u64; 7];
    let size = size_of_val(&told);
    // SAFETY: the kernel writes at most `size` bytes.
    let answer = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, told.as_mut_ptr(), size, 0) };
    assert_eq!(answer, 0);
    told[3]
}

#[test]
fn only_the_calling_thread_gives_way() {
    let before = niceness();
    let thread = std::thread::spawn(move || {
        give_way();
        niceness()
    });
    assert_eq!(thread.join().unwrap(), HOUSEKEEPING_NICENESS.max(before));
    assert_eq!(niceness(), before);
}

#[test]
fn only_the_calling_thread_is_let_in_sooner() {
    let before = slice_ns();
    let thread = std::thread::spawn(|| {
        let nice = niceness();
        serve_promptly();
        assert_eq!(niceness(), nice, "the share is what it was");
        slice_ns()
    });
    let asked = SERVING_SLICE.as_nanos() as u64;
    assert!([asked, before].contains(&thread.join().unwrap()));
    assert_eq!(slice_ns(), before);
}

#[test]
fn only_the_calling_thread_takes_what_is_left() {
    let policy = || {
        // SAFETY: it takes no pointer.
        unsafe { libc::sched_getscheduler(0) }
    };
    let before = policy();
    let thread = std::thread::spawn(move || {
        take_what_is_left();
        policy()
    });
    assert_eq!(thread.join().unwrap(), libc::SCHED_IDLE);
    assert_eq!(policy(), before);
}
