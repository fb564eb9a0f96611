//! A gateway and its nodes that are not sure of the ring for a while: changes are refused, and what they
//! were to replace is gone all the same.

use base::Timestamp;
use base::fleet::MemberId;
use gateway::remote::Assurance;

use crate::client::Client;
use crate::view::view;
use crate::world::World;

#[test]
fn what_a_refused_change_was_to_replace_is_never_read_again() {
    let members = [1, 2, 3].map(MemberId);
    let unsure_of_changes = Assurance {
        change_until: Timestamp::ZERO,
        ..Assurance::FOR_EVER
    };
    let (mut hits, mut refused) = (0, 0);
    for seed in 0..20 {
        let mut world = World::new(seed, 3);
        let mut client = Client::new(seed);
        for step in 0..2000 {
            if step % 100 == 0 {
                let mut view = view(&members, None);
                if step % 200 == 0 {
                    view.assurance = unsure_of_changes;
                }
                world.learn(&view);
            }
            if seed % 2 == 0 {
                world.do_harm();
            }
            client.step(&mut world);
        }
        let (hit, late) = client.counts();
        hits += hit;
        refused += late;
    }
    assert!(hits > 2_000 && refused > 5_000, "{hits} {refused}");
}
