//! Tests that a request's name never stands for another.

use std::collections::HashSet;

use base::rng::Rng;

use super::{Requests, State};

#[test]
fn no_name_is_given_twice_and_a_name_that_is_over_finds_nothing() {
    let (mut requests, mut names, mut open) = (Requests::default(), HashSet::new(), Vec::new());
    let mut rng = Rng::new(1);
    for _ in 0..5_000 {
        if open.len() < 100 && rng.below(2) == 0 {
            let (id, request) = requests.begin();
            request.state = State::Sent;
            assert!(names.insert(id));
            open.push(id);
        } else if !open.is_empty() {
            let id = open.swap_remove(rng.below(open.len() as u64) as usize);
            assert!(requests.get(id).is_some());
            requests.end(id);
            assert!(requests.get(id).is_none());
            // Ending it again changes nothing.
            requests.end(id);
        }
    }
    assert!(open.iter().all(|id| requests.get(*id).is_some()));
    assert!(requests.places.len() < 200);
}

#[test]
fn a_place_whose_generations_are_used_up_is_left_alone() {
    let mut requests = Requests::default();
    let (first, request) = requests.begin();
    request.state = State::Sent;
    requests.end(first);
    requests.places[0].generation = u32::MAX - 1;
    let (last, request) = requests.begin();
    request.state = State::Sent;
    assert_eq!((last.slot, last.generation), (0, u32::MAX));
    requests.end(last);
    assert_eq!(requests.begin().0.slot, 1);
}

#[test]
fn those_of_a_connection_are_found() {
    let mut requests = Requests::default();
    for link in [0, 1, 0] {
        let (_, request) = requests.begin();
        request.state = State::Queued;
        request.link = link;
    }
    let of_first = requests.of_link(0);
    assert_eq!(of_first.len(), 2);
    requests.end(of_first[0]);
    assert_eq!(requests.of_link(0), of_first[1..]);
}
