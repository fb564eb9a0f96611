//! Made-up seconds of a tenant.

use std::sync::Arc;

use base::TrafficLimits;

use super::now::Now;
use crate::observe::event_view::EventView;
use crate::observe::history::{Frame, TENANT_FIGURES, TenantFrame};

/// A tenant `acme` whose every second is the same.
pub(super) struct Acme {
    pub(super) limits: TrafficLimits,
    pub(super) recent: Vec<Arc<Frame>>,
    pub(super) events: Vec<EventView>,
}

impl Acme {
    /// These figures, all others 0.
    pub(super) fn with(figures: &[(&str, f32)]) -> Self {
        let value = |own: &&str| {
            let given = figures.iter().find(|(name, _)| name == own);
            given.map_or(0.0, |(_, value)| *value)
        };
        let values: Vec<f32> = TENANT_FIGURES.iter().map(value).collect();
        let frame = |second: u64| {
            Arc::new(Frame {
                time_s: 1_000 + second,
                figures: Default::default(),
                tenants: vec![TenantFrame {
                    name: "acme".into(),
                    values: values.clone(),
                }],
            })
        };
        Self {
            limits: TrafficLimits::default(),
            recent: (0..120).map(frame).collect(),
            events: Vec::new(),
        }
    }

    /// Something that has begun.
    pub(super) fn event(mut self, kind: &str, state: &str) -> Self {
        self.events.push(EventView {
            id: self.events.len() as u64 + 1,
            at: "2026-11-22T01:38:24.250Z".into(),
            onset: "2026-11-22T01:38:24.250Z".into(),
            event: kind.into(),
            cause: String::new(),
            state: state.into(),
            tenant: Some("acme".into()),
            sentence: "Something.".into(),
            advice: None,
            evidence: Vec::new(),
            held_back: 0,
        });
        self
    }

    pub(super) fn now(&self) -> Now<'_> {
        Now {
            tenant: "acme",
            limits: &self.limits,
            recent: &self.recent,
            events: &self.events,
        }
    }
}
