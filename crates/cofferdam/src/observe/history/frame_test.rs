//! A second's figures by the names that the history knows them by.

use super::*;

#[test]
fn a_frame_is_found_by_name_and_flat_under_whole_names() {
    let mut values = vec![0.0; TENANT_FIGURES.len()];
    values[1] = 7.0;
    let frame = Frame {
        time_s: 5,
        figures: Row::new(vec![("service/reads".into(), 2.0)], &Row::default()),
        tenants: vec![TenantFrame {
            name: Arc::from("acme"),
            values,
        }],
    };
    assert_eq!(frame.figure("service/reads"), Some(2.0));
    assert_eq!(frame.figure("service/none"), None);
    let acme = frame.tenant("acme").unwrap();
    assert_eq!(acme.get("writes"), 7.0);
    assert!(acme.get("nothing").is_nan());
    let flat = frame.flat();
    assert_eq!(flat.len(), 1 + TENANT_FIGURES.len());
    assert_eq!(flat[2], ("tenant/acme/writes".into(), 7.0));
}

#[test]
fn every_name_fits_into_the_history() {
    let tenant = "t".repeat(63);
    for figure in TENANT_FIGURES {
        assert!(tenant_series(&tenant, figure).len() <= 115);
    }
    // A hundred lines, the rest, and some hundred figures of service and machine.
    assert!(101 * TENANT_FIGURES.len() + 400 <= runtime::history::SERIES_MAX);
}
