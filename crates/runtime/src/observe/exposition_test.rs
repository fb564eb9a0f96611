//! The text format, byte by byte.

use super::*;

fn page(write: impl FnOnce(&mut Exposition)) -> String {
    let mut page = Exposition::default();
    write(&mut page);
    page.into_text()
}

#[test]
fn a_family_has_help_type_and_samples() {
    let text = page(|page| {
        let mut family = page.family("a_bytes_total", Kind::Counter, "Bytes read.");
        family.sample(&[("tenant", "acme")], 12);
        family.sample(&[("tenant", "zeta"), ("loop", "0")], u64::MAX);
    });
    assert_eq!(
        text,
        "# HELP a_bytes_total Bytes read.\n\
         # TYPE a_bytes_total counter\n\
         a_bytes_total{tenant=\"acme\"} 12\n\
         a_bytes_total{tenant=\"zeta\",loop=\"0\"} 18446744073709551615\n"
    );
}

#[test]
fn a_family_without_samples_is_not_there() {
    let text = page(|page| {
        page.family("a_total", Kind::Counter, "Nothing.");
        page.single("b", Kind::Gauge, "Something.", 1);
    });
    assert!(text.starts_with("# HELP b Something.\n"), "{text}");
}

#[test]
fn what_would_end_a_line_or_a_string_is_escaped() {
    let text = page(|page| {
        page.family("a", Kind::Gauge, "One\\\nline.")
            .sample(&[("name", "a\"b\\c\nd")], 1);
    });
    assert_eq!(
        text,
        "# HELP a One\\\\\\nline.\n# TYPE a gauge\na{name=\"a\\\"b\\\\c\\nd\"} 1\n"
    );
}

#[test]
fn values_are_written_as_the_format_has_them() {
    let text = |value: Value| value.text();
    assert_eq!(text(0.25.into()), "0.25");
    assert_eq!(text(Duration::from_millis(1500).into()), "1.5");
    assert_eq!(text(f64::NAN.into()), "NaN");
    assert_eq!(text(f64::INFINITY.into()), "+Inf");
    assert_eq!(text(f64::NEG_INFINITY.into()), "-Inf");
    assert_eq!(text(true.into()), "1");
    assert_eq!(text(1e-9.into()), "0.000000001");
}

#[test]
fn a_histogram_counts_up_to_each_bound() {
    let text = page(|page| {
        page.family("a_seconds", Kind::Histogram, "Delay.")
            .histogram(
                &[("tenant", "acme")],
                [(0.001, 3), (0.01, 0), (0.1, 2)],
                1,
                1.5,
            );
    });
    assert_eq!(
        text,
        "# HELP a_seconds Delay.\n\
         # TYPE a_seconds histogram\n\
         a_seconds_bucket{tenant=\"acme\",le=\"0.001\"} 3\n\
         a_seconds_bucket{tenant=\"acme\",le=\"0.01\"} 3\n\
         a_seconds_bucket{tenant=\"acme\",le=\"0.1\"} 5\n\
         a_seconds_bucket{tenant=\"acme\",le=\"+Inf\"} 6\n\
         a_seconds_sum{tenant=\"acme\"} 1.5\n\
         a_seconds_count{tenant=\"acme\"} 6\n"
    );
}

#[test]
fn a_histogram_of_nothing_is_whole() {
    let text = page(|page| {
        page.family("a_seconds", Kind::Histogram, "Delay.")
            .histogram(&[], [], 0, 0.0);
    });
    assert!(
        text.ends_with("a_seconds_bucket{le=\"+Inf\"} 0\na_seconds_sum 0\na_seconds_count 0\n")
    );
}
