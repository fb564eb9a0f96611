//! The order of events.

use base::Timestamp;

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
