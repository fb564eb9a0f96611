//! Tests of `op`.

use super::*;

#[test]
fn operations_come_in_the_proportion_of_the_mix() {
    let mix = Mix {
        get: 60,
        set: 20,
        mget: 10,
        delete: 7,
        touch: 3,
        mget_keys: 2,
    };
    let draw = OpDraw::new(&mix);
    let mut rng = Rng::new(1);
    let mut counts = [0u32; OPS.len()];
    for _ in 0..100_000 {
        counts[draw.next(&mut rng).index()] += 1;
    }
    for (count, share) in counts.iter().zip([60u32, 20, 10, 7, 3]) {
        assert!(count.abs_diff(share * 1000) < 600, "{counts:?}");
    }
}

#[test]
fn a_single_operation_is_always_drawn_and_costs_no_randomness() {
    for op in OPS {
        let share = |is: Op| u32::from(is == op) * 5;
        let mix = Mix {
            get: share(Op::Get),
            set: share(Op::Set),
            mget: share(Op::Mget),
            delete: share(Op::Delete),
            touch: share(Op::Touch),
            mget_keys: 2,
        };
        let mut rng = Rng::new(9);
        let first = Rng::new(9).next_u64();
        assert_eq!(OpDraw::new(&mix).next(&mut rng), op);
        assert_eq!(rng.next_u64(), first);
    }
}
