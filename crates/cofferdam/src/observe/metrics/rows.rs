//! Which tenants have lines of their own on the page, and the sum of all others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base::TenantId;
use gateway::Delays;
use runtime::observe::exposition::Kind;

use super::columns::{COLUMNS, Column};
use crate::observe::reading::TenantReading;

/// Tenants with a label of their own; each costs the scraper some dozen series.
const LABELS_MAX: usize = 100;
/// The label of all others.
pub(super) const OTHER: &str = "other";

/// Remembers who has a label, until the process ends, and what those without one had counted when
/// they went, so that their sum never falls.
#[derive(Debug, Default)]
pub(crate) struct TenantRows {
    labelled: HashSet<Arc<str>>,
    /// Those without a label, as they were at the last page.
    others: HashMap<TenantId, Row>,
    /// What is kept of those who have gone.
    gone: Option<Row>,
}

/// The figures under one label.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) label: Arc<str>,
    /// In the order of [`COLUMNS`].
    pub(super) values: Vec<u64>,
    pub(super) delays: Delays,
}

impl TenantRows {
    /// The rows of the page; the tenants come in the order of their making.
    pub(super) fn table(&mut self, tenants: &[TenantReading]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut others = HashMap::new();
        for tenant in tenants {
            let row = Row {
                label: Arc::clone(&tenant.name),
                values: COLUMNS.iter().map(|c| (c.value)(tenant)).collect(),
                delays: tenant.delays.clone(),
            };
            match self.has_label(&tenant.name) {
                true => rows.push(row),
                false => drop(others.insert(tenant.id, row)),
            }
        }
        let before = std::mem::replace(&mut self.others, others);
        for (id, row) in before {
            if !self.others.contains_key(&id) {
                self.gone
                    .get_or_insert_with(Row::of_others)
                    .add(&row, is_counter);
            }
        }
        rows.extend(self.sum_of_others());
        rows
    }

    /// Whether this tenant has a label of its own; while there are any left it gets one.
    fn has_label(&mut self, name: &Arc<str>) -> bool {
        // A tenant of that name would be mistaken for the sum.
        if &**name == OTHER {
            return false;
        }
        if self.labelled.contains(name) {
            return true;
        }
        self.labelled.len() < LABELS_MAX && self.labelled.insert(Arc::clone(name))
    }

    fn sum_of_others(&self) -> Option<Row> {
        if self.others.is_empty() && self.gone.is_none() {
            return None;
        }
        let mut sum = Row::of_others();
        for row in self.others.values().chain(&self.gone) {
            sum.add(row, |_| true);
        }
        Some(sum)
    }
}

impl Row {
    fn of_others() -> Self {
        Self {
            label: Arc::from(OTHER),
            values: vec![0; COLUMNS.len()],
            delays: Delays::default(),
        }
    }

    /// Adds the columns of another row that are wanted, and its delays.
    fn add(&mut self, other: &Self, is_wanted: fn(&Column) -> bool) {
        let values = self.values.iter_mut().zip(&other.values).zip(COLUMNS);
        for ((sum, value), _) in values.filter(|(_, column)| is_wanted(column)) {
            *sum = sum.saturating_add(*value);
        }
        self.delays.merge(&other.delays);
    }
}

fn is_counter(column: &Column) -> bool {
    column.kind == Kind::Counter
}

#[cfg(test)]
#[path = "rows_test.rs"]
mod tests;
