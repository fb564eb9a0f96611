//! The eye over sockets that the test makes.

use std::net::{Shutdown, TcpListener, TcpStream};

use super::*;

fn eye(listener: &TcpListener) -> TcpEye {
    let addr = listener.local_addr().unwrap();
    TcpEye::new(Clock::new(), &[("memcache", addr)])
}

#[test]
fn queues_and_their_peaks() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut eye = eye(&listener);
    let now = Timestamp::from_secs(1000);
    let addr = listener.local_addr().unwrap();
    let clients: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(addr).unwrap()).collect();
    eye.look_at_queues(now);
    for _ in &clients {
        listener.accept().unwrap();
    }
    // Too early for another look.
    eye.look_at_queues(now + Duration::from_millis(50));
    eye.look_at_queues(now + QUEUE_PERIOD);
    let queues = eye.take_queues();
    assert_eq!((queues[0].queue.depth, queues[0].depth_max), (0, 3));
    assert_eq!(eye.take_queues()[0].depth_max, 0);
    assert_eq!(eye.listeners(now)[0].depth_peak, 3);
    for _ in 0..PEAK_SECS {
        eye.take_queues();
    }
    assert_eq!(eye.listeners(now)[0].depth_peak, 0);
}

#[test]
fn connections_by_state_and_those_that_are_overdue() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut eye = eye(&listener);
    let addr = listener.local_addr().unwrap();
    let clients: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(addr).unwrap()).collect();
    let accepted: Vec<_> = (0..3).map(|_| listener.accept().unwrap()).collect();
    let gone = clients[1].local_addr().unwrap();
    clients[1].shutdown(Shutdown::Write).unwrap();
    let mut now = Timestamp::from_secs(1000);
    // The kernel takes its time to pass an end on.
    for _ in 0..1000 {
        eye.look_at_connections(now);
        now = now + Duration::from_secs(1);
        if eye.overdue().next().is_some() {
            break;
        }
    }
    let overdue: Vec<_> = eye.overdue().collect();
    assert_eq!(overdue.len(), 1);
    assert_eq!((overdue[0].0, overdue[0].1.peer), ("memcache", gone));
    let states = eye.listeners(now)[0].states.unwrap();
    assert_eq!(states[TcpState::Established.index()], 2);
    assert_eq!(states[TcpState::CloseWait.index()], 1);
    drop(accepted);
}

#[test]
fn a_process_without_listeners_is_looked_at_all_the_same() {
    let mut eye = TcpEye::new(Clock::new(), &[]);
    let now = Timestamp::from_secs(1000);
    eye.look_at_queues(now);
    eye.look_at_connections(now);
    assert!(eye.take_queues().is_empty());
    assert!(eye.listeners(now).is_empty());
}
