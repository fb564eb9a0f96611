//! The files that a drill's report goes to: opened before it begins, written when it is over.

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use super::drill::DrillArgs;
use super::global::Global;
use super::output;
use crate::failure::Failure;

/// The report, with its plot where it has one, open. Those that were not there before go again if nothing
/// is written.
pub(super) struct ReportFiles {
    report: Kept,
    plot: Option<Kept>,
}

/// A file that is open for writing, still as it was.
struct Kept {
    path: PathBuf,
    file: File,
    is_new: bool,
}

impl ReportFiles {
    /// Opens them where they are wanted, if they are.
    pub(super) fn open(
        global: &Global,
        args: &DrillArgs,
        has_plot: bool,
    ) -> Result<Option<Self>, Failure> {
        let path = match &args.report {
            Some(path) => path.clone(),
            None if global.json => return Ok(None),
            None => PathBuf::from(format!("drill-{}.md", args.name)),
        };
        let plot = path.with_extension("svg");
        if has_plot && plot == path {
            return Err(Failure::CouldNotRun(format!(
                "--report {}: the plot goes to a .svg beside the report: choose another ending",
                path.display()
            )));
        }
        let report = Kept::open(path)?;
        let plot = has_plot.then(|| Kept::open(plot)).transpose()?;
        Ok(Some(Self { report, plot }))
    }

    /// The plot's name beside the report.
    pub(super) fn plot_name(&self) -> Option<String> {
        let name = self.plot.as_ref()?.path.file_name()?;
        Some(name.to_string_lossy().into_owned())
    }

    /// Writes them, and tells where they are.
    pub(super) fn write(&mut self, report: &str, plot: &str) -> Result<(), Failure> {
        let mut places = String::new();
        if let Some(kept) = &mut self.plot {
            kept.write(plot)?;
            places = format!(", plot: {}", kept.path.display());
        }
        self.report.write(report)?;
        output::aside(&format!("report: {}{places}", self.report.path.display()));
        Ok(())
    }
}

impl Kept {
    fn open(path: PathBuf) -> Result<Self, Failure> {
        let is_new = !path.exists();
        let mut options = File::options();
        // What is there is replaced only by a whole report.
        let file = options.write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| Failure::CouldNotRun(told(&path, &error)))?;
        Ok(Self { path, file, is_new })
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        let mut replace = || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(text.as_bytes())
        };
        // What is lost is the report: that says nothing about who was drilled.
        replace().map_err(|error| Failure::CouldNotRun(told(&self.path, &error)))?;
        self.is_new = false;
        Ok(())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.is_new {
            // Empty, and at worst in the way.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn told(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    format!("cannot write the report to {path}: {error}: choose another --report")
}

#[cfg(test)]
#[path = "drill_report_test.rs"]
mod tests;
