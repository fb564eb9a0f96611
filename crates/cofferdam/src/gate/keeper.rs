//! Whose turn it is at the gate, what comes of his test, and what is told of it in the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::fleet::MemberId;
use fleet::gate::{Next, Verdict, next};
use fleet::membership::{Event, State};
use fleet::registry::{MemberRecord, Registry, Role};
use runtime::store::{Change, Detail, Snapshot, Store};

use super::book::{GateReport, GateRequest, NodeRecord, REPORT, REQUEST};
use super::trial::{Subject, Trial};
use crate::config::Gate;
use crate::failure::Failure;
use crate::membership::{Membership, change_member};

/// What the keeper's thread has.
pub(super) struct GateKeeper {
    config: Gate,
    /// The room where nodes are judged.
    store: Arc<dyn Store>,
    member: Arc<Membership>,
    trial: Trial,
    report: GateReport,
    /// It had the steward's lease in the last turn.
    kept: bool,
}

impl GateKeeper {
    pub(super) fn new(
        config: Gate,
        store: Arc<dyn Store>,
        member: Arc<Membership>,
        trial: Trial,
    ) -> Self {
        Self {
            config,
            store,
            member,
            trial,
            report: GateReport::default(),
            kept: false,
        }
    }

    /// Looks whose turn it is, and tests him.
    pub(super) fn turn(&mut self) -> Result<(), Failure> {
        let sight = self.member.sight();
        let is_steward = sight.registry.steward == Some(sight.me);
        if sight.trouble.is_some() || !is_steward {
            self.kept = false;
            return Ok(());
        }
        let known = self.store.range("gate/", Detail::Values)?;
        if !self.kept {
            self.take_over(&known, &sight.registry);
            self.kept = true;
        }
        self.note_sent_back(&sight.registry)?;
        let request = parsed::<GateRequest>(&known, REQUEST);
        let request = request.filter(|it| it.id != self.report.request);
        let asked = request.as_ref().map(|it| MemberId(it.member));
        let now = self.trial.clock.now();
        let attempts = self.report.nodes.iter();
        let attempts = attempts
            .map(|it| (MemberId(it.member), it.attempts()))
            .collect();
        match next(&standings(&sight.registry), &attempts, asked, now) {
            Next::Test(node) if self.config.required || asked == Some(node) => {
                // What was decided a moment ago is in the store, and may not be known here yet.
                let registry = read(&**self.member.store())?;
                let found = registry.members.get(&node).map(|it| it.standing.state());
                if found != Some(State::Quarantined) {
                    return Ok(());
                }
                let request = request.filter(|it| it.member == node.0);
                self.test(&registry, node, request.map_or(0, |it| it.id))
            }
            Next::OnItsWay(node) => {
                let record = sight.registry.members.get(&node);
                let (name, doing) = record.map_or_else(Default::default, on_its_way);
                self.tell(Some(name), Some(doing))
            }
            _ => self.tell(None, None),
        }
    }

    /// Goes on from what another gateway has told.
    fn take_over(&mut self, known: &Snapshot, registry: &Registry) {
        let before = parsed::<GateReport>(known, REPORT).unwrap_or_default();
        let me = &self.trial.me;
        tracing::debug!(from = before.keeper, me, "this gateway keeps the gate");
        self.report = GateReport {
            keeper: String::new(),
            nodes: before
                .nodes
                .into_iter()
                .filter(|it| registry.members.contains_key(&MemberId(it.member)))
                .collect(),
            ..before
        };
    }

    /// Who was let through and is quarantined again was slow on its way in.
    fn note_sent_back(&mut self, registry: &Registry) -> Result<(), Failure> {
        let now_unix_ms = self.now_unix_ms();
        let mut is_news = false;
        for record in &mut self.report.nodes {
            let member = registry.members.get(&MemberId(record.member));
            let Some(standing) = member.map(|it| it.standing) else {
                continue;
            };
            let since_unix_ms = standing.since().as_nanos() / 1_000_000;
            let is_back =
                standing.state() == State::Quarantined && since_unix_ms > record.at_unix_ms;
            if standing.is_admitted() {
                record.refusals = 0;
            } else if record.outcome == "admitted" && is_back {
                record.outcome = "sent_back".to_owned();
                record.refusals = record.refusals.saturating_add(1);
                record.at_unix_ms = now_unix_ms;
                is_news = true;
                tracing::warn!(node = record.name, "slow on its way in: back to the gate");
            }
        }
        match is_news {
            true => self.write(),
            false => Ok(()),
        }
    }

    fn test(&mut self, registry: &Registry, node: MemberId, request: u64) -> Result<(), Failure> {
        let Some(record) = registry.members.get(&node) else {
            return Ok(());
        };
        let candidate = subject(node, record);
        let serving: Vec<Subject> = registry
            .nodes()
            .filter(|(id, it)| it.standing.state() == State::Serving && registry.alive.contains(id))
            .map(|(id, it)| subject(*id, it))
            .collect();
        if request > 0 {
            self.report.request = request;
        }
        tracing::info!(
            node = candidate.name,
            serving = serving.len(),
            "the gate tests a node"
        );
        let (store, report) = (Arc::clone(&self.store), &mut self.report);
        let (required, keeper) = (self.config.required, &self.trial.me);
        let evidence = self.trial.run(&candidate, &serving, &mut |doing| {
            report.candidate = Some(candidate.name.clone());
            report.doing = Some(doing);
            (report.required, report.keeper) = (required, keeper.clone());
            // Who asks for it in vain sees a little later how far it is.
            let _ = store.commit(&change(report));
        });
        let limits = &self.trial.limits;
        let verdict = evidence.map(|evidence| Verdict::of(node, &evidence, limits));
        self.decide(&candidate, request, verdict)
    }

    fn decide(
        &mut self,
        candidate: &Subject,
        request: u64,
        verdict: Result<Verdict, String>,
    ) -> Result<(), Failure> {
        let before = self.report.node(&candidate.name);
        let refusals = before.map_or(0, |it| it.refusals);
        let is_admitted = verdict.as_ref().is_ok_and(|it| it.admitted);
        let outcome = match (&verdict, is_admitted) {
            (Err(_), _) => "failed",
            (Ok(_), true) => "admitted",
            (Ok(_), false) => "refused",
        };
        let record = NodeRecord {
            member: candidate.member.0,
            name: candidate.name.clone(),
            at_unix_ms: self.now_unix_ms(),
            request,
            outcome: outcome.to_owned(),
            refusals: match outcome {
                "refused" => refusals.saturating_add(1),
                _ => refusals,
            },
            problem: verdict.as_ref().err().cloned(),
            verdict: verdict.ok(),
        };
        let said = record.reasons();
        match outcome {
            "admitted" => {
                self.report.admitted += 1;
                let now = self.trial.clock.now();
                let store = &**self.member.store();
                change_member(store, &candidate.name, Event::Passed, now)?;
                tracing::info!(node = candidate.name, "the gate lets a node through");
            }
            "refused" => {
                self.report.refused += 1;
                tracing::warn!(node = candidate.name, why = said, "the gate refuses a node");
            }
            _ => tracing::warn!(
                node = candidate.name,
                why = said,
                "a node could not be tested"
            ),
        }
        self.report.note(record);
        (self.report.candidate, self.report.doing) = (None, None);
        self.write()
    }

    /// Writes what is new.
    fn tell(&mut self, candidate: Option<String>, doing: Option<String>) -> Result<(), Failure> {
        let before = self.report.clone();
        (self.report.candidate, self.report.doing) = (candidate, doing);
        self.report.required = self.config.required;
        self.report.keeper.clone_from(&self.trial.me);
        match self.report == before {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        self.report.required = self.config.required;
        self.report.keeper.clone_from(&self.trial.me);
        self.store.commit(&change(&self.report))?;
        Ok(())
    }

    fn now_unix_ms(&self) -> u64 {
        self.trial.clock.now().as_nanos() / 1_000_000
    }
}

fn read(store: &dyn Store) -> Result<Registry, Failure> {
    let snapshot = store.range("", Detail::Values)?;
    let entries = snapshot.entries.iter();
    Ok(Registry::read(
        entries.map(|e| (e.key.as_str(), e.value.as_slice())),
    ))
}

/// Of nodes that are there: who is gone can be neither tested nor waited for.
fn standings(registry: &Registry) -> BTreeMap<MemberId, fleet::membership::Standing> {
    let nodes = registry
        .nodes()
        .filter(|(id, _)| registry.alive.contains(id));
    nodes.map(|(id, record)| (*id, record.standing)).collect()
}

fn on_its_way(record: &MemberRecord) -> (String, String) {
    let part = f64::from(record.standing.share_of(1000)) / 10.0;
    let doing = match record.standing.state() {
        State::Shadow => "passed: it is sent copies of requests".to_owned(),
        _ => format!("passed: it has {part} % of its keys"),
    };
    (record.name.clone(), doing)
}

fn subject(member: MemberId, record: &MemberRecord) -> Subject {
    Subject {
        member,
        name: record.name.clone(),
        address: record.address.clone(),
        keeps_volumes: record.role == Role::Volume,
    }
}

fn change(report: &GateReport) -> Change {
    // Text and numbers have no way to fail.
    Change::default().put(REPORT, serde_json::to_vec(report).unwrap_or_default())
}

fn parsed<T: serde::de::DeserializeOwned>(known: &Snapshot, key: &str) -> Option<T> {
    // A later release may write what this one cannot read.
    serde_json::from_slice(&known.get(key)?.value).ok()
}
