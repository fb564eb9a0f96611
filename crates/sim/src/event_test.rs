//! The order of events.

use base::Timestamp;
use base::rng::Rng;

use super::{Event, EventQueue};

#[test]
fn time_orders_and_then_the_order_of_adding() {
    let mut queue = EventQueue::default();
    queue.add(Timestamp::from_nanos(5), Event::Alarm(9));
    queue.add(Timestamp::from_nanos(7), Event::Alarm(1));
    queue.add(Timestamp::from_nanos(5), Event::Alarm(2));
    queue.add(Timestamp::from_nanos(5), Event::Cue(0));
    assert_eq!(queue.next_at(), Some(Timestamp::from_nanos(5)));
    let order: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
    let events: Vec<_> = order.iter().map(|(_, event)| *event).collect();
    let expected = [
        Event::Alarm(9),
        Event::Alarm(2),
        Event::Cue(0),
        Event::Alarm(1),
    ];
    assert_eq!(events, expected);
    assert_eq!(queue.added(), 4);
}

#[test]
fn near_and_far_are_one_order() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut queue = EventQueue::default();
        let (mut now, mut left) = (0, 0);
        for round in 0..5000 {
            // Some within the present millisecond, some within the next, some seconds away.
            let spread = [100_000, 3_000_000, 2_000_000_000][rng.below(3) as usize];
            queue.add(
                Timestamp::from_nanos(now + rng.below(spread)),
                Event::Alarm(0),
            );
            left += 1;
            if round % 3 > 0 {
                let next = queue.next_at().expect("one was added");
                let (at, _) = queue.take().expect("one was added");
                assert_eq!(at, next);
                assert!(at.as_nanos() >= now, "seed {seed}");
                now = at.as_nanos();
                left -= 1;
            }
        }
        let rest: Vec<_> = std::iter::from_fn(|| queue.take())
            .map(|(at, _)| at)
            .collect();
        assert!(rest.is_sorted(), "seed {seed}");
        assert_eq!(rest.len(), left);
    }
}
