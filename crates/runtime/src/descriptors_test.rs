//! The limit is the hard one afterwards, and the table takes it.

use rustix::process::{Resource, getrlimit};

use super::{grow_table, raise_limit};

#[test]
fn the_soft_limit_becomes_the_hard_one() {
    let hard = raise_limit().unwrap();
    let limit = getrlimit(Resource::Nofile);
    assert_eq!((limit.current, limit.maximum), (hard, hard));
}

#[test]
fn the_table_grows_within_the_limit_and_no_further() {
    let limit = raise_limit().unwrap().unwrap_or(u64::MAX);
    grow_table(u32::try_from(limit.min(4096)).unwrap()).unwrap();
    if let Ok(beyond) = u32::try_from(limit + 1) {
        assert!(grow_table(beyond).is_err());
    }
}
