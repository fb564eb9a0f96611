//! Tables line up and sizes are short.

use super::*;

#[test]
fn columns_are_as_wide_as_their_widest_cell() {
    let rows = [
        vec!["a".to_owned(), "1000".to_owned()],
        vec!["longer".into(), "1".into()],
    ];
    let expected = "NAME       N\na       1000\nlonger     1\n";
    assert_eq!(table(&["NAME", "N"], &rows), expected);
    assert_eq!(table(&["NAME", "N"], &[]), "NAME  N\n");
}

#[test]
fn names_stand_before_values() {
    let text = pairs(&[("a", "1".to_owned()), ("longer", "2".to_owned())]);
    assert_eq!(text, "a       1\nlonger  2\n");
}

#[test]
fn sizes_are_exact_where_short_and_rounded_where_not() {
    let cases = [
        (0, "0"),
        (999, "999"),
        (1500, "1.5KiB"),
        (4096, "4KiB"),
        (528_960, "516.6KiB"),
        (100 << 20, "100MiB"),
        ((100 << 20) + 1, "100.0MiB"),
        (111_149_056 + 4096, "106.0MiB"),
        (3 << 30, "3GiB"),
        ((3 << 30) + (1 << 29), "3584MiB"),
        (u64::MAX, "16777216.0TiB"),
    ];
    for (bytes, text) in cases {
        assert_eq!(size(bytes), text);
    }
}

#[test]
fn what_is_not_known_is_a_dash() {
    assert_eq!(known(None, |n| n.to_string()), "-");
    assert_eq!(known(Some(3), |n| n.to_string()), "3");
}

#[test]
fn paths_are_one_word_for_a_shell() {
    let cases = [
        ("/var/lib/cofferdam", "/var/lib/cofferdam"),
        ("/a b", "'/a b'"),
        ("it's", r"'it'\''s'"),
        ("$HOME;x", "'$HOME;x'"),
    ];
    for (path, word) in cases {
        assert_eq!(shell_word(Path::new(path)), word);
    }
}
