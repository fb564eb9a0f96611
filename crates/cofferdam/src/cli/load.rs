//! `cofferdam load`: flags to a plan of the load generator, its progress, and its report.

use std::path::PathBuf;

use clap::Args;
use drill::load::{
    Arrivals, AuthDialect, Distribution, KeySpace, LoadError, Login, Mix, Mode, Plan, Progress,
    Protocol, Report, Target, ValueLen,
};

use super::global::Global;
use super::output;
use super::suggested::Suggested;
use crate::config::Span;
use crate::failure::Failure;

/// Put load on a memcached-compatible server and measure it.
///
/// Without --rate the loop is closed: each connection keeps --pipeline requests under way, as fast as
/// the server answers. With --rate it is open: requests have their times, and latency counts from
/// then, so that a stall of the server is not hidden.
///
/// Ends with 1 if any request or connection failed, whatever the report says of the others; an answer
/// NOT_STORED is no failure.
#[derive(Args, Debug)]
pub(crate) struct LoadArgs {
    /// HOST:PORT or unix:PATH of a server; may be repeated [default: 127.0.0.1:11211]
    #[arg(long, value_name = "TARGET")]
    target: Vec<Target>,
    /// Log in as this tenant; may be repeated, connections are spread over all
    #[arg(long, value_name = "USER:PASSWORD")]
    login: Vec<Login>,
    /// File of logins, one USER:PASSWORD a line, so that no password shows in the list of processes
    #[arg(long, value_name = "FILE")]
    logins: Option<PathBuf>,
    /// text, meta or binary [default: text]
    #[arg(long, value_name = "NAME", hide_possible_values = true,
        value_parser = Suggested::<Protocol>::of(&["text", "meta", "binary"]))]
    protocol: Option<Protocol>,
    /// How to log in: body (user and password in a value), key (user as key) or sasl
    /// [default: body, sasl with the binary protocol]
    #[arg(long, value_name = "HOW", hide_possible_values = true,
        value_parser = Suggested::<AuthDialect>::of(&["body", "key", "sasl"]))]
    auth: Option<AuthDialect>,
    /// Shares of the operations get, set, mget=SHARE/KEYS, delete, touch [default: get=90,set=10]
    #[arg(long, value_name = "MIX")]
    mix: Option<Mix>,
    /// Keys of each tenant [default: 100000]
    #[arg(long, value_name = "N")]
    keys: Option<u64>,
    /// Length of a key in bytes [default: 12]
    #[arg(long, value_name = "BYTES")]
    key_len: Option<u32>,
    /// uniform, sequential, zipf (with exponent 0.99) or zipf:THETA [default: uniform]
    #[arg(long, value_name = "NAME", hide_possible_values = true,
        value_parser = Suggested::<Distribution>::of(&["uniform", "sequential", "zipf"]))]
    distribution: Option<Distribution>,
    /// Length of values: one, LOW..HIGH, or a list [default: 100]
    #[arg(long, value_name = "SIZES")]
    value_len: Option<ValueLen>,
    /// Expiry sent with every set and touch, in seconds, 0 for never [default: 0]
    #[arg(long, value_name = "SECONDS")]
    expiry: Option<u32>,
    /// Connections in total [default: 50]
    #[arg(long, value_name = "N")]
    connections: Option<u32>,
    /// Requests under way on one connection [default: 1]
    #[arg(long, value_name = "N")]
    pipeline: Option<u32>,
    /// Requests a second in total; makes the loop an open one
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// How an open loop's requests are spread in time: poisson or fixed [default: poisson]
    #[arg(long, value_name = "NAME", requires = "rate", hide_possible_values = true,
        value_parser = Suggested::<Arrivals>::of(&["poisson", "fixed"]))]
    arrivals: Option<Arrivals>,
    /// How long to measure [default: 10s]
    #[arg(long, value_name = "TIME")]
    duration: Option<Span>,
    /// How long to run before that [default: 1s]
    #[arg(long, value_name = "TIME")]
    warmup: Option<Span>,
    /// Do not store all keys before the run
    #[arg(long)]
    no_prefill: bool,
    /// End after so many measured requests
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// One get on each connection, then hold all of them open and idle for so long
    #[arg(long, value_name = "TIME")]
    hold: Option<Span>,
    /// Compare every byte of every hit
    #[arg(long)]
    verify: bool,
    /// When a request, or connecting, is given up [default: 5s]
    #[arg(long, value_name = "TIME")]
    timeout: Option<Span>,
    /// Threads that share the connections [default: 1]
    #[arg(long, value_name = "N")]
    threads: Option<u32>,
    /// Every random choice follows from it [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Put the whole latency histogram into the JSON report (HdrHistogram V2, base64)
    #[arg(long)]
    histogram: bool,
    /// Tell nothing before the end: on a core of its own the load is then not held up by its progress
    #[arg(long)]
    no_progress: bool,
}

pub(crate) fn run(global: &Global, args: &LoadArgs) -> Result<(), Failure> {
    let plan = args.plan()?;
    let report = drill::load::run(&plan, &mut |progress: &Progress| eprintln!("{progress}"))
        .map_err(|error| match error {
            LoadError::Plan(mistake) => Failure::Usage(mistake),
            other => other.into(),
        })?;
    if global.json {
        output::json(&report)?;
    } else {
        output::text(&report.to_text())?;
    }
    verdict(&report)
}

/// A run in which nothing was answered, something was answered wrongly, or anything failed otherwise
/// than with `NOT_STORED`, has failed.
fn verdict(report: &Report) -> Result<(), Failure> {
    let wrong = report.errors.corrupt + report.errors.protocol;
    if wrong > 0 {
        return Err(Failure::new(format!(
            "{wrong} replies were wrong: see errors in the report, and --verify"
        )));
    }
    // NOT_STORED is an answer that a full server may give.
    let failed = report.errors.total() - report.errors.not_stored;
    if failed > 0 {
        let first = report.first_error.as_deref().unwrap_or("no reply");
        return Err(Failure::new(format!(
            "{failed} requests or connections failed, the first with {first:?}: see errors in the \
             report"
        )));
    }
    if report.requests == 0 && report.hold.is_none() {
        return Err(Failure::new(
            "not one request was answered: see errors in the report",
        ));
    }
    Ok(())
}

impl LoadArgs {
    fn plan(&self) -> Result<Plan, Failure> {
        let default = Plan::default();
        let protocol = self.protocol.unwrap_or(default.protocol);
        let sasl_or_body = match protocol {
            Protocol::Binary => AuthDialect::Sasl,
            Protocol::Text | Protocol::Meta => AuthDialect::MemcachedY,
        };
        let time = |flag: Option<Span>, unsaid| flag.map_or(unsaid, |Span(time)| time);
        Ok(Plan {
            targets: if self.target.is_empty() {
                default.targets
            } else {
                self.target.clone()
            },
            tenants: self.tenants()?,
            protocol,
            auth: self.auth.unwrap_or(sasl_or_body),
            mix: self.mix.unwrap_or(default.mix),
            keys: KeySpace {
                count: self.keys.unwrap_or(default.keys.count),
                len: self.key_len.unwrap_or(default.keys.len),
                distribution: self.distribution.unwrap_or(default.keys.distribution),
            },
            value_len: self.value_len.clone().unwrap_or(default.value_len),
            expiry_s: self.expiry.unwrap_or(default.expiry_s),
            connections: self.connections.unwrap_or(default.connections),
            pipeline: self.pipeline.unwrap_or(default.pipeline),
            mode: match self.rate {
                None => Mode::Closed,
                Some(rate_per_s) => Mode::Open {
                    rate_per_s,
                    arrivals: self.arrivals.unwrap_or(Arrivals::Poisson),
                },
            },
            duration: time(self.duration, default.duration),
            warmup: time(self.warmup, default.warmup),
            prefill: !self.no_prefill,
            requests: self.requests,
            hold: self.hold.map(|Span(time)| time),
            verify: self.verify,
            timeout: time(self.timeout, default.timeout),
            threads: self.threads.unwrap_or(default.threads),
            seed: self.seed.unwrap_or(default.seed),
            dump_histogram: self.histogram,
            progress_every: default.progress_every.filter(|_| !self.no_progress),
            ..default
        })
    }

    /// The logins of the flags and of the file.
    fn tenants(&self) -> Result<Vec<Login>, Failure> {
        let mut logins = self.login.clone();
        let Some(file) = &self.logins else {
            return Ok(logins);
        };
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::new(format!("cannot read logins {}: {e}", file.display())))?;
        for (number, line) in (1..).zip(text.lines()) {
            if !line.trim().is_empty() {
                logins.push(
                    line.trim()
                        .parse()
                        .map_err(|e| Failure::new(format!("{}:{number}: {e}", file.display())))?,
                );
            }
        }
        Ok(logins)
    }
}

#[cfg(test)]
#[path = "load_test.rs"]
mod tests;
