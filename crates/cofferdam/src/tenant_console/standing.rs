//! What holds a tenant back, in plain words.

use super::now::Now;
use crate::board::affairs::Severity;
use crate::board::format;

/// Less of a second than this is no waiting that anybody feels.
const PAUSED_MIN: f32 = 0.005;

/// The answer to "is it me, or is it them?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) severity: Severity,
    pub(super) headline: &'static str,
    /// What happens, why, and what can be done, a paragraph each.
    pub(super) words: Vec<String>,
}

/// A limit, and how much of it is used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Used {
    pub(super) label: &'static str,
    pub(super) used: String,
    pub(super) limit: String,
    /// Of a hundred; none where there is no limit.
    pub(super) percent: Option<u8>,
}

impl Used {
    /// Whether there is hardly any of it left.
    pub(super) fn is_near(&self) -> bool {
        self.percent.is_some_and(|percent| percent >= 90)
    }
}

impl Standing {
    /// As it is now.
    pub(super) fn of(now: &Now<'_>) -> Self {
        let found = [refused, turned_away, slowed_down, reconnecting, failing];
        let found: Vec<Self> = found.iter().filter_map(|one| one(now)).collect();
        let mut all = found.into_iter();
        let Some(mut worst) = all.next() else {
            return well(now);
        };
        worst.words.extend(all.flat_map(|other| other.words));
        worst
    }
}

fn limited(headline: &'static str, words: Vec<String>) -> Option<Standing> {
    Some(Standing {
        severity: Severity::Limited,
        headline,
        words,
    })
}

fn refused(now: &Now<'_>) -> Option<Standing> {
    let refused = now.mean("refused");
    let is_so = refused > 0.0 || now.goes_on("tenant_refused");
    let wait_ms = now.limits.max_delay.as_millis();
    is_so.then(|| {
        limited(
            "Some of your requests are refused.",
            vec![
                format!(
                    "{} requests a second waited longer than {wait_ms} ms. Such a read is answered as \
                     a miss; such a change is not stored, and the old value is removed, so that \
                     nobody reads what is out of date. No connection is closed for it.",
                    format::count(refused.max(0.0))
                ),
                "Ask for less at once, or have your operator raise the limit below that is nearest to \
                 its end."
                    .to_owned(),
            ],
        )
    })?
}

fn turned_away(now: &Now<'_>) -> Option<Standing> {
    let (delayed, refused) = (now.mean("connects_delayed"), now.mean("connects_refused"));
    let is_so = delayed > 0.0 || refused > 0.0 || now.goes_on("tenant_connections_refused");
    is_so.then(|| {
        limited(
            "Some of your new connections have to wait.",
            vec![format!(
                "You have as many connections as you may, or open too many a second. A new one then \
                 waits up to five seconds for its turn: {} a second wait, {} a second waited in vain \
                 and were closed. Those that are open work as ever. Lower the pool size of your \
                 clients, or run fewer processes.",
                format::count(delayed.max(0.0)),
                format::count(refused.max(0.0))
            )],
        )
    })?
}

fn slowed_down(now: &Now<'_>) -> Option<Standing> {
    let paused = now.mean("paused");
    let is_so = paused > PAUSED_MIN || now.goes_on("tenant_throttled");
    let wait_ms = now.limits.max_delay.as_millis();
    is_so.then(|| {
        limited(
            "You are slowed down.",
            vec![format!(
                "You have reached a limit: in the last five seconds nothing of yours was read {} of \
                 the time. Requests are answered a little later, in order, and nothing is lost, as \
                 long as none waits longer than {wait_ms} ms.",
                format::percent(paused.clamp(0.0, 1.0))
            )],
        )
    })?
}

fn reconnecting(now: &Now<'_>) -> Option<Standing> {
    now.goes_on("clients_reconnecting").then(|| {
        limited(
            "Your clients connect more than they ask.",
            vec![format!(
                "They open {} connections a second for {} requests. That is slow for them, and the \
                 first thing that stops working in a rush: see the advice below.",
                format::count(now.mean("connects")),
                format::count(now.requests())
            )],
        )
    })?
}

fn failing(now: &Now<'_>) -> Option<Standing> {
    now.goes_on("logins_failing").then(|| {
        limited(
            "Somebody uses a wrong password of yours.",
            vec![format!(
                "{} logins a second fail. Perhaps one of your programs still has a password that was \
                 revoked.",
                format::count(now.mean("logins_refused"))
            )],
        )
    })?
}

fn well(now: &Now<'_>) -> Standing {
    let words = match now.last("connections") {
        known if known.is_finite() => {
            "Nothing of yours is held back: what you ask for is served at once, or waits its turn \
             beside others for no longer than the graph of waiting times shows."
        }
        _ => "Nothing is known of you yet: figures come once a second.",
    };
    Standing {
        severity: Severity::Well,
        headline: "All is well.",
        words: vec![words.to_owned()],
    }
}

/// Every limit, and what is used of it.
pub(super) fn limits(now: &Now<'_>) -> Vec<Used> {
    let limits = now.limits;
    let per_second = |value: f32| format!("{}/s", format::count(value));
    let bytes_per_second = |value: f32| format!("{}/s", format::bytes(value));
    let float = |limit: Option<u32>| limit.map(|limit| limit as f32);
    let big = |limit: Option<u64>| limit.map(|limit| limit as f32);
    let quota = now.last("quota_bytes");
    vec![
        used("Memory", now.last("held_bytes"), Some(quota), format::bytes),
        used(
            "Requests",
            now.requests(),
            big(limits.ops_per_second),
            per_second,
        ),
        used(
            "Bytes that you send",
            now.mean("received_bytes"),
            big(limits.bytes_in_per_second),
            bytes_per_second,
        ),
        used(
            "Bytes that you are sent",
            now.mean("sent_bytes"),
            big(limits.bytes_out_per_second),
            bytes_per_second,
        ),
        used(
            "Connections",
            now.last("connections"),
            float(limits.connections),
            format::count,
        ),
        used(
            "New connections",
            now.mean("connects"),
            float(limits.connects_per_second),
            per_second,
        ),
    ]
}

fn used(
    label: &'static str,
    value: f32,
    limit: Option<f32>,
    shown: impl Fn(f32) -> String,
) -> Used {
    let share = limit.map(|limit| value / limit.max(1.0) * 100.0);
    Used {
        label,
        used: shown(value),
        limit: limit.map_or_else(|| "no limit".to_owned(), &shown),
        percent: share
            .filter(|share| share.is_finite())
            .map(|share| share.clamp(0.0, 100.0) as u8),
    }
}

#[cfg(test)]
#[path = "standing_test.rs"]
mod tests;
