//! Dates against what calendars say, and back again.

use std::time::Duration;

use super::*;

#[test]
fn well_known_moments_are_written_as_the_standards_have_them() {
    let at = Timestamp::from_secs(1_353_506_645) + Duration::from_millis(7);
    assert_eq!(rfc3339(at), "2012-11-21T14:04:05.007Z");
    assert_eq!(rfc2822(at), "Wed, 21 Nov 2012 14:04:05 +0000");
    assert_eq!(moment(at), "21 Nov 2012, 14:04:05 UTC");
    assert_eq!(rfc3339(Timestamp::ZERO), "1970-01-01T00:00:00.000Z");
    assert_eq!(rfc2822(Timestamp::ZERO), "Thu, 01 Jan 1970 00:00:00 +0000");
    let leap = Timestamp::from_secs(951_782_400);
    assert_eq!(rfc2822(leap), "Tue, 29 Feb 2000 00:00:00 +0000");
}

#[test]
fn what_is_written_is_read_back() {
    for day in (0..80_000).step_by(13) {
        let at = Timestamp::from_secs(day * DAY_S + 45_296);
        assert_eq!(parse(&rfc3339(at)), Some(at));
    }
    let at = parse("2026-11-22T08:04").unwrap();
    assert_eq!(rfc3339(at), "2026-11-22T08:04:00.000Z");
}

#[test]
fn what_is_no_moment_is_none() {
    for text in [
        "",
        "now",
        "2026-11-22",
        "2026-13-01T00:00",
        "2026-02-30T00:00",
        "2026-11-22T24:00",
        "1969-12-31T00:00",
        "99999999999999999999-01-01T00:00",
        "2026-11-22T08:04:05.1234567890",
        "2026-11-22T08:04:-5",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn lengths_have_two_units_at_most() {
    let cases = [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (86_400, "1 d"),
        (187_200, "2 d 4 h"),
    ];
    for (seconds, text) in cases {
        assert_eq!(span(Duration::from_secs(seconds)), text);
    }
}
