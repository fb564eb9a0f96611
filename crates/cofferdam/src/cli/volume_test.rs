//! What is printed to copy and paste.

use super::*;

#[test]
fn lines_to_connect_name_every_way_in() {
    let view = AttachView {
        volume: "acme/data".to_owned(),
        tcp: None,
        unix: Some("/run/my dir/nbd.sock".into()),
    };
    let text = how_to_connect(&view);
    assert!(
        text.starts_with("nbd+unix:///acme/data?socket=/run/my%20dir/nbd.sock\n"),
        "{text}"
    );
    assert!(text.contains("-unix '/run/my dir/nbd.sock'"), "{text}");
    let view = AttachView {
        volume: "data".to_owned(),
        tcp: Some("127.0.0.1:10809".to_owned()),
        unix: None,
    };
    let text = how_to_connect(&view);
    assert!(text.starts_with("nbd://127.0.0.1:10809/data\n"), "{text}");
    assert!(
        text.contains("nbd-client 127.0.0.1 10809 /dev/nbd0 -N data"),
        "{text}"
    );
    let nowhere = AttachView { tcp: None, ..view };
    assert!(how_to_connect(&nowhere).contains("--nbd-unix"));
}
