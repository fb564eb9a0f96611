//! What is printed to copy and paste.

use super::*;

#[test]
fn lines_to_connect_name_every_way_in() {
    let view = AttachView {
        volume: "acme/data".to_owned(),
        tcp: None,
        tls: false,
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
        tls: false,
        unix: None,
    };
    let text = how_to_connect(&view);
    assert!(text.starts_with("nbd://127.0.0.1:10809/data\n"), "{text}");
    assert!(
        text.contains("nbd-client 127.0.0.1 10809 /dev/nbd0 -N data"),
        "{text}"
    );
    let secured = AttachView {
        tls: true,
        ..view.clone()
    };
    let text = how_to_connect(&secured);
    assert!(
        text.starts_with("nbds://127.0.0.1:10809/data?tls-certificates=DIR"),
        "{text}"
    );
    assert!(!text.contains("nbd://"), "{text}");
    let nowhere = AttachView { tcp: None, ..view };
    assert!(how_to_connect(&nowhere).contains("--nbd-unix"));
}
