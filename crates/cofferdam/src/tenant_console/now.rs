//! A tenant's last seconds, and what it may have: what all of its pages are made from.

use std::sync::Arc;

use base::TrafficLimits;

use crate::observe::event_view::EventView;
use crate::observe::history::{Frame, TenantFrame};

/// Seconds that figures are the mean of, so that they can be read.
const SMOOTH: usize = 5;

/// One tenant as it is now.
pub(super) struct Now<'a> {
    pub(super) tenant: &'a str,
    pub(super) limits: &'a TrafficLimits,
    /// The last seconds of the service, the oldest first.
    pub(super) recent: &'a [Arc<Frame>],
    /// The events that concern it, the oldest first.
    pub(super) events: &'a [EventView],
}

impl Now<'_> {
    /// The seconds in which anything is known of it.
    fn own(&self) -> impl DoubleEndedIterator<Item = &TenantFrame> {
        let frames = self.recent.iter();
        frames.filter_map(|frame| frame.tenant(self.tenant))
    }

    /// Of the newest second, NaN if it is not known.
    pub(super) fn last(&self, figure: &str) -> f32 {
        let newest = self.own().next_back();
        newest.map_or(f32::NAN, |frame| frame.get(figure))
    }

    /// The mean of the last five seconds, NaN if nothing is known of them.
    pub(super) fn mean(&self, figure: &str) -> f32 {
        let last = self.own().rev().take(SMOOTH);
        let known = last
            .map(|frame| frame.get(figure))
            .filter(|value| value.is_finite());
        let (count, sum) = known.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        sum / count
    }

    /// The mean of two minutes.
    pub(super) fn long_mean(&self, figure: &str) -> f32 {
        let known = self.own().map(|frame| frame.get(figure));
        let known = known.filter(|value| value.is_finite());
        let (count, sum) = known.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
        sum / count
    }

    /// Requests a second, refused ones among them.
    pub(super) fn requests(&self) -> f32 {
        self.mean("reads") + self.mean("writes") + self.mean("refused")
    }

    /// The share of reads that found something, over two minutes.
    pub(super) fn hit_ratio(&self) -> f32 {
        let (hits, misses) = (self.long_mean("hits"), self.long_mean("misses"));
        hits / (hits + misses)
    }

    /// A figure's last minute, the oldest first; what is not known is NaN.
    pub(super) fn minute(&self, value: impl Fn(&TenantFrame) -> f32) -> Vec<f32> {
        let first = self.recent.len().saturating_sub(60);
        let last = self.recent.iter().skip(first);
        let own = last.map(|frame| frame.tenant(self.tenant));
        own.map(|own| own.map_or(f32::NAN, &value)).collect()
    }

    /// Whether something of this kind goes on.
    pub(super) fn goes_on(&self, kind: &str) -> bool {
        let mut of_kind = self.events.iter().filter(|event| event.event == kind);
        of_kind
            .next_back()
            .is_some_and(|event| event.state != "ended")
    }
}
