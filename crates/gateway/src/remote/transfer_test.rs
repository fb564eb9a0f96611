//! Tests of values in pieces.

use base::Timestamp;
use node_proto::{PIECE_LEN_MAX, WINDOW_LEN};

use super::{Download, Upload};

const NOW: Timestamp = Timestamp::from_secs(1);

#[test]
fn a_value_goes_out_as_far_as_the_node_allows() {
    let mut upload = Upload::new();
    upload.buffer = vec![1; PIECE_LEN_MAX + 5];
    assert!(upload.can_fill() && upload.can_send());
    assert_eq!(upload.take_piece().0.len(), PIECE_LEN_MAX);
    upload.window = 3;
    assert_eq!(upload.take_piece(), (vec![1; 3], false));
    assert!(!upload.can_send());
    upload.window = 10;
    upload.is_committed = true;
    assert_eq!(upload.take_piece(), (vec![1; 2], true));
}

#[test]
fn the_end_is_sent_though_nothing_is_left() {
    let mut upload = Upload::new();
    assert!(!upload.can_send());
    upload.is_committed = true;
    upload.window = 0;
    assert!(upload.can_send());
    assert_eq!(upload.take_piece(), (Vec::new(), true));
}

#[test]
fn a_value_that_a_node_does_not_take_is_read_to_its_end() {
    let mut upload = Upload::new();
    upload.buffer = vec![0; 3 * PIECE_LEN_MAX];
    assert!(!upload.can_fill());
    upload.refused = Some(base::kv::Outcome::TooLarge);
    assert!(upload.can_fill());
}

#[test]
fn a_value_comes_in_and_its_window_moves() {
    let len = 2 * WINDOW_LEN;
    let (mut download, mut out) = (Download::new(NOW, len), Vec::new());
    let piece = vec![7; WINDOW_LEN as usize / 2];
    assert!(download.receive(NOW, &piece) && download.receive(NOW, &piece));
    // More than was allowed.
    assert!(!download.receive(NOW, &[1]));
    assert_eq!(download.copy(100, &mut out), 100);
    assert_eq!(download.take_grant(), None);
    assert_eq!(
        download.copy(usize::MAX, &mut out),
        WINDOW_LEN as usize - 100
    );
    assert_eq!(download.take_grant(), Some(WINDOW_LEN));
    assert_eq!(download.copy(usize::MAX, &mut out), 0);
    assert!(download.receive(NOW, &piece) && download.receive(NOW, &piece));
    // More than was announced.
    assert_eq!((download.left, download.receive(NOW, &[1])), (0, false));
    assert_eq!(download.take_grant(), None);
    assert_eq!(out.len(), WINDOW_LEN as usize);
}
