//! The naive rule does what it is there to show.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const MS: Duration = Duration::from_millis(1);

struct Setting {
    naive: Naive,
    now: Timestamp,
}

impl Setting {
    fn learnt() -> Self {
        let mut setting = Self {
            naive: Naive::default(),
            now: START,
        };
        for _ in 0..12 {
            assert_eq!(setting.round([MS; 3], 30), []);
        }
        setting
    }

    fn round(&mut self, took: [Duration; 3], replies: u32) -> Vec<MemberId> {
        self.now = self.now + Duration::from_millis(250);
        let tallies = took.iter().zip(1..).map(|(took, node)| {
            let mut tallies = NodeTallies::default();
            for _ in 0..replies {
                tallies[Class::Read.index()].answered(*took, Some(Duration::ZERO), 10);
            }
            (MemberId(node), tallies)
        });
        self.naive.round(self.now, &tallies.collect())
    }
}

#[test]
fn three_slow_replies_suffice_and_two_do_not() {
    let mut setting = Setting::learnt();
    assert_eq!(setting.round([MS, MS * 20, MS], 2), []);
    assert_eq!(setting.round([MS, MS * 20, MS], 3), [MemberId(2)]);
}

#[test]
fn it_takes_all_out_when_all_are_slow() {
    let mut setting = Setting::learnt();
    assert_eq!(setting.round([MS * 20; 3], 30).len(), 3);
}

#[test]
fn it_learns_before_it_judges() {
    let mut naive = Setting {
        naive: Naive::default(),
        now: START,
    };
    assert_eq!(naive.round([MS; 3], 30), []);
    assert_eq!(naive.round([MS * 50; 3], 30), []);
}

#[test]
fn a_time_without_requests_teaches_nothing() {
    let mut idle = Setting {
        naive: Naive::default(),
        now: START,
    };
    for _ in 0..12 {
        assert_eq!(idle.round([MS; 3], 0), []);
    }
    assert_eq!(idle.round([MS; 3], 30), []);
    assert_eq!(idle.round([MS * 50; 3], 30), []);
}
