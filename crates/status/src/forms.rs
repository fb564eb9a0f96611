//! Pages with forms: logging in, what touched a tenant, and the operators' desk.

use askama::Template;
use base::Timestamp;

use crate::board::Board;
use crate::cause::told_to_tenant;
use crate::civil::{clock, moment};
use crate::incident::{Incident, Visibility};
use crate::page::{Chrome, IncidentRow, WindowRow, render};
use crate::view::View;

/// Past incidents that a tenant is told about.
const TOLD_MAX: usize = 20;

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    chrome: Chrome,
    title: &'a str,
    text: &'a str,
}

/// A page that says one thing.
pub fn message(chrome: Chrome, title: &str, text: &str) -> String {
    render(&Message {
        chrome: chrome.still(),
        title,
        text,
    })
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    chrome: Chrome,
    is_operator: bool,
    action: &'static str,
    error: &'a str,
    csrf: &'a str,
}

/// The page on which a tenant, or an operator, logs in.
pub fn login(chrome: Chrome, is_operator: bool, error: &str, csrf: &str) -> String {
    render(&Login {
        chrome: chrome.still(),
        is_operator,
        action: if is_operator {
            "operator/login"
        } else {
            "login"
        },
        error,
        csrf,
    })
}

/// What one may subscribe to, and by which ways.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// Whether e-mail is sent.
    pub mail: bool,
}

#[derive(Template)]
#[template(path = "subscribe.html")]
struct Subscribe<'a> {
    chrome: Chrome,
    ways: Ways,
    error: &'a str,
    csrf: &'a str,
}

/// The page on which one asks to be told.
pub fn subscribe(chrome: Chrome, ways: Ways, error: &str, csrf: &str) -> String {
    render(&Subscribe {
        chrome: chrome.still(),
        ways,
        error,
        csrf,
    })
}

#[derive(Template)]
#[template(path = "decide.html")]
struct Decide<'a> {
    chrome: Chrome,
    title: &'a str,
    text: &'a str,
    action: &'a str,
    token: &'a str,
    button: &'a str,
}

/// A page with one button, for links in messages: programs that look at all links of a message press
/// none.
pub fn decide(
    chrome: Chrome,
    (title, text): (&str, &str),
    action: &str,
    token: &str,
    button: &str,
) -> String {
    render(&Decide {
        chrome: chrome.still(),
        title,
        text,
        action,
        token,
        button,
    })
}

#[derive(Template)]
#[template(path = "secret.html")]
struct Secret<'a> {
    chrome: Chrome,
    secret: &'a str,
    leave: &'a str,
}

/// What a webhook's messages are signed with, and the link by which it leaves; told this once.
pub fn secret(chrome: Chrome, secret: &str, leave: &str) -> String {
    render(&Secret {
        chrome: chrome.still(),
        secret,
        leave,
    })
}

struct Told {
    id: u64,
    title: String,
    began: String,
    length: String,
    phase: &'static str,
    verdict: &'static str,
    reason: String,
}

struct Own {
    text: &'static str,
    when: String,
}

#[derive(Template)]
#[template(path = "me.html")]
struct Me<'a> {
    chrome: Chrome,
    tenant: &'a str,
    csrf: &'a str,
    incidents: Vec<Told>,
    own: Vec<Own>,
    nothing: &'static str,
}

/// What touched one tenant; `hears_events` says whether the service tells this page of itself.
pub fn me(
    chrome: Chrome,
    board: &Board,
    view: &View<'_>,
    tenant: &str,
    hears_events: bool,
    csrf: &str,
) -> String {
    let incidents = view.incidents.iter().take(TOLD_MAX);
    let own = board.affairs().of_tenant(tenant).map(|affair| Own {
        text: told_to_tenant(affair.kind),
        when: match affair.ended {
            Some(ended) => format!("{} to {}", moment(affair.onset), clock(ended)),
            None => format!("since {}", moment(affair.onset)),
        },
    });
    render(&Me {
        chrome: chrome.still(),
        tenant,
        csrf,
        incidents: incidents
            .map(|one| told(board, view, one, tenant, hears_events))
            .collect(),
        own: own.collect(),
        nothing: match hears_events {
            true => "Nothing of late.",
            false => {
                "This page watches from outside and is not told what concerns single customers."
            }
        },
    })
}

/// Whether an incident touched a tenant, as far as this is known.
fn told(board: &Board, view: &View<'_>, one: &Incident, tenant: &str, hears_events: bool) -> Told {
    let row = IncidentRow::of(one, view.now, 0);
    let end = one.recovered.or(one.resolved).unwrap_or(view.now);
    let mut own = board.affairs().of_tenant(tenant);
    let seen = own
        .find(|affair| affair.onset <= end && affair.ended.is_none_or(|ended| ended >= one.began));
    let all = view.components().count();
    let (verdict, reason) = match seen {
        Some(affair) => (
            "Yes.",
            format!("While it lasted: {}", told_to_tenant(affair.kind)),
        ),
        None if one.components.len() == all && all > 0 => (
            "Yes.",
            "All ways to the service were touched; nobody could be served as usual.".to_owned(),
        ),
        None if one.components.is_empty() && hears_events => (
            "Not that we saw.",
            "None of your connections or requests was refused while it lasted.".to_owned(),
        ),
        None if hears_events => (
            "Perhaps.",
            "Part of the service was touched. None of what reached it of yours was refused, but \
             what did not reach it we cannot know."
                .to_owned(),
        ),
        None => (
            "Perhaps.",
            "This page watches from outside and does not know whose requests were touched."
                .to_owned(),
        ),
    };
    Told {
        id: row.id,
        title: row.title,
        began: row.began,
        length: row.length,
        phase: row.phase,
        verdict,
        reason,
    }
}

#[derive(Template)]
#[template(path = "operator.html")]
struct Operator<'a> {
    chrome: Chrome,
    csrf: &'a str,
    note: &'a str,
    incidents: Vec<IncidentRow>,
    windows: Vec<WindowRow>,
}

/// The operators' desk: drafts that wait for a click, what goes on, and forms for what is new.
pub fn operator(chrome: Chrome, board: &Board, now: Timestamp, note: &str, csrf: &str) -> String {
    let open = board
        .incidents()
        .filter(|one| one.is_open() && one.visibility != Visibility::Discarded);
    render(&Operator {
        chrome: chrome.still(),
        csrf,
        note,
        incidents: open
            .map(|one| IncidentRow::of(one, now, UPDATES_SHOWN))
            .collect(),
        windows: WindowRow::pending(board.maintenances(), now),
    })
}

const UPDATES_SHOWN: usize = 20;
