//! Whom operators want to be tested, and what answers them: each node has a key of its own in the store,
//! which stays until a test of that node has ended, whoever began it and whichever gateway ended it.

use base::Timestamp;
use base::fleet::MemberId;
use fleet::membership::State;
use fleet::registry::{MemberRecord, Registry};
use runtime::store::{Change, Detail, Snapshot, Store};
use serde::{Deserialize, Serialize};

use super::book::{GateReport, NodeRecord, REPORT, parsed};
use crate::failure::Failure;

/// What the keys begin with.
const WISHES: &str = "gate/wishes/";

/// An operator's wish; a later one for the same node takes its place, and what answers that answers both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct GateRequest {
    /// The candidate.
    pub(crate) member: u32,
    /// When, by the clock of the gateway that was asked: the first is served first.
    pub(crate) at_unix_ms: u64,
    /// The number of the candidate's last test before; 0 if there was none.
    pub(crate) after: u64,
}

/// Has a member tested; the number of its last test before, which what comes of this one exceeds.
pub(crate) fn wish(store: &dyn Store, member: MemberId, now: Timestamp) -> Result<u64, Failure> {
    let known = store.range(REPORT, Detail::Values)?;
    let report = parsed::<GateReport>(&known, REPORT).unwrap_or_default();
    let request = GateRequest {
        member: member.0,
        at_unix_ms: now.as_nanos() / 1_000_000,
        after: report.last_test(member),
    };
    store.commit(&request.change())?;
    Ok(request.after)
}

/// All wishes, the earliest first.
pub(super) fn read(known: &Snapshot) -> Vec<GateRequest> {
    let keys = known.entries.iter().map(|entry| entry.key.as_str());
    let keys = keys.filter(|key| key.starts_with(WISHES));
    let mut wishes: Vec<GateRequest> = keys.filter_map(|key| parsed(known, key)).collect();
    wishes.sort_by_key(|wish| (wish.at_unix_ms, wish.member));
    wishes
}

/// Without these members' wishes.
pub(super) fn without(change: Change, members: &[MemberId]) -> Change {
    let keys = members.iter().map(|member| key(*member));
    keys.fold(change, |change, key| change.delete(&key))
}

/// Notes what is to be answered to whoever wants a member to be tested that cannot be any more; the
/// members whose wishes are over.
pub(super) fn settle(
    report: &mut GateReport,
    wishes: &[GateRequest],
    registry: &Registry,
    now_unix_ms: u64,
) -> Vec<MemberId> {
    let mut over = Vec::new();
    for wish in wishes {
        let id = MemberId(wish.member);
        let is_answered = report.last_test(id) > wish.after;
        let member = registry.members.get(&id).filter(|_| !is_answered);
        if let Some(member) = member {
            let Some(answer) = answer_of(member, registry.alive.contains(&id)) else {
                continue;
            };
            let record = answer.record(report, id, member, now_unix_ms);
            report.note(record);
        }
        over.push(id);
    }
    over
}

/// What is said of a node that is not to be tested any more.
enum Answer {
    Passed,
    Not(&'static str),
}

/// `None` of a node that is.
fn answer_of(member: &MemberRecord, is_alive: bool) -> Option<Answer> {
    let standing = &member.standing;
    match standing.state() {
        State::Shadow | State::Ramping if !standing.is_admitted() => Some(Answer::Passed),
        State::Quarantined if is_alive => None,
        State::Quarantined => Some(Answer::Not("it does not run any more")),
        State::Drained => Some(Answer::Not("it was drained meanwhile")),
        _ => Some(Answer::Not("it has served meanwhile")),
    }
}

impl Answer {
    fn record(
        self,
        report: &GateReport,
        id: MemberId,
        member: &MemberRecord,
        now_unix_ms: u64,
    ) -> NodeRecord {
        let before = report.nodes.iter().find(|it| it.member == id.0);
        let (outcome, problem) = match (self, before) {
            (Self::Passed, Some(before)) if before.outcome == "admitted" => return before.clone(),
            (Self::Passed, _) => ("admitted", "it is on its way in; its figures are not known"),
            (Self::Not(why), _) => ("failed", why),
        };
        NodeRecord {
            member: id.0,
            name: member.name.clone(),
            at_unix_ms: now_unix_ms,
            outcome: outcome.to_owned(),
            refusals: before.map_or(0, |it| it.refusals),
            problem: Some(problem.to_owned()),
            ..NodeRecord::default()
        }
    }
}

impl GateRequest {
    fn change(&self) -> Change {
        // Numbers have no way to fail.
        let json = serde_json::to_vec(self).unwrap_or_default();
        Change::default().put(&key(MemberId(self.member)), json)
    }
}

fn key(member: MemberId) -> String {
    format!("{WISHES}{}", member.0)
}

#[cfg(test)]
#[path = "wishes_test.rs"]
mod tests;
