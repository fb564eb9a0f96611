//! What is told of judging: to operators as lines, to programs as JSON, to other gateways through the
//! store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base::Timestamp;
use base::fleet::MemberId;
use fleet::deeds::{By, Deed};
use fleet::judge::{Blame, Finding, Judge, Notice, Why};
use fleet::membership::{Event, Standing, State};
use gateway::remote::NodeAddress;
use serde::{Deserialize, Serialize};

pub(crate) use super::past::PastReport;
use super::unix_ms;
use crate::config::JudgeMode;
use crate::gate::GateReport;
use crate::membership::Sight;

/// Decisions of a node that are remembered.
const PAST_MAX: usize = 16;

/// Everything that is known of judging at one moment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct JudgingReport {
    /// `on`, `naive` or `off`.
    pub(crate) mode: String,
    /// The gateway that decides, if one does.
    pub(crate) judge: Option<String>,
    /// It decides for itself alone, and only what it answers itself: its nodes are listed, or the store
    /// is away.
    pub(crate) is_alone: bool,
    pub(crate) at_unix_ms: u64,
    pub(crate) nodes: Vec<NodeReport>,
    pub(crate) notices: Vec<NoticeReport>,
    /// How the gate stands, in a fleet with a store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gate: Option<GateReport>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct NodeReport {
    pub(crate) member: u32,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) since_unix_ms: u64,
    /// Of its weight, in thousandths.
    pub(crate) share: u32,
    /// How surely it is slow, from 1 to 100.
    pub(crate) score: f32,
    /// Since when it has been found slow.
    pub(crate) slow_since_unix_ms: Option<u64>,
    /// Gateways that have asked it enough to say anything.
    pub(crate) voters: usize,
    /// How much it is asked beside the median of the others.
    pub(crate) load: f32,
    /// That was so much that only what load does not explain was counted.
    pub(crate) is_busy: bool,
    /// Requests, or copies of them, that it has answered well in its present step, and how many it takes to
    /// go on.
    #[serde(default)]
    pub(crate) proven: u32,
    #[serde(default)]
    pub(crate) proof: u32,
    pub(crate) blaming: Vec<BlameReport>,
    /// What was decided of it, the latest last.
    pub(crate) past: Vec<PastReport>,
}

impl NodeReport {
    /// Whether it is to have less than its weight is.
    pub(crate) fn is_spared(&self) -> bool {
        self.share < super::ALL
    }
}

/// What one gateway holds against a node.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct BlameReport {
    pub(crate) observer: String,
    pub(crate) score: f32,
    pub(crate) finding: Option<Finding>,
    /// The same for people.
    pub(crate) sentence: Option<String>,
}

/// Something that concerns no single node.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct NoticeReport {
    /// `fleet_slow`, `cap_holds` or `gateway_slow`.
    pub(crate) kind: String,
    pub(crate) since_unix_ms: u64,
    /// When it began, or named somebody who had not been named.
    #[serde(default)]
    pub(crate) told_unix_ms: u64,
    /// Whom it names.
    pub(crate) members: Vec<String>,
    pub(crate) sentence: String,
}

/// Who there is, and where the nodes stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fleet {
    pub(super) names: BTreeMap<MemberId, String>,
    pub(super) standings: BTreeMap<MemberId, Standing>,
    pub(super) alive: BTreeSet<MemberId>,
}

impl Fleet {
    pub(super) fn of_store(sight: &Sight) -> Self {
        let members = sight.registry.members.iter();
        let nodes = sight.registry.nodes();
        Self {
            names: members.map(|(id, it)| (*id, it.name.clone())).collect(),
            standings: nodes.map(|(id, it)| (*id, it.standing)).collect(),
            alive: sight.registry.alive.clone(),
        }
    }

    /// All stand at their full weight.
    pub(super) fn of_list(now: Timestamp, nodes: &[NodeAddress]) -> Self {
        let of_all = |id: &NodeAddress| (id.member, Standing::founder(now));
        let names = nodes.iter().map(|it| (it.member, it.name.clone()));
        Self {
            names: names.collect(),
            standings: nodes.iter().map(of_all).collect(),
            alive: BTreeSet::new(),
        }
    }

    pub(super) fn name(&self, id: MemberId) -> String {
        let name = self.names.get(&id).cloned();
        name.unwrap_or_else(|| id.to_string())
    }
}

/// Decisions and notices, for the report.
pub(super) struct Docket {
    me: MemberId,
    past: BTreeMap<MemberId, VecDeque<PastReport>>,
    notices: Vec<NoticeReport>,
}

impl Docket {
    /// Of the gateway `me`, with nothing decided.
    pub(super) fn new(me: MemberId) -> Self {
        Self {
            me,
            past: BTreeMap::new(),
            notices: Vec::new(),
        }
    }

    /// Goes on from what another has told.
    pub(super) fn take_over(&mut self, report: &JudgingReport) {
        let past = report.nodes.iter();
        let past = past.map(|node| (MemberId(node.member), node.past.iter().cloned().collect()));
        self.past = past.collect();
    }

    /// Remembers a decision of this gateway, and says it in the log.
    pub(super) fn note(
        &mut self,
        now: Timestamp,
        fleet: &Fleet,
        node: MemberId,
        event: Event,
        next: &Standing,
        why: &Why,
    ) {
        let state = word(&next.state());
        let (name, said) = (fleet.name(node), why.lines(now).join("; "));
        match event {
            Event::Suspected | Event::Condemned | Event::Refused => {
                tracing::warn!(node = name, state, why = said, "a node is slow");
            }
            Event::Relieved => {
                tracing::info!(node = name, state, "a node is given half of its keys")
            }
            _ => tracing::info!(node = name, state, "a node is doing well"),
        }
        let past = self.past.entry(node).or_default();
        if past.len() == PAST_MAX {
            past.pop_front();
        }
        past.push_back(PastReport {
            at_unix_ms: unix_ms(now),
            event,
            state,
            by: By::Judge,
            through: Some(fleet.name(self.me)),
            why: None,
            score: why.score.value(),
            proven: why.proven,
            proof: why.proof,
            blaming: blaming(fleet, &why.blaming),
        });
    }

    /// What is to be told; without a judge only where nodes stand.
    pub(super) fn report(
        &mut self,
        now: Timestamp,
        mode: JudgeMode,
        judge: Option<&Judge>,
        fleet: &Fleet,
    ) -> JudgingReport {
        self.past
            .retain(|node, _| fleet.standings.contains_key(node));
        self.take_notices(now, judge, fleet);
        let nodes = fleet.standings.iter().map(|(node, standing)| {
            let why = judge.and_then(|judge| judge.case(*node));
            let why = why.map(|case| case.why().clone()).unwrap_or_default();
            NodeReport {
                member: node.0,
                name: fleet.name(*node),
                state: word(&standing.state()),
                since_unix_ms: unix_ms(standing.since()),
                share: standing.share_of(super::ALL),
                score: why.score.value(),
                slow_since_unix_ms: why.since_unix_ms,
                voters: why.voters,
                load: why.load,
                is_busy: why.is_busy,
                proven: why.proven,
                proof: why.proof,
                blaming: blaming(fleet, &why.blaming),
                past: self.past.get(node).into_iter().flatten().cloned().collect(),
            }
        });
        JudgingReport {
            at_unix_ms: unix_ms(now),
            nodes: nodes.collect(),
            notices: self.notices.clone(),
            ..JudgingReport::nothing(mode)
        }
    }

    fn take_notices(&mut self, now: Timestamp, judge: Option<&Judge>, fleet: &Fleet) {
        let present = judge.into_iter().flat_map(Judge::told);
        let before = std::mem::take(&mut self.notices);
        for (notice, told_at) in present {
            let mut told = told(notice, fleet, now);
            told.told_unix_ms = unix_ms(told_at);
            let before = before.iter().find(|it| it.kind == told.kind);
            if let Some(before) = before {
                told.since_unix_ms = before.since_unix_ms;
            }
            if before.is_none_or(|it| it.told_unix_ms < told.told_unix_ms) {
                tracing::warn!("{}", told.sentence);
            }
            self.notices.push(told);
        }
        for over in before {
            if !self.notices.iter().any(|it| it.kind == over.kind) {
                tracing::info!("over: {}", over.sentence);
            }
        }
    }
}

impl NodeReport {
    /// What took it out last, if that is remembered.
    pub(crate) fn taken_out(&self) -> Option<&PastReport> {
        let mut past = self.past.iter().rev();
        past.find(|it| it.state == "ejected")
    }

    /// Where it stands; `None` for a word of another release.
    pub(crate) fn state(&self) -> Option<State> {
        serde_json::from_value(serde_json::Value::from(self.state.as_str())).ok()
    }
}

impl JudgingReport {
    /// Before anything is known.
    pub(crate) fn nothing(mode: JudgeMode) -> Self {
        let mode = match mode {
            JudgeMode::On => "on",
            JudgeMode::Naive => "naive",
            JudgeMode::Off => "off",
        };
        Self {
            mode: mode.to_owned(),
            ..Self::default()
        }
    }

    /// Whether anything is not as it should be, so that news are worth telling soon.
    pub(super) fn is_troubled(&self) -> bool {
        !self.notices.is_empty() || self.nodes.iter().any(|node| node.score > 1.0)
    }

    /// Those of which what their load explains was left out.
    pub(super) fn busy_nodes(&self) -> impl Iterator<Item = MemberId> {
        let busy = self.nodes.iter().filter(|node| node.is_busy);
        busy.map(|node| MemberId(node.member))
    }

    /// With what others than the judge have done to the nodes, each in its place.
    pub(super) fn with_deeds(mut self, deeds: &BTreeMap<MemberId, Vec<Deed>>) -> Self {
        for node in &mut self.nodes {
            let done = deeds.get(&MemberId(node.member));
            node.past
                .extend(done.into_iter().flatten().map(PastReport::of));
            node.past.sort_by_key(|past| past.at_unix_ms);
            let forgotten = node.past.len().saturating_sub(PAST_MAX);
            node.past.drain(..forgotten);
        }
        self
    }

    /// Where its nodes stand.
    pub(super) fn states(&self) -> impl Iterator<Item = (u32, &str)> {
        self.nodes.iter().map(|it| (it.member, it.state.as_str()))
    }

    /// One of its nodes.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeReport> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

fn told(notice: &Notice, fleet: &Fleet, now: Timestamp) -> NoticeReport {
    let names =
        |ids: &[MemberId]| -> Vec<String> { ids.iter().map(|id| fleet.name(*id)).collect() };
    let (kind, members, sentence) = match notice {
        Notice::FleetSlow(nodes) if nodes.is_empty() => (
            "fleet_slow",
            Vec::new(),
            "All nodes are slower than usual: nobody is taken out.".to_owned(),
        ),
        Notice::FleetSlow(nodes) => (
            "fleet_slow",
            names(nodes),
            match 2 * nodes.len() > fleet.standings.len() {
                true => format!(
                    "Most nodes are slow, nobody is taken out: {}.",
                    names(nodes).join(", ")
                ),
                false => format!(
                    "All nodes are slower than usual, {} more than the others: nobody is taken out.",
                    names(nodes).join(", ")
                ),
            },
        ),
        Notice::CapHolds(nodes) => (
            "cap_holds",
            names(nodes),
            format!(
                "More nodes are slow than may be out at once: {}.",
                names(nodes).join(", ")
            ),
        ),
        Notice::ObserversSlow(gateways) => (
            "gateway_slow",
            names(gateways),
            format!(
                "To {} all nodes look slow, and to the other gateways they do not: it is slow itself, \
                 and has no vote.",
                names(gateways).join(", ")
            ),
        ),
    };
    NoticeReport {
        kind: kind.to_owned(),
        since_unix_ms: unix_ms(now),
        told_unix_ms: unix_ms(now),
        members,
        sentence,
    }
}

fn blaming(fleet: &Fleet, blaming: &[Blame]) -> Vec<BlameReport> {
    let told = blaming.iter().map(|blame| BlameReport {
        observer: fleet.name(blame.observer),
        score: blame.score.value(),
        finding: blame.finding,
        sentence: blame.finding.as_ref().map(Finding::sentence),
    });
    told.collect()
}

/// As it is written in the store.
pub(super) fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).ok();
    let word = json.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or("unknown").to_owned()
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
