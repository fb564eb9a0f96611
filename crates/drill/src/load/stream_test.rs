//! Tests of a run that is told window by window are in `tests/`, with a server; here what needs none.

use super::*;
use crate::load::{LoadError, Target};

#[test]
fn a_run_that_cannot_begin_says_why() {
    let plan = Plan {
        targets: vec![Target::Tcp("127.0.0.1:1".into())],
        ..Plan::default()
    };
    let stop = AtomicBool::new(false);
    let outcome = stream(&plan, &stop, &mut |_| panic!("there is nothing to tell"));
    assert!(
        matches!(outcome, Err(LoadError::Connect { .. })),
        "{outcome:?}"
    );
}
