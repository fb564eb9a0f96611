//! Tests of `draw`: the frequencies are those of the law, for exponents below, at and above 1.

use super::*;

const DRAWS: u32 = 200_000;

fn frequencies(theta: f64, count: u64) -> Vec<u32> {
    let zipf = Zipf::new(count, theta);
    let mut rng = Rng::new(42);
    let mut seen = vec![0u32; count as usize];
    for _ in 0..DRAWS {
        seen[zipf.next(&mut rng) as usize] += 1;
    }
    seen
}

#[test]
fn zipf_draws_each_rank_as_often_as_the_law_says() {
    for theta in [0.2, 0.5, 0.99, 1.0, 1.2, 3.0] {
        let count = 200u64;
        let seen = frequencies(theta, count);
        let weight = |rank: u64| (rank as f64).powf(-theta);
        let total: f64 = (1..=count).map(weight).sum();
        for rank in [1u64, 2, 3, 10, 50, 200] {
            let wanted = f64::from(DRAWS) * weight(rank) / total;
            let got = f64::from(seen[rank as usize - 1]);
            // Five standard deviations of a Poisson count, and a little for tiny counts.
            let slack = 5.0 * wanted.sqrt() + 5.0;
            assert!(
                (got - wanted).abs() < slack,
                "{theta} {rank}: {got} {wanted}"
            );
        }
    }
}

#[test]
fn zipf_over_one_key_or_very_many_stays_in_range() {
    let mut rng = Rng::new(3);
    let one = Zipf::new(1, 0.99);
    let many = Zipf::new(1 << 40, 0.8);
    for _ in 0..10_000 {
        assert_eq!(one.next(&mut rng), 0);
        assert!(many.next(&mut rng) < 1 << 40);
    }
}

#[test]
fn a_sequential_walk_meets_every_key_once_a_round() {
    let mut draw = KeyDraw::new(Distribution::Sequential, 5, 3);
    let mut rng = Rng::new(1);
    let walk: Vec<u64> = (0..7).map(|_| draw.next(&mut rng)).collect();
    assert_eq!(walk, [3, 4, 0, 1, 2, 3, 4]);
}

#[test]
fn the_same_seed_draws_the_same_keys() {
    for distribution in [Distribution::Uniform, Distribution::Zipf(0.99)] {
        let mut one = KeyDraw::new(distribution, 1000, 0);
        let mut two = one.clone();
        let (mut a, mut b) = (Rng::new(5), Rng::new(5));
        for _ in 0..100 {
            let id = one.next(&mut a);
            assert_eq!(id, two.next(&mut b));
            assert!(id < 1000);
        }
    }
}
