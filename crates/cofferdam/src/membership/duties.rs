//! What a member writes to the store: that it lives, what it knows, and, with the steward's lease, the
//! changes of the fleet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;
use fleet::deeds::{By, Deed};
use fleet::membership::{Event, Standing, State};
use fleet::registry::{MemberRecord, RING, Role, STEWARD, alive_key, known_key, member_key};
use fleet::steward::{GONE_AFTER, Step, Steward};
use runtime::store::{Change, Commit, StoreError};

use super::join::{json, revision};
use super::keeper::Keeper;
use super::shares;
use super::writes::replaced;

/// For how long a member counts as alive that says nothing.
const LEASE: Duration = Duration::from_secs(10);
/// How often rates are shared out anew.
const SHARE_EVERY: Duration = Duration::from_millis(500);
/// How often memory is divided anew: nodes take their time to give some back.
const DIVIDE_EVERY: Duration = Duration::from_secs(3);
const KEEP_ALIVE_EVERY: Duration = Duration::from_millis(2500);

impl Keeper {
    /// Says what is to be said in the store.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let silence = Arc::clone(&self.silence);
        let is_silent = silence.lock();
        if *is_silent {
            self.steward = None;
        }
        if now.since(self.kept_alive_at) >= KEEP_ALIVE_EVERY {
            match (*is_silent, self.lease) {
                (false, _) => self.keep_alive()?,
                // What lives by it may be needed again; whoever speaks now has his own.
                (true, Some(lease)) => drop(self.store.keep_alive(lease)?),
                (true, None) => {}
            }
            self.kept_alive_at = now;
        }
        if *is_silent {
            return Ok(());
        }
        self.acknowledge()?;
        if self.role == Role::Gateway {
            self.is_not_ended(now)?;
            self.serve_as_steward(now)?;
        }
        Ok(())
    }

    fn keep_alive(&mut self) -> Result<(), StoreError> {
        if let Some(lease) = self.lease
            && self.store.keep_alive(lease)?
        {
            return Ok(());
        }
        let lease = self.store.grant(LEASE)?;
        let alive = Change::default().put_leased(&alive_key(self.me), "", lease);
        self.store.commit(&alive)?;
        self.lease = Some(lease);
        Ok(())
    }

    /// Once all loops go by what is known, and not before, it may be said.
    fn acknowledge(&self) -> Result<(), StoreError> {
        let Some(announced) = self.knowledge.announced() else {
            return Ok(());
        };
        let said = self.registry.known(self.me);
        if said >= Some(announced) || self.seat.announced() < Some(announced) {
            return Ok(());
        }
        let key = known_key(self.me);
        self.store
            .commit(&Change::default().put(&key, announced.0.to_string()))?;
        Ok(())
    }

    /// Who takes the place of an earlier process of this name finds that one's last word, that it has
    /// ended: changes are to wait for this one. A gateway that lives serves, and stands nowhere else.
    fn is_not_ended(&self, now: Timestamp) -> Result<(), StoreError> {
        let record = self.registry.members.get(&self.me);
        let Some(record) = record.filter(|it| it.standing.state() != State::Serving) else {
            return Ok(());
        };
        let serving = MemberRecord {
            standing: Standing::founder(now),
            ..record.clone()
        };
        let key = member_key(self.me);
        let change = Change::default()
            .only_if(&key, revision(&self.snapshot, &key))
            .put(&key, json(&serving));
        self.store.commit(&change)?;
        Ok(())
    }

    fn serve_as_steward(&mut self, now: Timestamp) -> Result<(), StoreError> {
        match (self.registry.steward, self.lease) {
            (Some(id), _) if id == self.me => {}
            (None, Some(lease)) => {
                let claim = Change::default()
                    .only_if(STEWARD, revision(&self.snapshot, STEWARD))
                    .put_leased(STEWARD, self.me.0.to_string(), lease);
                self.store.commit(&claim)?;
                return Ok(());
            }
            _ => {
                self.steward = None;
                return Ok(());
            }
        }
        self.share_rates(now)?;
        self.divide_memory(now)?;
        let heard_at = self.heard_at();
        let new = || Steward::new(self.is_judged, self.is_gated);
        let steward = self.steward.get_or_insert_with(new);
        let Some(step) = steward.next(&self.registry, &heard_at, now) else {
            return Ok(());
        };
        let change = match &step {
            Step::Ring(ring) => Change::default()
                .only_if(RING, revision(&self.snapshot, RING))
                .put(RING, ring.to_json()),
            Step::Member(id, record, event) => {
                let deed = self.deed(record, *event, now);
                replaced(&self.snapshot, &self.registry, *id, record, Some(deed))
            }
        };
        if self.store.commit(&change)? != Commit::Lost {
            tell(&step);
        }
        Ok(())
    }

    /// What is told of it later.
    fn deed(&self, record: &MemberRecord, event: Event, now: Timestamp) -> Deed {
        let me = self.registry.members.get(&self.me);
        let through = me.map_or("", |it| it.name.as_str());
        let why = (event == Event::Condemned).then(|| {
            let silent_s = GONE_AFTER.as_secs();
            format!("it was gone: its lease had ended, and it did not answer for {silent_s} s")
        });
        let state = record.standing.state();
        Deed::new(now, event, state, By::Steward, through).because(why)
    }

    /// Lets rates follow use.
    fn share_rates(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if now.since(self.shared_at) < SHARE_EVERY {
            return Ok(());
        }
        self.shared_at = now;
        match shares::next(&self.snapshot, &self.registry) {
            // If somebody else was first it is worked out anew from what that one has written.
            Some(change) => self.store.commit(&change).map(drop),
            None => Ok(()),
        }
    }

    /// Lets memory follow what tenants' keys take up on each node.
    fn divide_memory(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if now.since(self.divided_at) < DIVIDE_EVERY {
            return Ok(());
        }
        self.divided_at = now;
        let before = shares::read_parts(&self.snapshot);
        let next = self.seat.divide(&before, now);
        match next.and_then(|next| shares::divided(&self.snapshot, &next)) {
            Some(change) => self.store.commit(&change).map(drop),
            None => Ok(()),
        }
    }

    fn heard_at(&self) -> BTreeMap<MemberId, Timestamp> {
        let mut heard_at = BTreeMap::new();
        for report in self.seat.reports() {
            let at = heard_at.entry(report.node).or_insert(report.asked_at);
            *at = report.asked_at.max(*at);
        }
        heard_at
    }

    /// A gateway has let go of its clients by now.
    pub(super) fn leave(&mut self) {
        if self.role != Role::Gateway || self.trouble.is_some() || *self.silence.lock() {
            return;
        }
        let Some(record) = self.registry.members.get(&self.me) else {
            return;
        };
        let now = self.clock.now();
        let Ok(ended) = super::join::after_event(record, Event::Drain, now) else {
            return;
        };
        let key = member_key(self.me);
        let mut change = Change::default()
            .only_if(&key, revision(&self.snapshot, &key))
            .put(&key, json(&ended));
        if self.registry.steward == Some(self.me) {
            change = change.delete(STEWARD);
        }
        if let Err(error) = self.store.commit(&change) {
            tracing::warn!(%error, "the fleet is not told that this gateway has ended");
        }
    }
}

fn tell(step: &Step) {
    match step {
        Step::Ring(ring) => tracing::info!(
            version = ring.version().0,
            moving = ring.moving().len(),
            "the ring changes"
        ),
        Step::Member(id, record, event) => tracing::info!(
            member = id.0,
            name = record.name,
            event = event.in_words(),
            state = record.standing.state().in_words(),
            "a node's standing changes"
        ),
    }
}
