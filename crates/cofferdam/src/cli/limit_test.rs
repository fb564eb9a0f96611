//! Flags of limits, `none` among them, and what is shown.

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    limits: LimitArgs,
}

fn parse(line: &str) -> Result<LimitChange, String> {
    let words = std::iter::once("limit").chain(line.split_whitespace());
    let line = Line::try_parse_from(words).map_err(|e| e.to_string())?;
    Ok(line.limits.change())
}

#[test]
fn every_limit_is_set_by_its_flag() {
    let line = "--memory 1GiB --item-size 1MiB --ops 1000 --bytes-in 1MiB --bytes-out 2MiB \
                --burst 500ms --weight 200 --connections 100 --connects-per-second 10 \
                --inflight-bytes 8MiB --max-delay-ms 50 --hot-keys 500ms";
    let change = parse(line).unwrap();
    assert_eq!(change.memory_bytes, Some(1 << 30));
    assert_eq!(change.item_size_bytes, Some(1 << 20));
    let expected = TrafficChange {
        ops_per_second: Some(Some(1000)),
        bytes_in_per_second: Some(Some(1 << 20)),
        bytes_out_per_second: Some(Some(2 << 20)),
        burst_ms: Some(Some(500)),
        weight: Some(Some(200)),
        connections: Some(Some(100)),
        connects_per_second: Some(Some(10)),
        inflight_bytes: Some(Some(8 << 20)),
        max_delay_ms: Some(Some(50)),
        hot_keys_ms: Some(Some(500)),
    };
    assert_eq!(change.traffic, expected);
}

#[test]
fn none_takes_every_limit_of_traffic_away() {
    let line = "--ops none --bytes-in none --bytes-out none --burst none --weight none \
                --connections none --connects-per-second none --inflight-bytes none \
                --max-delay-ms none --hot-keys none";
    let taken = parse(line).unwrap().traffic;
    let text = serde_json::to_string(&taken).unwrap();
    assert_eq!(text.matches("null").count(), 10, "{text}");
    assert!(parse("--memory none").is_err() && parse("--item-size none").is_err());
}

#[test]
fn what_is_no_limit_is_told_so() {
    for (line, word) in [
        ("--ops many", "none"),
        ("--ops -1", "--ops"),
        ("--bytes-in 1MB", "KiB, MiB or GiB"),
        ("--burst 5", "500ms or 5s"),
        ("--burst 1500us", "whole number of milliseconds"),
        ("", "--memory"),
    ] {
        let error = parse(line).unwrap_err();
        assert!(error.contains(word), "{line}: {error}");
    }
}

#[test]
fn limits_are_shown_in_their_units() {
    let shown = shown(&TrafficView {
        ops_per_second: Some(1000),
        bytes_in_per_second: Some(1 << 20),
        burst_ms: 1500,
        weight: 100,
        connections: Some(7),
        ..TrafficView::default()
    });
    let value = |name| &shown.iter().find(|(n, _)| *n == name).unwrap().1;
    assert_eq!(
        (value("ops/s"), value("bytes in/s")),
        (&"1000".into(), &"1MiB".into())
    );
    assert_eq!(
        (value("burst"), value("most connections")),
        (&"1s 500ms".into(), &"7".into())
    );
    assert_eq!(
        (value("bytes out/s"), value("max delay")),
        (&"none".into(), &"0s".into())
    );
}
