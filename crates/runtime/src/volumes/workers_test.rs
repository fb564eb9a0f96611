//! Which of the waiting jobs are pressed.

use volume::VolumeId;

use super::*;
use crate::Clock;
use crate::state::DEFAULT_TENANT;
use crate::volumes::{VolumeSpec, Volumes};

fn attached(volumes: &Volumes, number: u64) -> Arc<Attached> {
    let export = format!("data{number}");
    let spec = VolumeSpec {
        id: VolumeId(number),
        export: export.clone(),
        tenant: DEFAULT_TENANT,
        size_bytes: 1 << 20,
        journal_len: 1 << 20,
        shared: false,
        limits: Default::default(),
    };
    volumes.create(spec).unwrap();
    volumes.attach(&export).unwrap()
}

/// Whose jobs wait with an urgency, and which they are.
fn waiting(workers: &Workers, urgency: Urgency) -> Vec<u64> {
    let mut queues = workers.shared.queues();
    let jobs = queues.of(urgency).iter();
    let tokens = jobs.map(|(_, work)| match work {
        Work::Command(Command::JournalSync { token }) => *token,
        _ => 0,
    });
    tokens.collect()
}

#[test]
fn a_volume_that_is_pressed_presses_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = Volumes::new(dir.path(), Clock::new()).unwrap();
    let (one, other) = (attached(&volumes, 1), attached(&volumes, 2));
    // Nobody takes anything away.
    let workers = Workers {
        shared: Arc::default(),
        threads: Mutex::default(),
    };
    for (token, volume) in [(1, &one), (2, &other), (3, &one)] {
        let work = Work::Command(Command::JournalSync { token });
        workers.give(Urgency::Patient, (Arc::clone(volume), work));
    }
    workers.press(&one);
    assert_eq!(waiting(&workers, Urgency::Pressed), [1, 3]);
    assert_eq!(waiting(&workers, Urgency::Patient), [2]);
    assert_eq!(waiting(&workers, Urgency::Prompt), [0; 0]);
}
