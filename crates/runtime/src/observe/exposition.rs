//! The Prometheus text format, version 0.0.4: families with help, type and samples.
//!
//! The format is that of
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

use std::fmt::{self, Write};
use std::time::Duration;

/// What HTTP calls it.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a family's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process starts again. Its name ends in `_total`.
    Counter,
    /// Comes and goes.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// A page of metrics as it is written.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a family; it is on the page once it has a sample. Families come one after another,
    /// each once.
    pub fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &'a str) -> Family<'a> {
        debug_assert!(is_name(name), "{name}");
        debug_assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
        Family {
            text: &mut self.text,
            name,
            kind,
            help,
            begun: false,
        }
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Into<Value>) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// A family that samples are added to.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
    kind: Kind,
    help: &'a str,
    begun: bool,
}

impl Family<'_> {
    /// Adds one value under these labels.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        self.begin();
        self.line("", labels, None, value.into());
    }

    /// Adds a histogram under these labels: how many were at most each bound (bounds ascending, each
    /// count without those of the bounds before), how many were beyond the last, and the sum of all.
    pub fn histogram(
        &mut self,
        labels: &[(&str, &str)],
        buckets: impl IntoIterator<Item = (f64, u64)>,
        beyond: u64,
        sum: f64,
    ) {
        debug_assert_eq!(self.kind, Kind::Histogram);
        self.begin();
        let mut count = 0u64;
        for (bound, here) in buckets {
            count = count.saturating_add(here);
            let bound = Value::Float(bound).text();
            self.line("_bucket", labels, Some(&bound), Value::Count(count));
        }
        count = count.saturating_add(beyond);
        self.line("_bucket", labels, Some("+Inf"), Value::Count(count));
        self.line("_sum", labels, None, Value::Float(sum));
        self.line("_count", labels, None, Value::Count(count));
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = self.help.replace('\\', r"\\").replace('\n', r"\n");
        push(self.text, format_args!("# HELP {} {help}\n", self.name));
        push(self.text, format_args!("# TYPE {} {kind}\n", self.name));
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], bound: Option<&str>, value: Value) {
        push(self.text, format_args!("{}{suffix}", self.name));
        let bound = bound.map(|bound| ("le", bound));
        let mut separator = '{';
        for (name, value) in labels.iter().copied().chain(bound) {
            debug_assert!(is_name(name), "{name}");
            push(
                self.text,
                format_args!("{separator}{name}=\"{}\"", escaped(value)),
            );
            separator = ',';
        }
        let close = if separator == ',' { "}" } else { "" };
        push(self.text, format_args!("{close} {}\n", value.text()));
    }
}

fn push(text: &mut String, piece: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(piece);
}

/// A sample's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number, told whole however large.
    Count(u64),
    /// Any other.
    Float(f64),
}

impl Value {
    fn text(self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Float(value) if value == f64::INFINITY => "+Inf".to_owned(),
            Self::Float(value) if value == f64::NEG_INFINITY => "-Inf".to_owned(),
            Self::Float(value) => value.to_string(),
        }
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Count(u64::from(yes))
    }
}

impl From<Duration> for Value {
    /// In seconds, the unit of all times.
    fn from(duration: Duration) -> Self {
        Self::Float(duration.as_secs_f64())
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

/// Whether it may name a family or a label here: without the colons that recording rules use.
fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
#[path = "exposition_test.rs"]
mod tests;
