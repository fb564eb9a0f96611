//! What a tenant's developers could do better, from how their clients behave.

use super::now::Now;
use crate::board::format;

/// Connections that ask less than this a second each are more than a pool needs.
const ASKS_MIN: f32 = 1.0;
/// Fewer connections than this are no burden to anybody.
const POOL_MIN: f32 = 50.0;
/// What one connection does without effort, requests a second.
const ASKS_GOOD: f32 = 200.0;
/// Of new connections, so many may go without a request.
const UNUSED_MAX: f32 = 0.2;
/// What clients usually give up after, beside the longest wait.
const MARGIN_MS: u128 = 300;

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advice {
    /// Whether there is something to be changed.
    pub(super) is_wanted: bool,
    pub(super) title: &'static str,
    pub(super) text: String,
}

/// All of it, what is wanted first.
pub(super) fn advice(now: &Now<'_>) -> Vec<Advice> {
    let mut all: Vec<Advice> = [connects(now), pool(now), misses(now)]
        .into_iter()
        .flatten()
        .chain([timeouts(now)])
        .collect();
    all.sort_by_key(|one| !one.is_wanted);
    all
}

fn connects(now: &Now<'_>) -> Option<Advice> {
    let (connects, requests) = (now.long_mean("connects"), now.requests());
    let unused = now.long_mean("connects_unused");
    if !connects.is_finite() {
        return None;
    }
    let is_wanted =
        connects > 1.0 && (connects > requests / 10.0 || unused > connects * UNUSED_MAX);
    let told = format!(
        "Of the last two minutes' {} connections a second, {} ended without a request.",
        format::count(connects),
        format::percent(if connects > 0.0 {
            unused / connects
        } else {
            0.0
        })
    );
    Some(match is_wanted {
        true => Advice {
            is_wanted,
            title: "Keep connections open",
            text: format!(
                "{told} Use one client for the life of a process and not one for each request \
                 (`persistent` in PHP, a pool elsewhere), and have it wait before it connects again: \
                 each new connection costs you as much time as ten requests."
            ),
        },
        false => Advice {
            is_wanted,
            title: "Connections are kept open",
            text: format!("{told} That is as it should be."),
        },
    })
}

fn pool(now: &Now<'_>) -> Option<Advice> {
    let (open, requests) = (now.last("connections"), now.requests());
    let limit = now.limits.connections.map(|limit| limit as f32);
    let is_full = limit.is_some_and(|limit| open >= limit * 0.9);
    let is_idle = open >= POOL_MIN && requests < open * ASKS_MIN;
    if !is_full && !is_idle {
        return None;
    }
    let enough = (requests / ASKS_GOOD).ceil().max(1.0);
    let room = limit.map_or_else(String::new, |limit| {
        format!(" of the {} that you may have", format::count(limit))
    });
    Some(Advice {
        is_wanted: true,
        title: "Smaller pools",
        text: format!(
            "You hold {} connections{room} for {} requests a second; some {} would do. Divide what you \
             may have by the number of your processes, and set that as the pool size of each.",
            format::count(open),
            format::count(requests),
            format::count(enough)
        ),
    })
}

fn misses(now: &Now<'_>) -> Option<Advice> {
    let (ratio, evictions) = (now.hit_ratio(), now.long_mean("evictions"));
    if !ratio.is_finite() || ratio >= 0.8 {
        return None;
    }
    let full = now.last("held_bytes") / now.last("quota_bytes");
    let text = match evictions > 0.0 && full > 0.9 {
        true => format!(
            "{} of reads miss, and {} items a second are dropped to make room: your memory is full of \
             what is still used. Ask your operator for more, store less, or give shorter lives to what \
             is read once.",
            format::percent(1.0 - ratio),
            format::count(evictions)
        ),
        false => format!(
            "{} of reads miss although there is room. Either nothing is stored after a miss, or it \
             lives too short, or readers and writers build keys differently: see the busiest keys.",
            format::percent(1.0 - ratio)
        ),
    };
    Some(Advice {
        is_wanted: true,
        title: "Many misses",
        text,
    })
}

fn timeouts(now: &Now<'_>) -> Advice {
    let wait_ms = now.limits.max_delay.as_millis();
    Advice {
        is_wanted: false,
        title: "Timeouts",
        text: format!(
            "A request waits {wait_ms} ms at most before it is answered as a miss. Set your client's \
             timeout to {} ms or more, and do not have it close the connection when one request is \
             late: a client that gives up sooner asks again, and makes a rush worse.",
            wait_ms + MARGIN_MS
        ),
    }
}

#[cfg(test)]
#[path = "advice_test.rs"]
mod tests;
