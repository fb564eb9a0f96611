//! A leaf beside an array of places.

use base::rng::Rng;

use super::*;
use crate::bytes::Reader;

#[test]
fn it_agrees_with_an_array() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let mut leaf = Leaf::default();
        let mut model = [None; LEAF_BLOCKS as usize];
        for _ in 0..2000 {
            let slot = rng.below(LEAF_BLOCKS) as u16;
            let entry = &mut model[usize::from(slot)];
            if rng.below(3) == 0 {
                assert_eq!(leaf.clear(slot), entry.take());
            } else {
                let row = rng.below(1 << 22) as u32;
                let unit = rng.below(1 << 18) as u32;
                let place = Place { row, unit };
                assert_eq!(leaf.set(slot, place), entry.replace(place));
            }
        }
        for slot in 0..LEAF_BLOCKS as u16 {
            assert_eq!(leaf.get(slot), model[usize::from(slot)]);
        }
        let set: Vec<Place> = model.iter().flatten().copied().collect();
        assert_eq!(leaf.places().collect::<Vec<_>>(), set);
        let mut bytes = Vec::new();
        leaf.put(&mut bytes);
        assert_eq!(Leaf::read(&mut Reader::new(&bytes)), Some(leaf));
        assert_eq!(
            Leaf::read(&mut Reader::new(&bytes[..bytes.len() - 1])),
            None
        );
    }
}
