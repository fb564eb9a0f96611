//! `cofferdam events`: what happened, from the daemon or from the journal that it left.

use std::io::{self, IsTerminal};

use clap::Args;
use runtime::http::Method;

use super::access::{Access, segment};
use super::global::Global;
use super::output;
use crate::config::Config;
use crate::failure::Failure;
use crate::observe::event_view::EventView;
use crate::observe::log;
use crate::wire::EventPage;
use crate::wire::TenantView;

/// How long the daemon lets a question wait for news, in seconds.
const WAIT_S: u64 = 30;

/// What `events` takes.
#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// Only those of this tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Go on with new ones as they come
    #[arg(long, short)]
    follow: bool,
    /// Only those after the event of this number
    #[arg(long, value_name = "ID")]
    since: Option<u64>,
    /// At most so many of the past ones, the latest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    lines: usize,
}

pub(crate) fn run(global: &Global, args: &EventsArgs) -> Result<(), Failure> {
    let Some(access) = Access::running(global)? else {
        return from_journal(global, args);
    };
    let mut page = ask(&access, args, args.since, 0)?;
    page.events
        .drain(..page.events.len().saturating_sub(args.lines));
    print(global, &page.events)?;
    if page.events.is_empty()
        && let Some(name) = &args.tenant
    {
        // One that was removed has left events; a name that was mistyped has none.
        let path = format!("/v1/tenants/{}", segment(name));
        access.ask::<TenantView>(Method::GET, &path, None::<&()>)?;
    }
    if !args.follow {
        return Ok(());
    }
    loop {
        page = ask(&access, args, Some(page.next), WAIT_S)?;
        print(global, &page.events)?;
    }
}

fn ask(
    access: &Access,
    args: &EventsArgs,
    since: Option<u64>,
    wait_s: u64,
) -> Result<EventPage, Failure> {
    let mut path = format!("/v1/events?wait_s={wait_s}");
    if let Some(since) = since {
        path.push_str(&format!("&since={since}"));
    }
    if let Some(tenant) = &args.tenant {
        path.push_str(&format!("&tenant={}", segment(tenant)));
    }
    access.ask(Method::GET, &path, None::<&()>)
}

/// No daemon runs: what the last one wrote.
fn from_journal(global: &Global, args: &EventsArgs) -> Result<(), Failure> {
    let config = Config::load(global.config.as_deref(), &global.overrides())?;
    let path = config.data_dir().join(log::JOURNAL);
    if args.follow || !path.exists() {
        return Err(Failure::new(format!(
            "no daemon serves {}, and none left {}: start one with `cofferdam up`, or say where it \
             is with --data-dir or --admin",
            config.data_dir().display(),
            path.display()
        )));
    }
    let mut events = log::read(&path)
        .map_err(|e| Failure::new(format!("cannot read {}: {e}", path.display())))?;
    events.retain(|event| {
        let wanted = args.tenant.is_none() || event.tenant == args.tenant;
        wanted && event.id > args.since.unwrap_or(0)
    });
    events.drain(..events.len().saturating_sub(args.lines));
    if !global.json {
        eprintln!("no daemon runs; this is what the last one wrote");
    }
    print(global, &events)
}

fn print(global: &Global, events: &[EventView]) -> Result<(), Failure> {
    if global.json {
        return events.iter().try_for_each(output::json);
    }
    let colour = io::stdout().is_terminal();
    let text: String = events.iter().map(|event| told(event, colour)).collect();
    output::text(&text)
}

/// An event for a person: when, what, and below it what to do and the figures.
fn told(event: &EventView, colour: bool) -> String {
    let (bold, plain) = if colour {
        ("\x1b[1m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut text = format!(
        "{}  {:<8}  {bold}{}{plain}\n",
        event.at, event.state, event.sentence
    );
    let mut below = |line: &str| text.push_str(&format!("    {line}\n"));
    if let Some(advice) = &event.advice {
        below(advice);
    }
    if !event.evidence.is_empty() {
        let figures: Vec<String> = event.evidence.iter().map(figure).collect();
        below(&format!("[{}] {}", event.event, figures.join(", ")));
    }
    if event.held_back > 0 {
        below(&format!(
            "({} events before this one were not written)",
            event.held_back
        ));
    }
    text
}

fn figure(figure: &crate::observe::event_view::FigureView) -> String {
    let value = match figure.value {
        value if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    };
    match figure.unit.as_str() {
        "count" => format!("{} {value}", figure.name),
        "per_second" => format!("{} {value}/s", figure.name),
        "percent" => format!("{} {value} %", figure.name),
        unit => format!(
            "{} {value} {}",
            figure.name,
            unit.replace("_per_second", "/s")
        ),
    }
}

#[cfg(test)]
#[path = "events_test.rs"]
mod tests;
