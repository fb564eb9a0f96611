//! `cofferdam node list` and what operators do to members of a fleet, asked of one of its gateways.

use clap::Subcommand;
use fleet::membership::State;
use fleet::registry::MemberRecord;
use runtime::http::Method;

use super::access::{Access, segment};
use super::global::Global;
use super::output;
use crate::failure::Failure;
use crate::judging::{JudgingReport, lines_of};
use crate::wire::{FleetReport, MemberReport};

const NO_BODY: Option<&()> = None;

/// What is asked or done.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// List the members of the fleet, and tell how its store and its ring are
    List,
    /// Show what is held against a node: who finds it slow, by which figure beside its peers', since
    /// when, and what was decided
    Explain {
        /// The node's name
        name: String,
    },
    /// Take a node out until it is readmitted, for planned work: its keys go to the others. The last one
    /// that serves stays
    Drain {
        /// The node's name
        name: String,
        /// Why, for `node explain`
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Take a node out for a while, as if it had been found slow. No more than a tenth of the nodes, one at
    /// least, are out at once, and the last one that serves stays
    Eject {
        /// The node's name
        name: String,
        /// Also if as many nodes are out as may be
        #[arg(long)]
        force: bool,
        /// Why, for `node explain`
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a node in again, step by step
    Readmit {
        /// The node's name
        name: String,
        /// Why, for `node explain`
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Have the change of the ring that is under way made although too few nodes know of it: only when
    /// those that are missing are dead for certain, else they may serve what is stale
    Force,
    /// Forget a member that has ended for good and owns no keys
    Remove {
        /// The member's name
        name: String,
    },
}

pub(crate) fn run(global: &Global, command: &NodeCommand) -> Result<(), Failure> {
    let access = Access::daemon(global)?;
    match command {
        NodeCommand::List => list(global, &access),
        NodeCommand::Explain { name } => explain(global, &access, name),
        NodeCommand::Drain { name, reason } => {
            happen(global, &access, &place(name, "drain", false, reason))
        }
        NodeCommand::Eject {
            name,
            force,
            reason,
        } => happen(global, &access, &place(name, "eject", *force, reason)),
        NodeCommand::Readmit { name, reason } => {
            happen(global, &access, &place(name, "readmit", false, reason))
        }
        NodeCommand::Force => {
            access.tell(Method::POST, "/v1/fleet/force")?;
            done(
                global,
                "the change is made without the nodes that are missing",
            )
        }
        NodeCommand::Remove { name } => {
            let path = format!("/v1/fleet/members/{}", segment(name));
            access.tell(Method::DELETE, &path)?;
            done(global, &format!("{name} is no member any more"))
        }
    }
}

/// Where the API is told to do that.
fn place(name: &str, event: &str, force: bool, reason: &Option<String>) -> String {
    let mut manner = Vec::new();
    manner.extend(force.then(|| "force=true".to_owned()));
    manner.extend(reason.iter().map(|it| format!("reason={}", segment(it))));
    let place = format!("/v1/fleet/members/{}/{event}", segment(name));
    match manner.is_empty() {
        true => place,
        false => format!("{place}?{}", manner.join("&")),
    }
}

fn happen(global: &Global, access: &Access, place: &str) -> Result<(), Failure> {
    let record: MemberRecord = access.ask(Method::POST, place, NO_BODY)?;
    let what = told(&record);
    match global.json {
        true => {
            output::json(&serde_json::json!({ "done": what, "state": record.standing.state() }))
        }
        false => output::text(&format!("{what}\n")),
    }
}

/// Where a node stands now, and what comes next.
fn told(record: &MemberRecord) -> String {
    let (name, state) = (&record.name, record.standing.state());
    let next = match state {
        State::Ejected => {
            ": its keys move away; after a while it is given a few of them again by itself"
        }
        State::Drained => ": its keys move away, and it stays out until `cofferdam node readmit`",
        State::Probation => ": it is given a few of its keys, then more while it does well",
        State::Quarantined => {
            ": it has never served at full weight, so the gate tests it before it has any key"
        }
        _ => "",
    };
    format!("{name} is {}{next}", state.in_words())
}

fn explain(global: &Global, access: &Access, name: &str) -> Result<(), Failure> {
    let report: JudgingReport = access.ask(Method::GET, "/v1/fleet/judging", NO_BODY)?;
    let Some(node) = report.node(name) else {
        let names: Vec<&str> = report.nodes.iter().map(|node| node.name.as_str()).collect();
        return Err(Failure::new(
            match (names.is_empty(), report.mode.as_str()) {
                (true, "off") => "nobody judges nodes here: judge.mode is \"off\"".to_owned(),
                (true, _) => {
                    "nothing is known of any node yet: ask again in some seconds".to_owned()
                }
                (false, _) => format!("there is no node {name:?}: there are {}", names.join(", ")),
            },
        ));
    };
    if global.json {
        return output::json(node);
    }
    let lines = lines_of(&report, node, report.at_unix_ms);
    output::text(&format!("{}\n", lines.join("\n")))
}

fn done(global: &Global, what: &str) -> Result<(), Failure> {
    match global.json {
        true => output::json(&serde_json::json!({ "done": what })),
        false => output::text(&format!("{what}\n")),
    }
}

fn list(global: &Global, access: &Access) -> Result<(), Failure> {
    let report: FleetReport = access.ask(Method::GET, "/v1/fleet", NO_BODY)?;
    if global.json {
        return output::json(&report);
    }
    output::text(&shown(&report))
}

/// For people.
fn shown(report: &FleetReport) -> String {
    let rows: Vec<Vec<String>> = report.members.iter().map(row).collect();
    let header = [
        "MEMBER", "NAME", "ROLE", "STATE", "SCORE", "SLOTS", "WEIGHT", "ALIVE", "ADDRESS",
    ];
    let mut text = output::table(&header, &rows);
    let ring = &report.ring;
    text.push_str(&format!("\nring    version {}", ring.version));
    if ring.moving > 0 {
        text.push_str(&format!(", {} slots about to change hands", ring.moving));
    }
    if let Some(what) = &ring.waits_for {
        text.push_str(&format!(", waits for {what}"));
    }
    text.push_str(&format!(
        "\nserves  reads for {}, changes for {} by what is known now\n",
        seconds(ring.reads_for_ms),
        seconds(ring.changes_for_ms)
    ));
    let store = &report.store;
    text.push_str(&match (&store.why, store.age_ms) {
        (Some(why), Some(age)) => {
            format!(
                "store   AWAY: {why}; what is known of it is {} old\n",
                seconds(age)
            )
        }
        (Some(why), None) => format!("store   AWAY since this member has started: {why}\n"),
        (None, _) => "store   answers\n".to_owned(),
    });
    text
}

fn row(member: &MemberReport) -> Vec<String> {
    let is_node = member.role != "gateway";
    let of_node = |text: String| if is_node { text } else { "-".to_owned() };
    vec![
        member.member.to_string(),
        member.name.clone(),
        member.role.clone(),
        member.state.clone(),
        match member.score {
            Some(score) if is_node => format!("{score:.0}"),
            _ => "-".to_owned(),
        },
        of_node(member.slots.to_string()),
        of_node(member.weight.to_string()),
        if member.alive { "yes" } else { "no" }.to_owned(),
        member.address.clone(),
    ]
}

fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

#[cfg(test)]
#[path = "node_test.rs"]
mod tests;
