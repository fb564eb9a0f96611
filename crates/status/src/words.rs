//! What is written about trouble that probes see: made of figures and fixed words alone.

use base::Timestamp;
use base::event::EventKind;

use crate::cause::Cause;
use crate::civil::{clock, moment, span};
use crate::component::{Component, Failed, Path};
use crate::incident::{Impact, Incident};
use crate::level::Level;

/// One component as the desk sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Which.
    pub component: &'a Component,
    /// How it is.
    pub level: Level,
    /// Since when.
    pub onset: Timestamp,
    /// Failures among the remembered probes, and these.
    pub failures: (usize, usize),
    /// How the latest failure looked.
    pub failed: Option<Failed>,
}

/// How bad all of it is together.
pub(crate) fn impact(seen: &[Seen<'_>]) -> Impact {
    let worst = seen.iter().map(|one| one.level).max();
    match worst {
        Some(Level::Major) if seen.iter().all(|one| one.level == Level::Major) => Impact::Critical,
        Some(Level::Major | Level::Partial) => Impact::Major,
        Some(Level::Degraded) => Impact::Minor,
        _ => Impact::None,
    }
}

/// Which of the two ways fail, wholly.
fn ways_out(seen: &[Seen<'_>]) -> (bool, bool) {
    let is_out = |path| {
        let mut of_path = seen
            .iter()
            .filter(|one| one.component.path == path)
            .peekable();
        of_path.peek().is_some() && of_path.all(|one| one.level == Level::Major)
    };
    (is_out(Path::New), is_out(Path::Kept))
}

fn has_trouble(seen: &[Seen<'_>], path: Path) -> bool {
    let mut of_path = seen.iter().filter(|one| one.component.path == path);
    of_path.any(|one| one.level.is_trouble())
}

/// The title of what is seen.
pub(crate) fn title(seen: &[Seen<'_>]) -> &'static str {
    let (new_out, kept_out) = ways_out(seen);
    match impact(seen) {
        Impact::Critical => "The service does not answer",
        _ if new_out && !has_trouble(seen, Path::Kept) => "New connections fail",
        _ if kept_out && !has_trouble(seen, Path::New) => "Open connections have stopped working",
        Impact::Major if seen.iter().any(|one| one.level == Level::Major) => {
            "Part of the service does not answer"
        }
        Impact::Major => "Some requests fail",
        _ => "Answers are slow",
    }
}

/// Who notices.
fn who(seen: &[Seen<'_>]) -> String {
    let (new_out, kept_out) = ways_out(seen);
    let groups = |is_part: &dyn Fn(&Seen<'_>) -> bool| {
        let mut keys: Vec<&str> = seen
            .iter()
            .filter(|one| is_part(one))
            .map(|one| one.component.group_key())
            .collect();
        keys.dedup();
        keys.len()
    };
    let (touched, all) = (groups(&|one| one.level.is_trouble()), groups(&|_| true));
    match impact(seen) {
        Impact::Critical => "All clients.".to_owned(),
        _ if touched < all => format!("Clients of {touched} of {all} entry points."),
        _ if new_out && !has_trouble(seen, Path::Kept) => {
            "Clients that open new connections; connections that are open go on working.".to_owned()
        }
        _ if kept_out && !has_trouble(seen, Path::New) => {
            "Clients whose connections have been open for a while; new connections work.".to_owned()
        }
        Impact::Major => "Some requests of all clients.".to_owned(),
        _ => "All clients may wait longer than usual.".to_owned(),
    }
}

/// The figures of one component in trouble.
fn evidence(one: &Seen<'_>) -> String {
    let name = one.component.full_name();
    let (failed, all) = one.failures;
    match (one.level, one.failed) {
        (Level::Degraded, _) => format!("{name}: most of the last checks were slow"),
        (_, Some(Failed { stage, fault })) => format!(
            "{name}: {failed} of the last {all} checks failed, the latest while {}, as {}",
            stage.text(),
            fault.text()
        ),
        (_, None) => format!("{name}: {failed} of the last {all} checks failed"),
    }
}

/// Components that are named one by one; the rest is counted.
const NAMED_MAX: usize = 3;

/// What is wrong; who notices; since when; what that is concluded from; what is being done: a line each.
pub(crate) fn draft(seen: &[Seen<'_>], began: Timestamp, cause: Option<&Cause>) -> String {
    let trouble: Vec<&Seen<'_>> = seen.iter().filter(|one| one.level.is_trouble()).collect();
    let mut shown: Vec<String> = trouble
        .iter()
        .take(NAMED_MAX)
        .map(|one| evidence(one))
        .collect();
    if let Some(more) = trouble.len().checked_sub(NAMED_MAX + 1) {
        shown.push(format!("and {} more", more + 1));
    }
    let doing = match cause {
        Some(cause) => format!("Cause: {} {}", cause.sentence, cause.doing),
        None => "The cause is looked for; the checks go on, and this page follows them.".to_owned(),
    };
    format!(
        "{}.\nTouched: {}\nSince {}.\nEvidence: {}.\n{doing}",
        title(seen),
        who(seen),
        moment(began),
        shown.join("; "),
    )
}

/// The first text of an incident that only events tell of.
pub(crate) fn draft_of_event(cause: &Cause, began: Timestamp) -> String {
    format!(
        "{}\nTouched: {}\nSince {}.\nEvidence: the service reports it itself; the checks from outside \
         pass.\n{}",
        cause.sentence,
        cause.who,
        moment(began),
        cause.doing
    )
}

/// That the cause is known.
pub(crate) fn identified(cause: &Cause) -> String {
    format!("Cause: {} {}", cause.sentence, cause.doing)
}

/// That all seems well again.
pub(crate) fn monitoring(now: Timestamp) -> String {
    format!(
        "All checks pass again since {}. We watch whether it stays so.",
        clock(now)
    )
}

/// That it is over.
pub(crate) fn resolved(incident: &Incident, now: Timestamp) -> String {
    let length = incident.length(now);
    let end = incident.began + length;
    format!(
        "It is over. It lasted {}, from {} to {}.",
        span(length),
        moment(incident.began),
        moment(end)
    )
}

/// What explains trouble that probes see, the likeliest first.
pub(crate) const EXPLAINING: [EventKind; 8] = [
    EventKind::Stopping,
    EventKind::LoopStalled,
    EventKind::ProcessPaused,
    EventKind::ConnectionsFull,
    EventKind::ListenOverflow,
    EventKind::DoorFull,
    EventKind::HostOverload,
    EventKind::SynCookies,
];
