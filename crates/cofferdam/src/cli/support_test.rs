//! The archive holds what it should, nothing older, and no secret that was planted.

use std::io::Read;

use flate2::read::GzDecoder;

use super::*;

const NOW: u64 = 1_800_000_000;
const TOKEN: &str = "k7m2pq9xw3ztb8nyc5dfgh4jra";

fn unpacked(bundle: Bundle) -> Vec<(String, String)> {
    let bytes = bundle.into_archive().unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
    let files = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (path, text)
    });
    files.collect()
}

#[test]
fn planted_secrets_stay_at_home() {
    let dir = tempfile::tempdir().unwrap();
    let at = rfc3339(NOW - 60);
    fs::write(dir.path().join(files::ADMIN_TOKEN), format!("{TOKEN}\n")).unwrap();
    let line = |text: &str| format!("{{\"at\":\"{at}\",\"sentence\":\"{text}\"}}\n");
    let journal = line(&format!("token {TOKEN}")) + &line("password=hunter2hunter2");
    fs::write(dir.path().join(JOURNAL), journal).unwrap();
    fs::write(dir.path().join(AUDIT), line("secret: hunter2hunter2")).unwrap();
    let file = dir.path().join("cofferdam.toml");
    fs::write(
        &file,
        "[webhook]\nsecret = \"hunter2hunter2\"\nurl = \"https://u:hunter2hunter2@h/\"\n",
    )
    .unwrap();
    let mut bundle = Bundle::new(dir.path(), NOW);
    bundle.config(Some(&file));
    bundle.journals(dir.path(), NOW - 3600);
    let files = unpacked(bundle);
    assert_eq!(files.len(), 3);
    for (name, text) in &files {
        assert!(text.contains("[redacted]"), "{name}: {text}");
        assert!(
            !text.contains(TOKEN) && !text.contains("hunter2"),
            "{name}: {text}"
        );
    }
    assert!(
        files[0].0.starts_with("cofferdam-support-20270115-080000/"),
        "{}",
        files[0].0
    );
}

#[test]
fn older_lines_are_left_out_and_strange_ones_kept() {
    let since = rfc3339(NOW);
    let line = |at_s| format!("{{\"id\":1,\"at\":\"{}\"}}", rfc3339(at_s));
    assert!(!is_since(&line(NOW - 1), &since));
    assert!(is_since(&line(NOW), &since));
    assert!(is_since("not a line of ours", &since));
}

#[test]
fn figures_are_a_table_with_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join(HISTORY_DIR);
    let history = History::open(&place, NOW - 10).unwrap();
    for second in [NOW - 3, NOW - 1, NOW] {
        history
            .record(second, &[("a/b", 1.5), ("c", f32::NAN)])
            .unwrap();
    }
    let text = table(&history, NOW, 3).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            format!("from {} every 1 s", rfc3339(NOW - 3)).as_str(),
            "a/b,1.5,,1.5,1.5"
        ]
    );
}

#[test]
fn what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut bundle = Bundle::new(dir.path(), NOW);
    bundle.history(dir.path(), NOW, 1);
    bundle.config(Some(&dir.path().join("none.toml")));
    assert_eq!(
        bundle.names(),
        ["history.missing", "cofferdam.toml.missing"]
    );
}
