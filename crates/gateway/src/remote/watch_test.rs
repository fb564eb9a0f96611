//! What loops count reaches the judge once, and what he says reaches the loops once.

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn counted() -> Counted {
    let mut counted = Counted::new();
    counted.add_link(MemberId(1));
    counted.add_link(MemberId(2));
    counted
}

fn note(counted: &mut Counted, link: u32, count: u32) {
    counted.of(link, Class::Write).unwrap().unanswered(count);
}

#[test]
fn loops_add_up_and_nothing_is_told_twice() {
    let watch = Watch::default();
    let (mut one, mut other) = (counted(), counted());
    note(&mut one, 0, 3);
    note(&mut other, 0, 4);
    note(&mut other, 1, 5);
    one.hand_over(NOW, &watch);
    other.hand_over(NOW, &watch);
    let told = watch.take();
    let asked = |node| told[&MemberId(node)][Class::Write.index()].asked();
    assert_eq!((asked(1), asked(2)), (7, 5));
    assert!(watch.take().is_empty());
    one.hand_over(NOW, &watch);
    assert!(watch.take().is_empty());
}

#[test]
fn a_node_that_has_moved_counts_as_the_same() {
    let watch = Watch::default();
    let mut counted = counted();
    counted.add_link(MemberId(1));
    note(&mut counted, 0, 1);
    note(&mut counted, 2, 2);
    assert!(counted.of(3, Class::Read).is_none());
    counted.hand_over(NOW, &watch);
    let told = watch.take();
    assert_eq!(told[&MemberId(1)][Class::Write.index()].asked(), 3);
}

#[test]
fn requests_that_were_never_sent_are_told_too() {
    let watch = Watch::default();
    let mut counted = counted();
    counted.of(1, Class::Read).unwrap().held += 9;
    counted.hand_over(NOW, &watch);
    assert_eq!(watch.take()[&MemberId(2)][Class::Read.index()].held, 9);
}

#[test]
fn every_loop_learns_of_new_shares_once() {
    let watch = Watch::default();
    let mut loops = [counted(), counted()];
    for counted in &mut loops {
        assert!(counted.hand_over(NOW, &watch).is_none());
    }
    let shares = Shares::from([(MemberId(2), 10)]);
    watch.limit(shares.clone());
    watch.limit(shares.clone());
    for counted in &mut loops {
        let (seen, copying) = counted.hand_over(NOW, &watch).unwrap();
        assert_eq!((&*seen, &*copying), (&shares, &Copying::default()));
        assert!(counted.hand_over(NOW, &watch).is_none());
        assert!(counted.due() > NOW);
    }
    let copying = Copying {
        nodes: vec![MemberId(3)],
        part_ppm: 5,
    };
    watch.copy(copying.clone());
    watch.copy(copying.clone());
    for counted in &mut loops {
        let (seen, copies) = counted.hand_over(NOW, &watch).unwrap();
        assert_eq!((&*seen, &*copies), (&shares, &copying));
        assert!(counted.hand_over(NOW, &watch).is_none());
    }
}
