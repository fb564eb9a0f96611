//! Start-time fair queueing over flows, charged with the time that each turn really took.
//!
//! After Goyal, Vin and Cheng, "Start-time Fair Queuing" (SIGCOMM 1996). A turn's cost is known only
//! after it, which start times allow and finish times do not; and a flow that was idle is served
//! next, where a round robin would let it wait for everybody's quantum first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use slab::Slab;

/// Names a flow (a tenant, as a rule) to its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(u32);

/// Items waiting for a turn, first come first served within their flow; flows share time equally.
///
/// Call [`FairQueue::pop`], do the item's work, then [`FairQueue::charge`] what it took.
#[derive(Debug)]
pub struct FairQueue<T> {
    flows: Slab<Flow<T>>,
    /// Flows with items waiting, but for the one being served: least virtual time first, then
    /// who came first.
    ready: BinaryHeap<Reverse<(VirtualNanos, u64, FlowId)>>,
    arrivals: u64,
    serving: Option<FlowId>,
    /// The virtual time of the flow served last: where a flow that was idle begins.
    virtual_now: VirtualNanos,
    waiting: usize,
}

type VirtualNanos = u64;

#[derive(Debug)]
struct Flow<T> {
    items: VecDeque<T>,
    /// How much it has been served, counted from where it would stand had it never been idle.
    served: VirtualNanos,
}

impl<T> FairQueue<T> {
    /// A queue without flows.
    pub fn new() -> Self {
        Self {
            flows: Slab::new(),
            ready: BinaryHeap::new(),
            arrivals: 0,
            serving: None,
            virtual_now: 0,
            waiting: 0,
        }
    }

    /// A new flow with nothing waiting.
    pub fn add_flow(&mut self) -> FlowId {
        let key = self.flows.insert(Flow {
            items: VecDeque::new(),
            served: 0,
        });
        FlowId(u32::try_from(key).unwrap_or(u32::MAX))
    }

    /// Forgets a flow and hands back what was still waiting in it.
    pub fn remove_flow(&mut self, id: FlowId) -> VecDeque<T> {
        self.charge(Duration::ZERO);
        self.ready.retain(|Reverse((_, _, ready))| *ready != id);
        let flow = self.flows.try_remove(id.0 as usize);
        let items = flow.map(|flow| flow.items).unwrap_or_default();
        self.waiting -= items.len();
        items
    }

    /// Puts an item at the end of its flow. Of a flow that is gone, the item is handed back.
    pub fn push(&mut self, id: FlowId, item: T) -> Result<(), T> {
        let Some(flow) = self.flows.get_mut(id.0 as usize) else {
            return Err(item);
        };
        let was_idle = flow.items.is_empty();
        flow.items.push_back(item);
        self.waiting += 1;
        if was_idle && self.serving != Some(id) {
            // Time spent idle is not saved up; of what it took before, at most the last turn, which
            // was charged after the clock moved on, is still held against it.
            flow.served = flow.served.max(self.virtual_now);
            self.make_ready(id);
        }
        Ok(())
    }

    /// Takes the item whose turn it is.
    pub fn pop(&mut self) -> Option<(FlowId, T)> {
        self.charge(Duration::ZERO);
        let Reverse((served, _, id)) = self.ready.pop()?;
        self.virtual_now = served;
        self.serving = Some(id);
        let item = self.flows.get_mut(id.0 as usize)?.items.pop_front()?;
        self.waiting -= 1;
        Some((id, item))
    }

    /// Ends the turn begun by [`FairQueue::pop`]: its flow is charged the time that it took.
    pub fn charge(&mut self, took: Duration) {
        let Some(id) = self.serving.take() else {
            return;
        };
        let Some(flow) = self.flows.get_mut(id.0 as usize) else {
            return;
        };
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        flow.served = flow.served.saturating_add(nanos);
        if !flow.items.is_empty() {
            self.make_ready(id);
        }
    }

    /// Items waiting, over all flows.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    fn make_ready(&mut self, id: FlowId) {
        if let Some(flow) = self.flows.get(id.0 as usize) {
            self.arrivals += 1;
            self.ready.push(Reverse((flow.served, self.arrivals, id)));
        }
    }
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[path = "fair_queue_test.rs"]
mod fair_queue_test;
