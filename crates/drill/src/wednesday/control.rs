//! What a control shows: a fleet without anybody who protects it, or with a rule that is too simple.

use super::outcome::Verdict;
use super::scenario::{Case, Fault, Judge, NODES, Wanted};
use super::score::{disturbances, faults};
use super::seen::Seen;

/// Without protection a p99 has to be so much worse.
const P99_RATIO_OUTAGE: f64 = 10.0;

/// What a control came to, and why.
pub(crate) struct Shown {
    /// It is to fail.
    pub(crate) verdict: Verdict,
    pub(crate) reasons: Vec<String>,
}

/// What the control of a case shows.
pub(crate) fn shown(case: &Case, judge: Judge, seen: &Seen) -> Shown {
    let wrong = faults(case, judge, seen);
    if !wrong.is_empty() {
        let mut reasons = vec![format!(
            "the control ({judge:?}) shows: {}",
            wrong.join("; ")
        )];
        reasons.extend(out_before(seen).filter(|_| judge == Judge::Naive));
        return Shown {
            verdict: Verdict::Fail,
            reasons,
        };
    }
    let mut reasons = vec![match judge {
        Judge::Naive => format!(
            "the control ({judge:?}) does not show what the rule does wrong: {}",
            taken_out(seen)
        ),
        Judge::On | Judge::Off => format!("the control ({judge:?}) does not show the outage"),
    }];
    let disturbed = disturbances(case, seen);
    let verdict = match disturbed.is_empty() {
        true => Verdict::Pass,
        false => Verdict::Invalid,
    };
    reasons.extend(disturbed);
    Shown { verdict, reasons }
}

/// What a fleet without anybody who protects it shows.
pub(crate) fn outage(seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    if seen.since.lost > 0 {
        wrong.push(format!("{} timeouts of clients", seen.since.lost));
    }
    let (before, since) = (seen.before.p99_ms, seen.since.p99_ms);
    if since >= before * P99_RATIO_OUTAGE {
        wrong.push(format!("p99 {since:.1} ms instead of {before:.1} ms"));
    }
    wrong
}

/// What a rule that is too simple does wrong once something is done. A node that it takes out before, by what is
/// usual, says nothing of what is done; nor does another one than the node that was made busy.
pub(crate) fn harm(case: &Case, seen: &Seen) -> Vec<String> {
    let is_out = |name: &String| seen.ejected.iter().any(|it| it.0 == *name);
    let is_harm = match (&case.fault, case.wanted) {
        // Who was gone before it was asked most cannot be told by name; where all are out, it is among them.
        (Fault::HotKey, _) => match &seen.busy {
            Some(name) => is_out(name),
            None => seen.ejected.len() == NODES,
        },
        (_, Wanted::CapHolds) => seen.targets.iter().all(is_out),
        _ => !seen.ejected.is_empty(),
    };
    match is_harm {
        true => vec![taken_out(seen)],
        false => Vec::new(),
    }
}

/// Who was out before anything was done, and since when.
pub(crate) fn out_before(seen: &Seen) -> Option<String> {
    let out = seen.out_before.iter();
    let out: Vec<String> = out
        .map(|(name, before_ms)| format!("{name} for {before_ms} ms"))
        .collect();
    (!out.is_empty()).then(|| format!("out before anything was done: {}", out.join(", ")))
}

/// Who was taken out when, from what was done on, and which node that made busy.
fn taken_out(seen: &Seen) -> String {
    let mut ejected: Vec<_> = seen.ejected.iter().collect();
    ejected.sort_by_key(|it| it.1);
    let told = ejected.into_iter();
    let told = told.map(|(name, after_ms)| format!("{name} after {after_ms} ms"));
    let told: Vec<String> = told.collect();
    let out = match told.is_empty() {
        true => "nobody taken out since".to_owned(),
        false => format!("taken out {}", told.join(", ")),
    };
    match &seen.busy {
        Some(name) => format!("{out}; {name} was busy"),
        None => out,
    }
}

#[cfg(test)]
#[path = "control_test.rs"]
mod tests;
