//! Whose turn it is at the gate, what comes of his test, and what is told of it in the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::fleet::MemberId;
use fleet::gate::{Next, Verdict, next};
use fleet::membership::{Event, State};
use fleet::registry::{MemberRecord, Registry, Role};
use runtime::store::{Change, Detail, Snapshot, Store};

use super::book::{GateReport, NodeRecord, REPORT, parsed};
use super::trial::{Subject, Trial};
use super::wishes;
use crate::config::Gate;
use crate::failure::Failure;
use crate::membership::{Membership, change_member, stored};

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
        let wanted = self.settle_wishes(&known)?;
        let standings = standings(&sight.registry);
        let is_there = |node: &&MemberId| standings.contains_key(*node);
        let asked = wanted.iter().find(is_there).copied();
        let now = self.trial.clock.now();
        let attempts = self.report.nodes.iter();
        let attempts = attempts
            .map(|it| (MemberId(it.member), it.attempts()))
            .collect();
        match next(&standings, &attempts, asked, now) {
            Next::Test(node) if self.config.required || asked == Some(node) => {
                // What was decided a moment ago is in the store, and may not be known here yet.
                let registry = stored(&**self.member.store())?;
                match is_quarantined(&registry, node) {
                    true => self.test(&registry, node),
                    false => Ok(()),
                }
            }
            Next::OnItsWay(node) => {
                let record = sight.registry.members.get(&node);
                self.tell(record.map(on_its_way))
            }
            _ => self.tell(None),
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

    /// Answers who wants somebody to be tested that cannot be any more; who is still to be.
    fn settle_wishes(&mut self, known: &Snapshot) -> Result<Vec<MemberId>, Failure> {
        let wishes = wishes::read(known);
        if wishes.is_empty() {
            return Ok(Vec::new());
        }
        // Another gateway was asked, which may know what is not known here yet.
        let registry = stored(&**self.member.store())?;
        let now_unix_ms = self.now_unix_ms();
        let over = wishes::settle(&mut self.report, &wishes, &registry, now_unix_ms);
        if !over.is_empty() {
            self.write(&over)?;
        }
        let wanted = wishes.iter().map(|wish| MemberId(wish.member));
        Ok(wanted.filter(|node| !over.contains(node)).collect())
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
            true => self.write(&[]),
            false => Ok(()),
        }
    }

    fn test(&mut self, registry: &Registry, node: MemberId) -> Result<(), Failure> {
        let Some(record) = registry.members.get(&node) else {
            return Ok(());
        };
        let candidate = subject(node, record);
        let serving: Vec<Subject> = registry
            .nodes()
            .filter(|(id, it)| it.standing.state() == State::Serving && registry.alive.contains(id))
            .map(|(id, it)| subject(*id, it))
            .collect();
        tracing::info!(
            node = candidate.name,
            serving = serving.len(),
            "the gate tests a node"
        );
        let (store, report) = (Arc::clone(&self.store), &mut self.report);
        let (required, keeper) = (self.config.required, &self.trial.me);
        report.tests_nobody();
        let evidence = self.trial.run(&candidate, &serving, &mut |doing| {
            report.goes_on(&candidate.name, doing);
            (report.required, report.keeper) = (required, keeper.clone());
            // Who asks for it in vain sees a little later how far it is.
            let _ = store.commit(&change(report));
        });
        match evidence {
            Ok(evidence) => {
                let verdict = Verdict::of(node, &evidence, &self.trial.limits);
                self.decide(&candidate, verdict)
            }
            // Whoever keeps the gate next tests it anew, for whoever asked as well.
            Err(why) => {
                tracing::info!(node = candidate.name, why, "a test is broken off");
                Ok(())
            }
        }
    }

    fn decide(&mut self, candidate: &Subject, verdict: Verdict) -> Result<(), Failure> {
        let registry = stored(&**self.member.store())?;
        if registry.steward != Some(self.member.sight().me) {
            // Another one keeps the gate by now, and has told what it does.
            self.kept = false;
            return Ok(());
        }
        let before = self.report.node(&candidate.name);
        let refusals = before.map_or(0, |it| it.refusals);
        let outcome = match (verdict.admitted, verdict.is_refused()) {
            (true, _) => "admitted",
            (false, true) => "refused",
            (false, false) => "failed",
        };
        let untested = verdict.untested.join("; ");
        let record = NodeRecord {
            member: candidate.member.0,
            name: candidate.name.clone(),
            at_unix_ms: self.now_unix_ms(),
            test: 0,
            outcome: outcome.to_owned(),
            refusals: match outcome {
                "refused" => refusals.saturating_add(1),
                _ => refusals,
            },
            problem: (outcome == "failed").then(|| format!("not tested: {untested}")),
            verdict: (outcome != "failed").then_some(verdict),
        };
        let said = record.reasons();
        match outcome {
            "admitted" => {
                let now = self.trial.clock.now();
                let store = &**self.member.store();
                change_member(store, &candidate.name, Event::Passed, now)?;
                self.report.admitted += 1;
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
        self.report.tests_nobody();
        // It answers whoever asked for it, before or while it was under way.
        self.write(&[candidate.member])
    }

    /// Writes who is on his way in and how far, if that is new.
    fn tell(&mut self, on_its_way: Option<(String, String)>) -> Result<(), Failure> {
        let before = self.report.clone();
        self.report.tests_nobody();
        (self.report.candidate, self.report.doing) = on_its_way.unzip();
        self.report.required = self.config.required;
        self.report.keeper.clone_from(&self.trial.me);
        match self.report == before {
            true => Ok(()),
            false => self.write(&[]),
        }
    }

    /// The report, together with whose wishes it answers.
    fn write(&mut self, answered: &[MemberId]) -> Result<(), Failure> {
        self.report.required = self.config.required;
        self.report.keeper.clone_from(&self.trial.me);
        let change = wishes::without(change(&self.report), answered);
        self.store.commit(&change)?;
        Ok(())
    }

    fn now_unix_ms(&self) -> u64 {
        self.trial.clock.now().as_nanos() / 1_000_000
    }
}

/// Of nodes that are there: who is gone can be neither tested nor waited for.
fn standings(registry: &Registry) -> BTreeMap<MemberId, fleet::membership::Standing> {
    let nodes = registry
        .nodes()
        .filter(|(id, _)| registry.alive.contains(id));
    nodes.map(|(id, record)| (*id, record.standing)).collect()
}

fn is_quarantined(registry: &Registry, node: MemberId) -> bool {
    let record = registry.members.get(&node);
    record.is_some_and(|it| it.standing.state() == State::Quarantined)
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
