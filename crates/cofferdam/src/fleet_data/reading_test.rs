//! What is told of nodes that a configuration lists.

use crate::config::Config;
use crate::fleet_data::FleetData;
use crate::observe::nodes::Heat;

#[test]
fn a_listed_node_serves_its_part_and_is_gone_until_it_answers() {
    let config = Config::parse(
        "[fleet]\nnodes = [\
           { member = 1, name = 'a', addr = '127.0.0.1:1' }, \
           { member = 2, name = 'b', addr = '127.0.0.1:2', weight = 300 }]",
    );
    let fleet = FleetData::of_config(&config.unwrap().fleet, None, 1)
        .map_err(|failure| failure.to_string())
        .unwrap();
    let reading = fleet.reading(base::Timestamp::from_secs(1_800_000_000));
    let told: Vec<(&str, &str, usize)> = (reading.each.iter())
        .map(|node| (node.name.as_str(), node.address.as_str(), node.slots))
        .collect();
    assert_eq!(
        told,
        [("a", "127.0.0.1:1", 1024), ("b", "127.0.0.1:2", 3072)]
    );
    assert_eq!((reading.nodes, reading.nodes_heard), (2, 0));
    assert!(reading.each.iter().all(|node| node.standing.is_none()));
    assert_eq!(Heat::of(&reading.each[0]), Heat::Gone);
}
