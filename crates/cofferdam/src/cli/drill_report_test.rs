//! Where a report goes is settled before the drill begins.

use clap::Parser;

use super::super::args::{Cli, Command};
use super::super::drill::DrillCommand;
use super::*;

fn open(line: &str) -> Result<Option<ReportFiles>, Failure> {
    open_of("friday", true, line)
}

fn open_of(drill: &str, has_plot: bool, line: &str) -> Result<Option<ReportFiles>, Failure> {
    let words = ["cofferdam", "drill", "run", drill].into_iter();
    let cli = Cli::try_parse_from(words.chain(line.split_whitespace())).unwrap();
    match cli.command {
        Command::Drill(DrillCommand::Run(args)) => ReportFiles::open(&cli.global, &args, has_plot),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_at_once() {
    for place in ["/proc/none/report.md", "/tmp", "plot.svg"] {
        let refused = open(&format!("--report {place}")).err().unwrap();
        assert!(matches!(refused, Failure::CouldNotRun(_)), "{place}");
        assert!(refused.to_string().contains("choose another"), "{refused}");
    }
}

#[test]
fn json_alone_keeps_no_file() {
    assert!(open("--json").unwrap().is_none());
}

#[test]
fn a_drill_that_was_not_run_leaves_all_files_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.md");
    std::fs::write(dir.path().join("report.svg"), "of the last run").unwrap();
    drop(open(&format!("--report {}", report.display())).unwrap());
    assert!(!report.exists());
    let kept = std::fs::read_to_string(dir.path().join("report.svg")).unwrap();
    assert_eq!(kept, "of the last run");
}

#[test]
fn a_report_without_a_plot_is_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.svg");
    let line = format!("--json --report {}", path.display());
    let mut files = open_of("wednesday", false, &line).unwrap().unwrap();
    assert_eq!(files.plot_name(), None);
    files.write("the table", "").unwrap();
    drop(files);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "the table");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_shorter_text_replaces_a_longer_one_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.md");
    std::fs::write(&path, "something longer").unwrap();
    let mut kept = Kept::open(path.clone()).unwrap();
    kept.write("short").unwrap();
    drop(kept);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "short");
}
