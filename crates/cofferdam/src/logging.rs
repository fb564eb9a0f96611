//! Log lines on standard error, as text or JSON, with a level that can change while running.

use std::io;

use clap::ValueEnum;
use serde::Deserialize;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The least important kind of line that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Something failed.
    Error,
    /// Something will fail, or was refused.
    Warn,
    /// What an operator did, and what the program then did.
    Info,
    /// What a developer asks for.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Changes the level of a running log.
#[derive(Clone, Debug)]
pub(crate) struct LevelSwitch(reload::Handle<LevelFilter, Registry>);

impl LevelSwitch {
    pub(crate) fn set(&self, level: LogLevel) {
        // It fails only when the log is gone, and then there is nothing to tell it to.
        let _ = self.0.reload(level);
    }
}

/// Starts the log of this process.
pub(crate) fn start(format: LogFormat, level: LogLevel) -> LevelSwitch {
    let (filter, handle) = reload::Layer::new(LevelFilter::from(level));
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Text => {
            let colour = std::io::IsTerminal::is_terminal(&io::stderr());
            lines.with_ansi(colour).boxed()
        }
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second start, as in tests, keeps the first log.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
    LevelSwitch(handle)
}
