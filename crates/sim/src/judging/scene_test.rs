//! What nodes are asked follows what they are given, and nothing of it is lost.

use super::*;

fn scene() -> Scene {
    let shape = FleetShape {
        nodes: 6,
        observers: 2,
        seed: 1,
    };
    let mut scene = Scene::new(&shape, None);
    scene.advance();
    scene
}

fn sum(loads: &[f64]) -> f64 {
    loads.iter().sum()
}

#[test]
fn the_rest_of_a_nodes_keys_is_asked_of_the_others() {
    let scene = scene();
    let all = scene.loads(&[1.0; 6]);
    let of_nodes: Vec<f64> = scene.nodes.iter().map(|node| node.load).collect();
    assert!((sum(&all) - sum(&of_nodes)).abs() < 1e-9);
    let half = scene.loads(&[1.0, 1.0, 0.5, 1.0, 1.0, 1.0]);
    assert!((sum(&half) - sum(&all)).abs() < 1e-9);
    assert!((half[2] / all[2] - 6.0 / 11.0).abs() < 1e-9);
    assert!(half[0] > all[0] && half[0] - all[0] < 0.2 * all[2]);
    let out = scene.loads(&[1.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
    assert!((sum(&out) - sum(&all)).abs() < 1e-9);
    assert_eq!(out[2], 0.0);
}

#[test]
fn a_queue_goes_with_the_load() {
    let mut queue = Queue::default();
    queue.follow(1.3 / UTILISATION, 1.0);
    assert!(queue.backlog_s > 0.0);
    queue.follow(0.65 / UTILISATION, 1.0);
    assert_eq!(queue.backlog_s, 0.0);
    assert!((queue.utilisation - 0.65).abs() < 1e-9);
}
