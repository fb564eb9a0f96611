//! A gateway that has nobody to agree with: its nodes are listed, or the store is away.

use std::collections::{BTreeMap, VecDeque};

use base::Timestamp;
use base::fleet::MemberId;
use fleet::judge::{Ballot, Judge, Why};
use fleet::membership::{Event, Standing};

use super::report::{Docket, Fleet, JudgingReport};
use crate::config::JudgeMode;

/// Decides for this gateway alone.
pub(super) struct Alone {
    mode: JudgeMode,
    me: MemberId,
    name: String,
    judge: Judge,
    docket: Docket,
    /// None while the store says where nodes stand.
    standings: Option<BTreeMap<MemberId, Standing>>,
}

impl Alone {
    pub(super) fn new(mode: JudgeMode, me: MemberId, name: String) -> Self {
        Self {
            mode,
            me,
            name,
            judge: Judge::without_ring(),
            docket: Docket::new(me),
            standings: None,
        }
    }

    /// From here on nobody else decides; nodes that are new stand where `fleet` says.
    pub(super) fn begin(&mut self, fleet: &Fleet) {
        let standings = self.standings.get_or_insert_default();
        standings.retain(|node, _| fleet.standings.contains_key(node));
        for (node, standing) in &fleet.standings {
            standings.entry(*node).or_insert(*standing);
        }
    }

    /// What was decided here is forgotten: the store says where nodes stand.
    pub(super) fn end(&mut self) {
        if self.standings.take().is_some() {
            self.judge = Judge::without_ring();
        }
    }

    /// Where nodes stand for this gateway; `None` while the store says it.
    pub(super) fn standings(&self) -> Option<&BTreeMap<MemberId, Standing>> {
        self.standings.as_ref()
    }

    /// Decides, and tells. Nodes that the naive rule has condemned go whatever is said.
    pub(super) fn round(
        &mut self,
        now: Timestamp,
        fleet: &Fleet,
        ballot: Option<Ballot>,
        condemned: &[MemberId],
    ) -> JudgingReport {
        let mut standings = self.standings.take().unwrap_or_default();
        let mut fleet = fleet.clone();
        fleet.names.insert(self.me, self.name.clone());
        for (node, event, why) in self.decided(now, &standings, ballot, condemned) {
            let Some(standing) = standings.get_mut(&node) else {
                continue;
            };
            // What does not lead anywhere is no decision: a node that is out already.
            if let Ok(next) = standing.after(event, now)
                && next != *standing
            {
                *standing = next;
                self.docket.note(now, &fleet, node, event, &next, &why);
            }
        }
        fleet.standings.clone_from(&standings);
        self.standings = Some(standings);
        let judge = (self.mode == JudgeMode::On).then_some(&self.judge);
        let report = self.docket.report(now, self.mode, judge, &fleet);
        JudgingReport {
            judge: Some(self.name.clone()),
            is_alone: true,
            ..report
        }
    }

    fn decided(
        &mut self,
        now: Timestamp,
        standings: &BTreeMap<MemberId, Standing>,
        ballot: Option<Ballot>,
        condemned: &[MemberId],
    ) -> VecDeque<(MemberId, Event, Why)> {
        if self.mode != JudgeMode::On {
            let out = condemned.iter().map(|node| (*node, Event::Condemned));
            let back = standings.iter().filter(|(_, standing)| {
                let until = standing.holds_until();
                until.is_some_and(|until| now >= until)
            });
            let back = back.map(|(node, _)| (*node, Event::Held));
            let all = out.chain(back);
            return all.map(|(node, it)| (node, it, Why::default())).collect();
        }
        let Some(ballot) = ballot else {
            return VecDeque::new();
        };
        let ruling = self.judge.round(now, standings, &[ballot]);
        let decisions = ruling.decisions.into_iter();
        decisions.map(|it| (it.node, it.event, it.why)).collect()
    }
}

#[cfg(test)]
#[path = "alone_test.rs"]
mod tests;
