//! All places for connections are taken: who gives one to a tenant that has fewer than its share.
//!
//! The share is equal by weight among the tenants that have connections. As long as there is room it
//! bounds nobody: one tenant may have every place.

use std::time::Duration;

use base::{TenantId, Timestamp};

use super::gate::{Gate, Tenant};
use crate::directory::Directory;

/// Tenants are looked over no more often than this for each of them, so that many cost little.
const SURVEY_INTERVAL_PER_TENANT_NS: u64 = 20_000;

/// How full it is.
#[derive(Debug)]
pub(super) struct Crowd {
    places: usize,
    /// Connections that have been let in and are open.
    pub(super) taken: usize,
    /// Tenants that a connection of was asked for, and that may still have it.
    asked: Vec<TenantId>,
    /// Of these, those that the driver is to be told of.
    news: Vec<TenantId>,
    survey: Survey,
}

/// Whether one more connection of a tenant finds a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// There is one, or one of another tenant's connections goes for it.
    Found,
    /// Its tenant has its share.
    None,
}

/// A look at all tenants.
#[derive(Clone, Copy, Debug, Default)]
struct Survey {
    number: u64,
    good_until: Timestamp,
    /// The sum of the weights of those that have connections.
    weights: u128,
    /// The one that is furthest above its share.
    most: Option<TenantId>,
}

impl Crowd {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places,
            taken: 0,
            asked: Vec::new(),
            news: Vec::new(),
            survey: Survey::default(),
        }
    }

    /// A tenant that is to close the connection that has been idle for longest.
    pub(super) fn next_displaced(&mut self) -> Option<TenantId> {
        self.news.pop()
    }
}

impl Gate {
    /// Finds a place for one more connection of a tenant.
    pub(super) fn find_room(
        &mut self,
        now: Timestamp,
        newcomer: TenantId,
        directory: &Directory,
    ) -> Room {
        if self.crowd.taken < self.crowd.places {
            return Room::Found;
        }
        if self.crowd.taken.saturating_sub(self.places_promised()) < self.crowd.places {
            return Room::Found;
        }
        if now >= self.crowd.survey.good_until {
            self.survey(now, directory);
        }
        let weights = self.weights_with(newcomer, directory);
        let weight = weight_of(directory, newcomer);
        if self.is_above_share(self.staying(newcomer) + 1, weight, weights) {
            return Room::None;
        }
        if self.above_share(newcomer, directory).is_none() {
            self.survey(now, directory);
        }
        let Some(giver) = self.above_share(newcomer, directory) else {
            return Room::None;
        };
        self.ask(giver);
        Room::Found
    }

    /// Places that are taken and about to become free.
    fn places_promised(&mut self) -> usize {
        let mut asked = std::mem::take(&mut self.crowd.asked);
        let leaving = |id: &TenantId| self.tenants.get(id).map_or(0, Tenant::leaving);
        asked.retain(|id| leaving(id) > 0);
        let promised: u64 = asked.iter().map(leaving).sum();
        self.crowd.asked = asked;
        usize::try_from(promised).unwrap_or(usize::MAX)
    }

    fn ask(&mut self, id: TenantId) {
        if let Some(tenant) = self.tenants.get_mut(&id) {
            tenant.asked = tenant.asked.wrapping_add(1);
        }
        if !self.crowd.asked.contains(&id) {
            self.crowd.asked.push(id);
        }
        self.crowd.news.push(id);
    }

    fn survey(&mut self, now: Timestamp, directory: &Directory) {
        let interval_ns = SURVEY_INTERVAL_PER_TENANT_NS * self.tenants.len() as u64;
        let mut survey = Survey {
            number: self.crowd.survey.number + 1,
            good_until: now + Duration::from_nanos(interval_ns),
            ..Survey::default()
        };
        let (mut most_open, mut most_weight) = (0, 1);
        for (id, tenant) in &mut self.tenants {
            let (open, weight) = (tenant.staying(), weight_of(directory, *id));
            if open == 0 {
                continue;
            }
            tenant.surveyed = survey.number;
            survey.weights += weight;
            if open * most_weight > most_open * weight {
                survey.most = Some(*id);
                (most_open, most_weight) = (open, weight);
            }
        }
        self.crowd.survey = survey;
    }

    /// The weights of all that have connections, or want one.
    fn weights_with(&self, newcomer: TenantId, directory: &Directory) -> u128 {
        let survey = &self.crowd.survey;
        let is_counted = self
            .tenants
            .get(&newcomer)
            .is_some_and(|tenant| tenant.surveyed == survey.number);
        match is_counted {
            true => survey.weights,
            false => survey.weights + weight_of(directory, newcomer),
        }
    }

    /// The tenant that was furthest above its share when it was last looked, if it still is above.
    fn above_share(&self, newcomer: TenantId, directory: &Directory) -> Option<TenantId> {
        let most = self.crowd.survey.most?;
        let weights = self.weights_with(newcomer, directory);
        let open = self.staying(most);
        let is_above = self.is_above_share(open, weight_of(directory, most), weights);
        is_above.then_some(most)
    }

    fn is_above_share(&self, open: u128, weight: u128, weights: u128) -> bool {
        open * weights > self.crowd.places as u128 * weight
    }

    fn staying(&self, id: TenantId) -> u128 {
        self.tenants.get(&id).map_or(0, Tenant::staying)
    }
}

impl Tenant {
    /// Its connections, without those that are asked for.
    fn staying(&self) -> u128 {
        self.open().saturating_sub(self.leaving()).into()
    }

    /// How many of its connections were asked for and are not known to be closed.
    fn leaving(&self) -> u64 {
        self.asked.wrapping_sub(self.figures.displacements())
    }
}

/// A tenant that was removed has no share.
fn weight_of(directory: &Directory, id: TenantId) -> u128 {
    directory
        .tenant(id)
        .map_or(0, |tenant| tenant.traffic.weight.into())
}

#[cfg(test)]
#[path = "crowd_test.rs"]
mod tests;
