//! What half of a node's requests take, beside its peers: a cell of the heat map for each class.

use fleet::judge::{Beside, Class};

use crate::board::format;
use crate::observe::nodes::{Heat, PeerView};

/// One class of requests of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Of which requests.
    pub(crate) class: &'static str,
    /// Its colour; none where there is nothing to compare.
    pub(crate) heat: Option<Heat>,
    pub(crate) took: String,
    /// How many times its peers' that is, where that is worth a word.
    pub(crate) times: String,
    /// All of it, for who asks.
    pub(crate) whole: String,
}

/// One for each class, in their order.
pub(super) fn cells(view: &PeerView) -> Vec<Cell> {
    let each = Class::ALL.into_iter().zip(view);
    each.map(|(class, beside)| cell(class, beside.as_ref()))
        .collect()
}

/// What its column is called.
pub(crate) fn title(class: Class) -> &'static str {
    match class {
        Class::Read => "Reads",
        Class::LargeRead => "Large reads",
        Class::Write => "Writes",
        Class::LargeWrite => "Large writes",
    }
}

fn cell(class: Class, beside: Option<&Beside>) -> Cell {
    let class = title(class);
    let Some(beside) = beside else {
        return Cell {
            class,
            heat: None,
            took: "–".to_owned(),
            times: String::new(),
            whole: "Asked too little lately to say anything.".to_owned(),
        };
    };
    let is_silent = beside.ours_s.is_infinite();
    let took = match is_silent {
        true => "no answer".to_owned(),
        false => format::time(beside.ours_s as f32),
    };
    let heat = heat(beside);
    let is_worth_a_word = matches!(heat, Some(Heat::Warm | Heat::Hot));
    let peers_s = beside.peers_s.map(|(peers_s, _)| peers_s);
    let times = match peers_s.filter(|peers_s| is_worth_a_word && *peers_s > 0.0) {
        Some(peers_s) => format!("{} ×", format::count((beside.ours_s / peers_s) as f32)),
        None => String::new(),
    };
    Cell {
        class,
        heat,
        times,
        whole: whole(&took, is_silent, beside.peers_s),
        took,
    }
}

/// By the limit from which on the judge finds a node slow.
fn heat(beside: &Beside) -> Option<Heat> {
    let (peers_s, limit_s) = beside.peers_s?;
    let ours_s = beside.ours_s;
    Some(match ours_s {
        _ if ours_s.is_infinite() => Heat::Gone,
        _ if ours_s > limit_s => Heat::Hot,
        _ if ours_s > peers_s + (limit_s - peers_s) / 2.0 => Heat::Warm,
        _ => Heat::Well,
    })
}

fn whole(took: &str, is_silent: bool, peers: Option<(f64, f64)>) -> String {
    let ours = match is_silent {
        true => "Half of its requests or more have no answer".to_owned(),
        false => format!("Half of its requests take up to {took}"),
    };
    let time = |seconds: f64| match seconds.is_finite() {
        true => format::time(seconds as f32),
        false => "no answer".to_owned(),
    };
    match peers {
        Some((peers_s, limit_s)) if limit_s.is_finite() => format!(
            "{ours}; its peers': {}; slow from {} on.",
            time(peers_s),
            time(limit_s)
        ),
        Some(_) => format!("{ours}; too few of its peers answer to compare."),
        None => format!("{ours}; there is no peer to compare with."),
    }
}

#[cfg(test)]
#[path = "beside_test.rs"]
mod tests;
