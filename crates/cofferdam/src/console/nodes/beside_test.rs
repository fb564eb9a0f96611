//! Cells of the heat map.

use super::*;

fn of(ours_s: f64, peers_s: Option<(f64, f64)>) -> Cell {
    cell(Class::Read, Some(&Beside { ours_s, peers_s }))
}

#[test]
fn a_cell_is_as_hot_as_it_is_near_to_being_slow() {
    let peers = Some((0.0002, 0.0010));
    let told = |ours_s| {
        let cell = of(ours_s, peers);
        (cell.heat, cell.took, cell.times)
    };
    let well = (Some(Heat::Well), "250 µs".to_owned(), String::new());
    assert_eq!(told(0.00025), well);
    let warm = (Some(Heat::Warm), "700 µs".to_owned(), "3.50 ×".to_owned());
    assert_eq!(told(0.0007), warm);
    let hot = (Some(Heat::Hot), "20 ms".to_owned(), "100 ×".to_owned());
    assert_eq!(told(0.02), hot);
    let gone = (Some(Heat::Gone), "no answer".to_owned(), String::new());
    assert_eq!(told(f64::INFINITY), gone);
    let whole = of(0.02, peers).whole;
    assert_eq!(
        whole,
        "Half of its requests take up to 20 ms; its peers': 200 µs; slow from 1.00 ms on."
    );
}

#[test]
fn without_a_peer_or_a_figure_there_is_no_colour() {
    let alone = of(0.0002, None);
    assert_eq!((alone.heat, alone.took.as_str()), (None, "200 µs"));
    assert!(alone.whole.contains("no peer"), "{}", alone.whole);
    let unasked = cell(Class::Write, None);
    assert_eq!((unasked.heat, unasked.took.as_str()), (None, "–"));
    let dead_peers = of(0.0002, Some((f64::INFINITY, f64::INFINITY)));
    assert_eq!(dead_peers.heat, Some(Heat::Well));
    assert!(dead_peers.whole.contains("too few"), "{}", dead_peers.whole);
    let cells = cells(&PeerView::default());
    let titles: Vec<&str> = cells.iter().map(|cell| cell.class).collect();
    assert_eq!(titles, ["Reads", "Large reads", "Writes", "Large writes"]);
}
