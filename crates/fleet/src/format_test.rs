//! A ring is what it was after a way through the store; nothing else becomes one.

use base::rng::Rng;

use super::*;
use crate::testing::{changed, random_weights, ring, weights};

#[test]
fn rings_come_back_as_they_were() {
    let mut ring = Ring::empty();
    let mut rng = Rng::new(1);
    for _ in 0..20 {
        assert_eq!(Ring::from_json(ring.to_json().as_bytes()).unwrap(), ring);
        let next = random_weights(&mut rng, 20);
        if let Some(announced) = ring.propose(&next).unwrap() {
            let json = announced.to_json();
            assert_eq!(Ring::from_json(json.as_bytes()).unwrap(), announced);
        }
        ring = changed(&ring, &next);
    }
    // Far below what a request to etcd may have (1.5 MiB).
    assert!(ring.to_json().len() < 100_000);
}

#[test]
fn the_format_is_what_other_releases_read() {
    let empty = r#"{"version":0,"slots":[[null,0,4096]]}"#;
    assert_eq!(Ring::empty().to_json(), empty);
    let one = r#"{"version":1,"slots":[[1,1,4096]]}"#;
    assert_eq!(ring(&[5]).to_json(), one);
    let two = ring(&[5]).propose(&weights(&[1, 4095])).unwrap().unwrap();
    assert!(
        two.to_json()
            .starts_with(r#"{"version":1,"slots":[[1,1,4096]],"moving":[["#)
    );
    assert_eq!(two.moving().len(), 4095);
}

#[test]
fn what_contradicts_itself_is_refused() {
    for bad in [
        "",
        "[]",
        r#"{"version":0}"#,
        r#"{"version":0,"slots":[[null,0,4095]]}"#,
        r#"{"version":0,"slots":[[null,0,4096],[null,0,1]]}"#,
        r#"{"version":0,"slots":[[null,1,4096]]}"#,
        r#"{"version":1,"slots":[[null,1,4096]],"moving":[[4096,null]]}"#,
        r#"{"version":1,"slots":[[null,1,4096]],"moving":[[1,null],[1,3]]}"#,
        r#"{"version":1,"slots":[[-1,1,4096]]}"#,
        r#"{"version":1,"slots":[[4294967296,1,4096]]}"#,
    ] {
        assert!(Ring::from_json(bad.as_bytes()).is_err(), "{bad}");
    }
}
