//! Who gives way to whom.

use super::*;

/// All places of three, taken.
fn full() -> (Arc<Places>, [Arc<Place>; 3]) {
    let places = Arc::new(Places::new(3));
    let taken = [(); 3].map(|()| places.take().unwrap());
    (places, taken)
}

fn is_needed(place: &Place) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = place.needed() => true,
            () = std::future::ready(()) => false,
        }
    })
}

#[test]
fn who_waits_the_longest_gives_way_first() {
    let (places, taken) = full();
    taken[0].work();
    assert!(places.take().is_some());
    assert_eq!(
        taken.each_ref().map(|place| is_needed(place)),
        [false, true, false]
    );
}

#[test]
fn who_is_sent_an_answer_gives_way_only_to_save_a_request() {
    let (places, taken) = full();
    for place in &taken {
        place.work();
    }
    assert!(places.take().is_none(), "all are worked on");
    let first = taken[1].send(Body::from("long"));
    let second = taken[2].send(Body::from("long"));
    drop(second);
    assert!(places.take().is_some());
    assert!(is_needed(&taken[2]), "its answer is over");
    let newest = places.take().unwrap();
    newest.work();
    assert!(!is_needed(&taken[1]), "others waited");
    assert!(places.take().is_some());
    assert!(is_needed(&taken[1]), "rather an answer than a request");
    drop(first);
}

#[test]
fn a_place_that_is_given_back_is_nobody_s_loss() {
    let (places, taken) = full();
    let holder = Holder::new(&places, &taken[2]);
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _held = holder;
        panic!("a request that nobody thought of");
    }));
    assert!(broken.is_err());
    assert!(places.take().is_some());
    assert!(taken.iter().all(|place| !is_needed(place)));
}
