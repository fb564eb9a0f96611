//! Tests of what a machine finds of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

#[test]
fn memory_that_keeps_what_it_is_given_has_no_faults_and_each_word_that_does_not_is_one() {
    assert_eq!(faults(1 << 16, |_| {}), 0);
    // A bit that is stuck is wrong in two of the three patterns at most, and in one at least.
    let stuck = faults(1 << 16, |memory| memory[77] |= 1 << 5);
    assert!((1..=2).contains(&stuck), "{stuck}");
    // Two addresses that are the same word.
    assert_eq!(faults(1 << 16, |memory| memory[9] = memory[10]), 1);
}

#[test]
fn the_engine_is_timed_and_the_disk_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let trial = OwnTrial {
        engine: Arc::new(move || {
            let counted = Arc::clone(&counted);
            Box::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
            })
        }),
        folder: folder.path().to_owned(),
    };
    let exam = OwnExam {
        pattern_len: 1 << 16,
        disk_writes: 3,
    };
    let result = examine(&trial, exam, Clock::new()).unwrap();
    assert_eq!(count.load(Ordering::Relaxed), OPERATIONS * BATCHES as u64);
    assert!(result.memory_per_s > 0 && result.disk_ns > 0, "{result:?}");
    assert_eq!(result.pattern_faults, 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_others_have_of_the_processor_meanwhile_is_not_counted() {
    let meanwhile = Duration::from_millis(10);
    let took = timed(Clock::new(), 3, || thread::park_timeout(meanwhile));
    assert!(took < meanwhile / 2, "{took:?}");
    let spin = || {
        for number in 0..100_000 {
            black_box(number);
        }
    };
    assert!(timed(Clock::new(), 3, spin) > Duration::ZERO);
}
