//! What is done about slow nodes: states, caps, and when nothing is done because all are slow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;

use super::ballot::Ballot;
use super::case::{Case, Why};
use super::panel::Panel;
use super::score::Score;
use crate::cap::Cap;
use crate::membership::{Event, Standing, State};

/// A suspect keeps its keys for so long. Who is slow without doubt is out by then; had he been given less to
/// do before, he might have looked well with that, as a node does on a line that is all but full, and his keys
/// would have moved twice.
const RELIEF_AFTER: Duration = Duration::from_secs(2);
/// After so long what was said of a node before it was let in again has been taken back.
const GRACE: Duration = Duration::from_secs(2);
/// Without them, so many times as long: nobody asks.
const PROOF_WAIT: u32 = 6;
/// Names that are added to a notice are told together, no more often than this …
const NAME_EVERY: Duration = Duration::from_secs(10);
/// … and those that were named are not told again if it is over for less than this and then again.
const NAMED_FOR: Duration = Duration::from_secs(60);

/// Something that is to happen to a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The node.
    pub node: MemberId,
    /// What happens to it.
    pub event: Event,
    /// Upon what.
    pub why: Why,
}

/// Something that concerns no single node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// All nodes are slower than they use to be, or most are slower than the rest: what they share
    /// is to blame, and nobody is taken out. With those that stand out.
    FleetSlow(Vec<MemberId>),
    /// Some of these should go, but as many of them are out as may be.
    CapHolds(Vec<MemberId>),
    /// These observers are slow themselves.
    ObserversSlow(Vec<MemberId>),
}

/// What came of a round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ruling {
    /// What is to happen.
    pub decisions: Vec<Decision>,
    /// What has begun, or names somebody who was not named yet: told once, until it was over.
    pub began: Vec<Notice>,
    /// What is over.
    pub ended: Vec<Notice>,
}

/// Decides, round by round, from ballots and standings.
#[derive(Debug, Default)]
pub struct Judge {
    /// A suspect's keys stay with it: nobody else could have them.
    keeps_keys: bool,
    cases: BTreeMap<MemberId, Case>,
    notices: [Affair; 3],
}

/// A notice from when it began to when it is over, and what was told of it.
#[derive(Debug, Default)]
struct Affair {
    notice: Option<Notice>,
    /// Who was named so far.
    named: BTreeSet<MemberId>,
    told_at: Option<Timestamp>,
    heard_at: Timestamp,
}

/// What a round looks at beside the node itself.
struct Round {
    now: Timestamp,
    /// Nobody is suspected or taken out.
    is_frozen: bool,
    /// How many more may be taken out.
    room: usize,
}

impl Judge {
    /// Knows of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, where no ring can change: no suspect is relieved of keys that would be nobody's.
    pub fn without_ring() -> Self {
        Self {
            keeps_keys: true,
            ..Self::default()
        }
    }

    /// It goes on where another one has stopped, who had found that these are busy.
    #[must_use]
    pub fn excusing(mut self, busy: impl IntoIterator<Item = MemberId>) -> Self {
        for node in busy {
            self.cases
                .entry(node)
                .or_insert_with(|| Case::new(node))
                .excuse();
        }
        self
    }

    /// Looks at the latest ballots, none older than a few seconds and one of each observer. The
    /// caller applies the decisions to the standings before the next round, or leaves them.
    pub fn round(
        &mut self,
        now: Timestamp,
        standings: &BTreeMap<MemberId, Standing>,
        ballots: &[Ballot],
    ) -> Ruling {
        let panel = Panel::of(ballots);
        self.cases.retain(|node, _| standings.contains_key(node));
        for (node, standing) in standings {
            let case = self.cases.entry(*node).or_insert_with(|| Case::new(*node));
            case.hear(now, standing, panel.of_node(*node));
        }
        let crowd = Crowd::of(standings, &self.cases);
        let is_frozen = panel.shift >= Score::SUSPECT
            || crowd.is_most_slow()
            || matches!(self.notices[0].notice, Some(Notice::FleetSlow(_)))
                && (panel.shift > Score::CLEAR || crowd.slow > crowd.cap.most);
        let mut round = Round {
            now,
            is_frozen,
            room: crowd.cap.room(),
        };
        let mut ruling = Ruling::default();
        // The worst first, since not all may go.
        let mut order: Vec<MemberId> = standings.keys().copied().collect();
        order.sort_by(|one, other| self.score(*other).order(&self.score(*one)));
        let mut held_back = Vec::new();
        for node in order {
            let (Some(standing), Some(case)) = (standings.get(&node), self.cases.get_mut(&node))
            else {
                continue;
            };
            let rule = round.rule(standing, case);
            let event = match rule {
                Rule::Is(event) => Some(event),
                Rule::HeldBack | Rule::Nothing if self.keeps_keys => None,
                Rule::HeldBack | Rule::Nothing => round.relief(standing, case),
            };
            if let Some(event) = event {
                let why = case.why().clone();
                ruling.decisions.push(Decision { node, event, why });
            }
            if matches!(rule, Rule::HeldBack) {
                held_back.push(node);
            }
        }
        self.tell(now, &mut ruling, &panel, is_frozen, &crowd, held_back);
        ruling
    }

    fn score(&self, node: MemberId) -> Score {
        self.cases
            .get(&node)
            .map_or(Score::CLEAR, |case| case.score())
    }

    fn tell(
        &mut self,
        now: Timestamp,
        ruling: &mut Ruling,
        panel: &Panel,
        is_frozen: bool,
        crowd: &Crowd,
        held_back: Vec<MemberId>,
    ) {
        let some = |nodes: Vec<MemberId>| (!nodes.is_empty()).then_some(nodes);
        let present = [
            is_frozen.then(|| Notice::FleetSlow(crowd.slow_nodes.clone())),
            // With all slow it is not the cap that keeps them.
            some(held_back)
                .filter(|_| !is_frozen)
                .map(|held_back| Notice::CapHolds(both(&crowd.slow_or_out, held_back))),
            some(panel.slow_observers.clone()).map(Notice::ObserversSlow),
        ];
        for (affair, present) in self.notices.iter_mut().zip(present) {
            match present {
                Some(notice) => ruling.began.extend(affair.hear(now, notice)),
                None => ruling.ended.extend(affair.notice.take()),
            }
        }
    }

    /// What is known of a node.
    pub fn case(&self, node: MemberId) -> Option<&Case> {
        self.cases.get(&node)
    }

    /// What concerns no single node, at present.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.told().map(|(notice, _)| notice)
    }

    /// The same, with when it was last told: begun, or with somebody who had not been named.
    pub fn told(&self) -> impl Iterator<Item = (&Notice, Timestamp)> {
        let affairs = self.notices.iter();
        affairs.filter_map(|it| Some((it.notice.as_ref()?, it.told_at?)))
    }
}

/// In the order of their numbers, each once.
fn both(some: &[MemberId], others: Vec<MemberId>) -> Vec<MemberId> {
    let all: BTreeSet<MemberId> = some.iter().copied().chain(others).collect();
    all.into_iter().collect()
}

impl Affair {
    /// What is so now; it comes back if it is to be told.
    fn hear(&mut self, now: Timestamp, notice: Notice) -> Option<Notice> {
        let is_new = self.notice.is_none();
        if is_new && now.since(self.heard_at) >= NAMED_FOR {
            (self.named, self.told_at) = (BTreeSet::new(), None);
        }
        let told = self.told_at;
        let adds = notice.names().iter().any(|it| !self.named.contains(it));
        let adds = adds && (is_new || told.is_none_or(|at| now.since(at) >= NAME_EVERY));
        if adds || told.is_none() {
            self.named.extend(notice.names());
            self.told_at = Some(now);
        }
        self.heard_at = now;
        self.notice = Some(notice.clone());
        (is_new || adds).then_some(notice)
    }
}

impl Notice {
    fn names(&self) -> &[MemberId] {
        match self {
            Self::FleetSlow(names) | Self::CapHolds(names) | Self::ObserversSlow(names) => names,
        }
    }
}

/// How many serve, are out, and look slow.
struct Crowd {
    cap: Cap,
    slow: usize,
    slow_nodes: Vec<MemberId>,
    slow_or_out: Vec<MemberId>,
}

impl Crowd {
    fn of(standings: &BTreeMap<MemberId, Standing>, cases: &BTreeMap<MemberId, Case>) -> Self {
        let is_slow = |node: &MemberId, standing: &Standing| {
            let serves = matches!(standing.state(), State::Serving | State::Suspect);
            serves
                && cases
                    .get(node)
                    .is_some_and(|it| it.score() >= Score::SUSPECT)
        };
        let nodes = |is_one: &dyn Fn(&MemberId, &Standing) -> bool| -> Vec<MemberId> {
            let found = standings.iter().filter(|(node, it)| is_one(node, it));
            found.map(|(node, _)| *node).collect()
        };
        let is_out = |it: &Standing| matches!(it.state(), State::Ejected | State::Probation);
        let slow_nodes = nodes(&is_slow);
        Self {
            cap: Cap::of(standings),
            slow: slow_nodes.len(),
            slow_nodes,
            slow_or_out: nodes(&|node, it| is_out(it) || is_slow(node, it)),
        }
    }

    fn is_most_slow(&self) -> bool {
        2 * self.slow > self.cap.members
    }
}

enum Rule {
    Is(Event),
    /// It should go, but may not.
    HeldBack,
    Nothing,
}

impl Round {
    fn rule(&mut self, standing: &Standing, case: &Case) -> Rule {
        let score = case.score();
        match standing.state() {
            State::Quarantined | State::Drained => Rule::Nothing,
            State::Ejected => self.hold(standing, true),
            State::Shadow | State::Ramping | State::Probation => {
                let is_fresh = self.now.since(standing.since()) >= GRACE;
                if score >= Score::SUSPECT {
                    // Whatever keeps it from going does not lead it on.
                    return match is_fresh && case.is_heard() && !self.is_frozen {
                        true => self.fail(standing),
                        false => Rule::Nothing,
                    };
                }
                self.hold(standing, case.why().proven >= case.why().proof)
            }
            State::Serving | State::Suspect if self.is_frozen => Rule::Nothing,
            State::Serving | State::Suspect if !case.is_heard() && score > Score::CLEAR => {
                Rule::Nothing
            }
            State::Serving if score >= Score::CERTAIN && self.room > 0 => self.condemn(),
            State::Serving if score >= Score::SUSPECT => Rule::Is(Event::Suspected),
            State::Serving => Rule::Nothing,
            State::Suspect if score >= Score::CERTAIN => self.condemn(),
            State::Suspect if score <= Score::CLEAR => Rule::Is(Event::Cleared),
            State::Suspect => Rule::Nothing,
        }
    }

    /// Who may not go, or is not certain to be slow, is spared after a while; at once, where requests are late
    /// only since they wait at the node: with fewer of them it can do well.
    fn relief(&self, standing: &Standing, case: &Case) -> Option<Event> {
        let is_open = standing.state() == State::Suspect && !standing.is_relieved();
        let is_due = self.now >= standing.since() + RELIEF_AFTER || case.why().is_of_queue();
        (is_open && is_due && !self.is_frozen).then_some(Event::Relieved)
    }

    fn condemn(&mut self) -> Rule {
        if self.room == 0 {
            return Rule::HeldBack;
        }
        self.room -= 1;
        Rule::Is(Event::Condemned)
    }

    /// It did not do well on its way in. One that was never let in, or is out, takes nobody's place.
    fn fail(&mut self, standing: &Standing) -> Rule {
        let counts = Cap::counts(standing);
        if counts && self.room == 0 {
            return Rule::HeldBack;
        }
        if counts {
            self.room -= 1;
        }
        Rule::Is(Event::Suspected)
    }

    fn hold(&self, standing: &Standing, is_proven: bool) -> Rule {
        let Some(until) = standing.holds_until() else {
            return Rule::Nothing;
        };
        let step = until.since(standing.since());
        let is_due = self.now >= until;
        let nobody_asks = self.now >= standing.since() + step * PROOF_WAIT;
        match is_due && (is_proven || nobody_asks) {
            true => Rule::Is(Event::Held),
            false => Rule::Nothing,
        }
    }
}

#[cfg(test)]
#[path = "court_test.rs"]
mod tests;
