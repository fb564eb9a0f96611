//! Tests of the generator.

use super::Rng;

#[test]
fn the_sequence_is_that_of_the_algorithm() {
    // What the authors' own code gives for this seed.
    let mut rng = Rng::new(1_234_567);
    let drawn: Vec<u64> = (0..5).map(|_| rng.next_u64()).collect();
    assert_eq!(
        drawn,
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ]
    );
}

#[test]
fn a_seed_gives_its_sequence_again_and_another_seed_another() {
    let draw = |seed| {
        let mut rng = Rng::new(seed);
        (0..100).map(|_| rng.next_u64()).collect::<Vec<_>>()
    };
    for seed in [0, 1, u64::MAX] {
        assert_eq!(draw(seed), draw(seed));
        assert_ne!(draw(seed), draw(seed.wrapping_add(1)));
    }
}

#[test]
fn a_copy_goes_on_alike() {
    let mut rng = Rng::new(3);
    rng.next_u64();
    let mut copy = rng.clone();
    assert_eq!(rng.next_u64(), copy.next_u64());
}

#[test]
fn numbers_stay_below_their_bound() {
    let mut rng = Rng::new(1);
    for bound in [1, 2, 3, 10, 1 << 32, u64::MAX] {
        for _ in 0..1000 {
            assert!(rng.below(bound) < bound);
        }
    }
    assert_eq!(rng.below(0), 0);
}

#[test]
fn every_number_below_a_bound_comes_about_as_often() {
    let mut rng = Rng::new(1);
    let mut counts = [0u32; 10];
    for _ in 0..100_000 {
        counts[rng.below(10) as usize] += 1;
    }
    assert!(
        counts.iter().all(|count| (9_500..10_500).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn fractions_fill_the_range_from_0_to_below_1() {
    let mut rng = Rng::new(1);
    let drawn: Vec<f64> = (0..100_000).map(|_| rng.unit_f64()).collect();
    assert!(drawn.iter().all(|fraction| (0.0..1.0).contains(fraction)));
    let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
    assert!((0.49..0.51).contains(&mean), "{mean}");
    let least = drawn.iter().copied().fold(1.0, f64::min);
    let most = drawn.iter().copied().fold(0.0, f64::max);
    assert!(least < 0.001 && most > 0.999, "{least} {most}");
}
