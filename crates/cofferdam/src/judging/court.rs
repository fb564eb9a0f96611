//! Ballots of all gateways in the store, and, at the one with the steward's lease, what they come to.
//!
//! | key, in a room of its own beside the fleet's | value |
//! |---|---|
//! | `ballots/N` | what gateway N says, as JSON, under its lease |
//! | `report` | what the gateway that decides tells, as JSON |
//!
//! A ballot without anything to say is written now and then only: its lease tells that its gateway
//! lives. As soon as anybody has something to say of a node all write four times a second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::judge::{Ballot, Judge, Why};
use fleet::membership::{Event, Standing, State};
use fleet::registry::MemberRecord;
use runtime::store::{Change, Detail, Entry, LeaseId, Revision, Snapshot, Store, StoreError};

use super::report::{Docket, Fleet, JudgingReport};
use super::{MUTE_AFTER, is_any_slow};
use crate::config::JudgeMode;
use crate::membership::{ChangeError, Sight, change_member, judge_member};

const REPORT: &str = "report";
const BALLOTS: &str = "ballots/";
/// A gateway that says nothing for so long has no ballot.
const LEASE: Duration = Duration::from_secs(5);
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(1);
/// How often a ballot and a report are written when nobody has anything to say; while a node is on its
/// way back; and while there is something to say.
const IDLE: Duration = Duration::from_secs(10);
const ON_ITS_WAY: Duration = Duration::from_secs(1);
const TROUBLED: Duration = Duration::from_millis(200);

/// One gateway's part of judging together.
pub(super) struct Court {
    mode: JudgeMode,
    store: Arc<dyn Store>,
    me: MemberId,
    judge: Judge,
    docket: Docket,
    lease: Option<LeaseId>,
    kept_alive_at: Timestamp,
    written_at: Timestamp,
    /// It had the steward's lease in the last round.
    decided: bool,
    /// When each ballot was seen first as it is now.
    heard: BTreeMap<MemberId, (Revision, Timestamp)>,
    /// What this gateway said last, and when: it may have had nothing to say since because it stood still.
    own: Option<(Ballot, Timestamp)>,
    /// Since when anybody has had something to say.
    troubled_since: Option<Timestamp>,
}

impl Court {
    pub(super) fn new(mode: JudgeMode, store: Arc<dyn Store>, me: MemberId) -> Self {
        Self {
            mode,
            store,
            me,
            judge: Judge::new(),
            docket: Docket::new(me),
            lease: None,
            kept_alive_at: Timestamp::ZERO,
            written_at: Timestamp::ZERO,
            decided: false,
            heard: BTreeMap::new(),
            own: None,
            troubled_since: None,
        }
    }

    /// One exchange: says what this gateway has to say, hears the others, decides if that is its part.
    /// What is to be told now; `None` as long as nobody has told anything.
    pub(super) fn sit(
        &mut self,
        now: Timestamp,
        sight: &Sight,
        fleet: &dyn Store,
        ballot: Option<Ballot>,
        condemned: &[MemberId],
    ) -> Result<Option<JudgingReport>, StoreError> {
        let lease = self.lease(now)?;
        let known = self.store.range("", Detail::Values)?;
        let ballots = self.ballots(now, &known, ballot.as_ref());
        let before = known.get(REPORT).and_then(parsed::<JudgingReport>);
        let members = Fleet::of_store(sight);
        let decides = sight.registry.steward == Some(self.me) && self.mode == JudgeMode::On;
        let mut change = Change::default();
        let report = match (decides, self.mode) {
            (true, _) => {
                if !self.decided {
                    let busy = before.iter().flat_map(|it| it.busy_nodes());
                    self.judge = Judge::new().excusing(busy);
                    before.iter().for_each(|it| self.docket.take_over(it));
                }
                Some(self.decide(now, sight, members, fleet, &ballots)?)
            }
            (false, JudgeMode::Naive) => {
                for node in condemned {
                    self.condemn(fleet, &members, *node, now);
                }
                Some(self.docket.report(now, self.mode, None, &members))
            }
            (false, _) => before.clone(),
        };
        self.decided = decides;
        let has_moved = match (&before, &report) {
            (Some(before), Some(report)) => !before.states().eq(report.states()),
            _ => false,
        };
        if has_moved && decides || self.is_due(now, &ballots, report.as_ref()) {
            if let Some(ballot) = &ballot {
                let key = format!("{BALLOTS}{}", self.me.0);
                change = change.put_leased(&key, json(ballot), lease);
            }
            if let Some(report) = report.as_ref().filter(|_| decides) {
                change = change.put(REPORT, json(report));
            }
            if !change.writes.is_empty() {
                self.store.commit(&change)?;
                self.written_at = now;
            }
        }
        let gate = known.get(crate::gate::REPORT).and_then(parsed);
        // What operators and the steward have done is in the store, for every gateway to tell.
        let report = report.map(|report| report.with_deeds(&sight.registry.deeds));
        Ok(report.map(|report| JudgingReport { gate, ..report }))
    }

    fn lease(&mut self, now: Timestamp) -> Result<LeaseId, StoreError> {
        let is_due = now.since(self.kept_alive_at) >= KEEP_ALIVE_EVERY;
        if let Some(lease) = self.lease
            && (!is_due || self.store.keep_alive(lease)?)
        {
            if is_due {
                self.kept_alive_at = now;
            }
            return Ok(lease);
        }
        let lease = self.store.grant(LEASE)?;
        self.lease = Some(lease);
        self.kept_alive_at = now;
        // The ballot has gone with the lease that ended.
        self.written_at = Timestamp::ZERO;
        Ok(lease)
    }

    /// Those that count: this gateway's own and what others say, but not of who has gone silent while there is
    /// something to say.
    fn ballots(&mut self, now: Timestamp, known: &Snapshot, own: Option<&Ballot>) -> Vec<Ballot> {
        if let Some(own) = own {
            self.own = Some((own.clone(), now));
        }
        // As long as another's would, so that nobody decides by what one says against whom it has just spoken.
        let own = self
            .own
            .iter()
            .filter(|(_, at)| now.since(*at) < MUTE_AFTER);
        let mut ballots: Vec<Ballot> = own.map(|(ballot, _)| ballot.clone()).collect();
        let mut heard = BTreeMap::new();
        let entries = known.entries.iter();
        for entry in entries.filter(|entry| entry.key.starts_with(BALLOTS)) {
            let Some(ballot) = parsed::<Ballot>(entry) else {
                continue;
            };
            let id = ballot.observer;
            let at = match self.heard.get(&id) {
                Some((revision, at)) if *revision == entry.revision => *at,
                _ => now,
            };
            heard.insert(id, (entry.revision, at));
            if id != self.me {
                ballots.push(ballot);
            }
        }
        self.heard = heard;
        self.troubled_since = match ballots.iter().any(is_any_slow) {
            true => self.troubled_since.or(Some(now)),
            false => None,
        };
        if self
            .troubled_since
            .is_some_and(|it| now.since(it) >= MUTE_AFTER)
        {
            let heard = &self.heard;
            let is_heard = |id: &MemberId| {
                let at = heard.get(id).map(|(_, at)| *at);
                at.is_some_and(|at| now.since(at) < MUTE_AFTER)
            };
            ballots.retain(|it| it.observer == self.me || is_heard(&it.observer));
        }
        ballots
    }

    fn decide(
        &mut self,
        now: Timestamp,
        sight: &Sight,
        mut members: Fleet,
        fleet: &dyn Store,
        ballots: &[Ballot],
    ) -> Result<JudgingReport, StoreError> {
        // What was decided a moment ago is in the store, and may not be known here yet.
        let records = fleet.range("members/", Detail::Values)?;
        for (node, standing) in &mut members.standings {
            let key = fleet::registry::member_key(*node);
            if let Some(record) = records.get(&key).and_then(parsed::<MemberRecord>) {
                *standing = record.standing;
            }
        }
        let ruling = self.judge.round(now, &members.standings, ballots);
        let name = members.name(sight.me);
        for decision in ruling.decisions {
            // Who is gone is not let in: nobody would answer.
            if decision.event == Event::Held && !members.alive.contains(&decision.node) {
                continue;
            }
            let (node, event) = (decision.node, decision.event);
            if let Some(next) = carried_out(fleet, &members, node, event, now) {
                self.docket
                    .note(now, &members, node, event, &next, &decision.why);
                members.standings.insert(node, next);
            }
        }
        let report = self
            .docket
            .report(now, self.mode, Some(&self.judge), &members);
        Ok(JudgingReport {
            judge: Some(name),
            ..report
        })
    }

    /// What the naive rule wants, however many are out.
    fn condemn(&mut self, fleet: &dyn Store, members: &Fleet, node: MemberId, now: Timestamp) {
        let standing = members.standings.get(&node).map(Standing::state);
        let (Some(name), true) = (
            members.names.get(&node),
            standing.is_some_and(|it| it != State::Ejected),
        ) else {
            return;
        };
        let event = Event::Condemned;
        match change_member(fleet, name, event, now) {
            Ok(record) => {
                let why = Why::default();
                self.docket
                    .note(now, members, node, event, &record.standing, &why);
            }
            Err(error) => not_carried_out(name, event, &error),
        }
    }

    fn is_due(&self, now: Timestamp, ballots: &[Ballot], report: Option<&JudgingReport>) -> bool {
        let is_troubled =
            ballots.iter().any(is_any_slow) || report.is_some_and(JudgingReport::is_troubled);
        let is_on_its_way = report.is_some_and(|report| {
            let states = report.nodes.iter().map(|node| node.state.as_str());
            let mut on_its_way = states.filter(|it| !matches!(*it, "serving" | "drained"));
            on_its_way.next().is_some()
        });
        let every = match (is_troubled, is_on_its_way) {
            (true, _) => TROUBLED,
            (false, true) => ON_ITS_WAY,
            (false, false) => IDLE,
        };
        now.since(self.written_at) >= every
    }
}

/// Where the node stands after that, if it led anywhere.
fn carried_out(
    fleet: &dyn Store,
    members: &Fleet,
    node: MemberId,
    event: Event,
    now: Timestamp,
) -> Option<Standing> {
    let name = members.names.get(&node)?;
    let before = members.standings.get(&node)?;
    if event == Event::Condemned && before.state() == State::Ejected {
        return None;
    }
    match judge_member(fleet, name, event, now) {
        Ok(record) => Some(record.standing).filter(|next| next != before),
        Err(error) => {
            not_carried_out(name, event, &error);
            None
        }
    }
}

fn not_carried_out(node: &str, event: Event, error: &ChangeError) {
    let decided = event.in_words();
    tracing::warn!(node, decided, %error, "what was decided is not carried out");
}

fn parsed<T: serde::de::DeserializeOwned>(entry: &Entry) -> Option<T> {
    // A later release may write what this one cannot read.
    serde_json::from_slice(&entry.value).ok()
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    // Text and numbers have no way to fail.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
#[path = "court_test.rs"]
mod tests;
