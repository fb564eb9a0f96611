//! Tests that rows share their names while these are the same, and only then.

use super::*;

fn row(names: &[&str], before: &Row) -> Row {
    let figures = (1_u16..).zip(names);
    let figures = figures.map(|(number, name)| ((*name).to_owned(), f32::from(number)));
    Row::new(figures.collect(), before)
}

#[test]
fn rows_with_the_same_names_share_them() {
    let first = row(&["a", "b"], &Row::default());
    let second = row(&["a", "b"], &first);
    assert!(Arc::ptr_eq(&first.names, &second.names));
    for names in [&["b", "a"][..], &["a"], &["a", "b", "c"]] {
        let other = row(names, &second);
        assert!(!Arc::ptr_eq(&other.names, &second.names));
        assert_eq!(other.get(names[0]), Some(1.0));
        assert_eq!(other.iter().count(), names.len());
    }
    assert_eq!(second.get("b"), Some(2.0));
    assert_eq!(second.get("c"), None);
}
