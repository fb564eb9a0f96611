//! Groups are as bad as they are, and never green for want of data.

use super::Level::*;
use super::*;

#[test]
fn a_group_is_out_only_if_all_of_it_is() {
    assert_eq!(Level::of_group([Major, Major]), Major);
    assert_eq!(Level::of_group([Major, Operational]), Partial);
    assert_eq!(Level::of_group([Major, NoData]), Partial);
    assert_eq!(Level::of_group([Degraded, Operational]), Degraded);
    assert_eq!(Level::of_group([Operational, Operational]), Operational);
}

#[test]
fn without_data_nothing_is_green() {
    assert_eq!(Level::of_group([]), NoData);
    assert_eq!(Level::of_group([Operational, NoData]), NoData);
    assert_eq!(Level::of_group([Maintenance, NoData]), NoData);
    assert_ne!(NoData.statuspage(), Operational.statuspage());
}
