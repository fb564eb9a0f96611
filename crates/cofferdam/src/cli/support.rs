//! `cofferdam support-bundle`: what a colleague or a provider needs to see, in one archive.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use runtime::Clock;
use runtime::history::{HISTORY_DIR, History, Query};
use runtime::http::Method;
use runtime::observe::read_journal;
use serde_json::json;

use super::access::Access;
use super::global::Global;
use super::output;
use super::support_redact::Redactor;
use crate::audit::AUDIT;
use crate::config::Config;
use crate::failure::Failure;
use crate::observe::log::JOURNAL;
use crate::{files, machine};

/// Points of each figure in the tables of the history.
const POINTS_MAX: usize = 1500;

/// What `support-bundle` takes.
#[derive(Args, Debug)]
pub(crate) struct SupportArgs {
    /// Where to [default: cofferdam-support-TIME.tar.gz, here]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How far back events, logs and history go, in hours
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=9600))]
    hours: u64,
}

pub(crate) fn run(global: &Global, args: &SupportArgs) -> Result<(), Failure> {
    let config = Config::load(global.config.as_deref(), &global.overrides())?;
    let dir = config.data_dir();
    let now_s = u64::from(Clock::new().now().unix_secs());
    let mut bundle = Bundle::new(&dir, now_s);
    bundle.text("about.json", about(now_s, args.hours));
    bundle.config(global.config.as_deref());
    bundle.journals(&dir, now_s.saturating_sub(args.hours * 3600));
    bundle.history(&dir, now_s, args.hours);
    match Access::running(global) {
        Ok(Some(access)) => bundle.daemon(&access),
        Ok(None) => bundle.missing("daemon", "none runs"),
        Err(failure) => bundle.missing("daemon", &failure.to_string()),
    }
    let path = match &args.output {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("cofferdam-support-{}.tar.gz", compact_time(now_s))),
    };
    files::check_target(&path, &dir, false)?;
    let names = bundle.names();
    files::write_private(&path, &bundle.into_archive()?)?;
    if global.json {
        return output::json(&json!({ "file": path, "contents": names }));
    }
    output::text(&format!(
        "{}\n{}passwords, tokens and keys are taken out; names of tenants and addresses are not: look \
         before you send it\n",
        path.display(),
        names
            .iter()
            .map(|name| format!("  {name}\n"))
            .collect::<String>()
    ))
}

/// The files of an archive, each without secrets.
struct Bundle {
    redactor: Redactor,
    now_s: u64,
    files: Vec<(String, String)>,
}

impl Bundle {
    fn new(dir: &Path, now_s: u64) -> Self {
        let in_file = fs::read_to_string(dir.join(files::ADMIN_TOKEN)).ok();
        let in_environment = std::env::var(files::TOKEN_VARIABLE).ok();
        Self {
            redactor: Redactor::new(in_file.into_iter().chain(in_environment)),
            now_s,
            files: Vec::new(),
        }
    }

    fn text(&mut self, name: &str, text: impl AsRef<str>) {
        let text = self.redactor.redact(text.as_ref());
        self.files.push((name.to_owned(), text));
    }

    /// Says why something is not there.
    fn missing(&mut self, name: &str, why: &str) {
        self.text(&format!("{name}.missing"), format!("{why}\n"));
    }

    fn config(&mut self, file: Option<&Path>) {
        let Some(file) = file.map(Path::to_owned).or_else(machine::config_file) else {
            return self.missing(
                "cofferdam.toml",
                "no configuration file: all is as it comes",
            );
        };
        match fs::read_to_string(&file) {
            Ok(text) => self.text("cofferdam.toml", text),
            Err(error) => self.missing("cofferdam.toml", &error.to_string()),
        }
    }

    /// Events and actions since a time.
    fn journals(&mut self, dir: &Path, since_s: u64) {
        let since = rfc3339(since_s);
        for name in [JOURNAL, AUDIT] {
            match read_journal(&dir.join(name)) {
                Ok(lines) => {
                    let late = lines.iter().filter(|line| is_since(line, &since));
                    let text: String = late.map(|line| format!("{line}\n")).collect();
                    self.text(name, text);
                }
                Err(error) => self.missing(name, &error.to_string()),
            }
        }
    }

    /// Every figure as a table: the last hour finely, and all of the time that was asked for.
    fn history(&mut self, dir: &Path, now_s: u64, hours: u64) {
        let history = match History::open_to_read(&dir.join(HISTORY_DIR)) {
            Ok(history) => history,
            Err(error) => return self.missing("history", &error.to_string()),
        };
        for (name, range_s) in [("last-hour", 3600), ("whole", hours * 3600)] {
            match table(&history, now_s, range_s) {
                Ok(text) => self.text(&format!("history-{name}.csv"), text),
                Err(error) => self.missing(&format!("history-{name}"), &error.to_string()),
            }
        }
    }

    /// What only a running daemon knows.
    fn daemon(&mut self, access: &Access) {
        let questions = [
            ("stat.json", "/v1/stat"),
            ("tenants.json", "/v1/tenants"),
            ("board.json", "/v1/board"),
            ("metrics.txt", "/metrics"),
            ("log.txt", "/v1/log"),
        ];
        for (name, path) in questions {
            match access.fetch(path) {
                Ok(bytes) => self.text(name, String::from_utf8_lossy(&bytes)),
                Err(failure) => self.missing(name, &failure.to_string()),
            }
        }
        let ready: Result<(), Failure> = access.tell(Method::GET, "/readyz");
        let answer = ready.map_or_else(|failure| failure.to_string(), |()| "ready".to_owned());
        self.text("readyz.txt", answer + "\n");
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|(name, _)| name.clone()).collect()
    }

    /// A gzipped tar of all of it, in a folder of its own.
    fn into_archive(self) -> io::Result<Vec<u8>> {
        let folder = format!("cofferdam-support-{}", compact_time(self.now_s));
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (name, text) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(self.now_s);
            archive.append_data(&mut header, format!("{folder}/{name}"), text.as_bytes())?;
        }
        let mut gzip = archive.into_inner()?;
        gzip.flush()?;
        gzip.finish()
    }
}

fn about(now_s: u64, hours: u64) -> String {
    let read = |path: &str| {
        fs::read_to_string(path)
            .ok()
            .map(|text| text.trim().to_owned())
    };
    let about = json!({
        "cofferdam": env!("CARGO_PKG_VERSION"),
        "made_at": rfc3339(now_s),
        "hours": hours,
        "kernel": read("/proc/version"),
        "cpus": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory": read("/proc/meminfo").map(|text| text.lines().take(3).collect::<Vec<_>>().join(", ")),
        "somaxconn": read("/proc/sys/net/core/somaxconn"),
        "tcp_syncookies": read("/proc/sys/net/ipv4/tcp_syncookies"),
        "uptime_s": read("/proc/uptime"),
    });
    format!("{about:#}\n")
}

/// A line for each figure: its name, then its means from the first time of the head on.
fn table(history: &History, now_s: u64, range_s: u64) -> io::Result<String> {
    let names = history.series();
    let query = Query {
        names: names.clone(),
        from_s: now_s.saturating_sub(range_s),
        to_s: now_s,
        points_max: POINTS_MAX,
    };
    let answer = history.query(&query, now_s)?;
    let mut text = format!(
        "from {} every {} s\n",
        rfc3339(answer.from_s),
        answer.step_s
    );
    for (name, line) in names.iter().zip(&answer.lines) {
        if line.means.iter().all(|mean| mean.is_nan()) {
            continue;
        }
        text.push_str(name);
        for mean in &line.means {
            text.push(',');
            // A gap is an empty cell.
            if !mean.is_nan() {
                text.push_str(&mean.to_string());
            }
        }
        text.push('\n');
    }
    Ok(text)
}

/// Whether a line of a journal was written at or after `since`; times of one form compare as text.
fn is_since(line: &str, since: &str) -> bool {
    let at = line.split_once("\"at\":\"").map(|(_, rest)| rest);
    at.is_none_or(|at| at.get(..19) >= since.get(..19))
}

fn rfc3339(time_s: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(time_s)).to_string()
}

/// `YYYYMMDD-HHMMSS`.
fn compact_time(time_s: u64) -> String {
    let text = rfc3339(time_s);
    let digits = text.replace(['-', ':', 'Z'], "");
    digits.replace('T', "-")
}

#[cfg(test)]
#[path = "support_test.rs"]
mod tests;
