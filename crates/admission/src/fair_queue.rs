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

/// Items waiting for a turn, first come first served within their flow; flows share time by weight.
///
/// Call [`FairQueue::pop`], do the item's work, then [`FairQueue::charge`] what it took. A flow that
/// is [held](FairQueue::hold) keeps its items and takes new ones, but is passed over.
#[derive(Debug)]
pub struct FairQueue<T> {
    flows: Slab<Flow<T>>,
    /// Flows whose turn may come, but for the one being served: least virtual time first, then who
    /// came first. An entry that is not its flow's any more is passed over.
    ready: BinaryHeap<Reverse<(VirtualNanos, EntryNumber, FlowId)>>,
    /// How many of those entries stand.
    ready_count: usize,
    entries_total: EntryNumber,
    serving: Option<FlowId>,
    /// The virtual time of the flow served last: where a flow that was idle begins.
    virtual_now: VirtualNanos,
    waiting: usize,
}

/// Room for so many items is kept by each flow in any case.
const ROOM_KEPT: usize = 64;

type VirtualNanos = u64;
type EntryNumber = u64;

#[derive(Debug)]
struct Flow<T> {
    items: VecDeque<T>,
    /// How much it has been served by its weight, counted from where it would stand had it never
    /// been idle.
    served: VirtualNanos,
    weight: u32,
    held: bool,
    /// Its entry among those ready.
    entry: Option<EntryNumber>,
}

impl<T> Flow<T> {
    /// What a time costs a flow of this weight.
    fn cost(&self, took: Duration) -> VirtualNanos {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        match self.weight {
            FairQueue::<T>::WEIGHT_DEFAULT => nanos,
            weight => {
                nanos.saturating_mul(u64::from(FairQueue::<T>::WEIGHT_DEFAULT)) / u64::from(weight)
            }
        }
    }
}

impl<T> FairQueue<T> {
    /// The weight of a flow that was given none.
    pub const WEIGHT_DEFAULT: u32 = 100;

    /// A queue without flows.
    pub fn new() -> Self {
        Self {
            flows: Slab::new(),
            ready: BinaryHeap::new(),
            ready_count: 0,
            entries_total: 0,
            serving: None,
            virtual_now: 0,
            waiting: 0,
        }
    }

    /// A new flow with nothing waiting and the default weight.
    pub fn add_flow(&mut self) -> FlowId {
        let key = self.flows.insert(Flow {
            items: VecDeque::new(),
            served: 0,
            weight: Self::WEIGHT_DEFAULT,
            held: false,
            entry: None,
        });
        FlowId(u32::try_from(key).unwrap_or(u32::MAX))
    }

    /// Forgets a flow and hands back what was still waiting in it.
    pub fn remove_flow(&mut self, id: FlowId) -> VecDeque<T> {
        self.charge(Duration::ZERO);
        let Some(flow) = self.flows.try_remove(id.0 as usize) else {
            return VecDeque::new();
        };
        self.ready_count -= usize::from(flow.entry.is_some());
        self.waiting -= flow.items.len();
        flow.items
    }

    /// Gives back half of the room of each flow that needs less than a quarter of what it has: to be
    /// called now and then. A crowd that waited once would else keep it for ever.
    pub fn give_back(&mut self) {
        for (_, flow) in &mut self.flows {
            let room = flow.items.capacity();
            if room > ROOM_KEPT && flow.items.len() < room / 4 {
                flow.items.shrink_to(room / 2);
            }
        }
    }

    /// Sets what a flow gets beside the others, from its next turn on: 200 is twice as much as 100.
    /// 0 counts as 1.
    pub fn set_weight(&mut self, id: FlowId, weight: u32) {
        if let Some(flow) = self.flows.get_mut(id.0 as usize) {
            flow.weight = weight.max(1);
        }
    }

    /// Puts an item at the end of its flow. Of a flow that is gone, the item is handed back.
    pub fn push(&mut self, id: FlowId, item: T) -> Result<(), T> {
        let Some(flow) = self.flows.get_mut(id.0 as usize) else {
            return Err(item);
        };
        flow.items.push_back(item);
        self.waiting += 1;
        self.make_ready(id);
        Ok(())
    }

    /// Puts an item at the front of its flow. Of a flow that is gone, the item is handed back.
    pub fn push_front(&mut self, id: FlowId, item: T) -> Result<(), T> {
        let Some(flow) = self.flows.get_mut(id.0 as usize) else {
            return Err(item);
        };
        flow.items.push_front(item);
        self.waiting += 1;
        self.make_ready(id);
        Ok(())
    }

    /// Takes the item whose turn it is.
    pub fn pop(&mut self) -> Option<(FlowId, T)> {
        self.charge(Duration::ZERO);
        while let Some(Reverse((served, entry, id))) = self.ready.pop() {
            let Some(flow) = self.flows.get_mut(id.0 as usize) else {
                continue;
            };
            if flow.entry != Some(entry) {
                continue;
            }
            flow.entry = None;
            self.ready_count -= 1;
            self.virtual_now = served;
            let Some(item) = flow.items.pop_front() else {
                continue;
            };
            self.waiting -= 1;
            self.serving = Some(id);
            return Some((id, item));
        }
        None
    }

    /// Ends the turn begun by [`FairQueue::pop`]: its flow is charged the time that it took.
    pub fn charge(&mut self, took: Duration) {
        let Some(id) = self.serving.take() else {
            return;
        };
        let Some(flow) = self.flows.get_mut(id.0 as usize) else {
            return;
        };
        flow.served = flow.served.saturating_add(flow.cost(took));
        self.enter(id);
    }

    /// Puts right what was [charged](Self::charge) for turns before they were over, once it is known
    /// what they took.
    pub fn correct(&mut self, id: FlowId, charged: Duration, took: Duration) {
        let Some(flow) = self.flows.get_mut(id.0 as usize) else {
            return;
        };
        let before = flow.served.saturating_sub(flow.cost(charged));
        flow.served = before.saturating_add(flow.cost(took));
        if flow.entry.take().is_some() {
            self.ready_count -= 1;
            self.enter(id);
        }
    }

    /// Takes back a turn that was not used: the item stands at the front of its flow again.
    pub fn put_back(&mut self, item: T) {
        let Some(id) = self.serving else {
            return;
        };
        if let Some(flow) = self.flows.get_mut(id.0 as usize) {
            flow.items.push_front(item);
            self.waiting += 1;
        }
        self.charge(Duration::ZERO);
    }

    /// Lets a flow's turns pass until it is [released](Self::release).
    pub fn hold(&mut self, id: FlowId) {
        if let Some(flow) = self.flows.get_mut(id.0 as usize) {
            flow.held = true;
            self.ready_count -= usize::from(flow.entry.take().is_some());
        }
    }

    /// Ends a hold. The time of it is not saved up.
    pub fn release(&mut self, id: FlowId) {
        if let Some(flow) = self.flows.get_mut(id.0 as usize) {
            flow.held = false;
            self.make_ready(id);
        }
    }

    /// What waits in a flow, in the order of its turns.
    pub fn items(&self, id: FlowId) -> impl Iterator<Item = &T> {
        let flow = self.flows.get(id.0 as usize);
        flow.into_iter().flat_map(|flow| flow.items.iter())
    }

    /// Lets the item at this place in its flow have the flow's next turn.
    pub fn bring_to_front(&mut self, id: FlowId, place: usize) {
        if let Some(flow) = self.flows.get_mut(id.0 as usize)
            && place > 0
            && let Some(item) = flow.items.remove(place)
        {
            flow.items.push_front(item);
        }
    }

    /// Items waiting, over all flows, held ones too.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether nothing waits, in held flows either.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Whether [`pop`](Self::pop) would give an item.
    pub fn has_ready(&self) -> bool {
        self.ready_count > 0
    }

    /// Lets a flow take part from now on, unless it does, is held, or has its turn.
    fn make_ready(&mut self, id: FlowId) {
        let virtual_now = self.virtual_now;
        if let Some(flow) = self.flows.get_mut(id.0 as usize)
            && flow.entry.is_none()
            && self.serving != Some(id)
        {
            // Time spent idle is not saved up; of what it took before, at most the last turn, which
            // was charged after the clock moved on, is still held against it.
            flow.served = flow.served.max(virtual_now);
            self.enter(id);
        }
    }

    fn enter(&mut self, id: FlowId) {
        if let Some(flow) = self.flows.get_mut(id.0 as usize)
            && !flow.held
            && !flow.items.is_empty()
        {
            self.entries_total += 1;
            flow.entry = Some(self.entries_total);
            self.ready_count += 1;
            self.ready
                .push(Reverse((flow.served, self.entries_total, id)));
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
