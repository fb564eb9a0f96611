//! Sends what is to be told: one message of each hook at a time, all hooks side by side.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use base::Timestamp;
use runtime::webhook::{Answer, Message, Sender};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::outbox::{Cursors, Outbox};
use super::{Audience, Hook};
use crate::observe::Observatory;
use crate::observe::event_view::EventView;
use crate::plane::DataPlane;

/// How often it is looked whether there is something to tell.
pub(super) const TICK: Duration = Duration::from_millis(250);
/// How long messages under way are waited for at each look.
const SLICE: Duration = Duration::from_millis(250);
/// Whoever is further behind than this is told no more of the past.
const BACKLOG_MAX: u64 = 10_000;

/// What came of a message.
struct Outcome {
    key: String,
    id: u64,
    answer: Result<Answer, String>,
}

/// All hooks and where they stand.
pub(super) struct Driver {
    runtime: Runtime,
    sender: Sender,
    under_way: JoinSet<Outcome>,
    outboxes: BTreeMap<String, Outbox>,
    cursors: Cursors,
}

impl Driver {
    pub(super) fn new(sender: Sender, cursors: Cursors) -> io::Result<Self> {
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(2)
                .build()?,
            sender,
            under_way: JoinSet::new(),
            outboxes: BTreeMap::new(),
            cursors,
        })
    }

    /// Begins what is due, and takes in what has ended.
    pub(super) fn tick(
        &mut self,
        now: Timestamp,
        hooks: &[Hook],
        observatory: &Observatory,
        plane: &dyn DataPlane,
    ) {
        let newest = observatory.log.last_id();
        self.outboxes
            .retain(|key, _| hooks.iter().any(|hook| hook.key == *key));
        for hook in hooks {
            let told = self.cursors.of(&hook.key, newest);
            let outbox = self.outboxes.entry(hook.key.clone());
            let outbox = outbox.or_insert_with(|| Outbox::at(told));
            outbox.told = outbox.told.max(newest.saturating_sub(BACKLOG_MAX));
        }
        let furthest = self.outboxes.values().map(|outbox| outbox.told).min();
        if let Some(told) = furthest.filter(|told| *told < newest) {
            match observatory.log.after(told) {
                Ok(events) => self.begin(now, hooks, &events, plane),
                Err(error) => tracing::warn!(%error, "webhooks: events cannot be read"),
            }
        }
        self.wait(now);
        let told = self.outboxes.iter();
        let told = told.map(|(key, outbox)| (key.clone(), outbox.told));
        self.cursors.keep(told.collect());
    }

    fn begin(
        &mut self,
        now: Timestamp,
        hooks: &[Hook],
        events: &[EventView],
        plane: &dyn DataPlane,
    ) {
        let directory = plane.directory();
        for hook in hooks {
            let tenant = match &hook.audience {
                Audience::Operators(_) => None,
                Audience::Tenant(id) => directory.tenant(*id),
            };
            let tenant = tenant.map(|tenant| &*tenant.name);
            let Some(outbox) = self.outboxes.get_mut(&hook.key) else {
                continue;
            };
            let Some(event) = outbox.next(now, events, &hook.audience, tenant) else {
                continue;
            };
            outbox.is_busy = true;
            let message = Message {
                id: format!("event-{}", event.id),
                body: body(event, &hook.audience),
                secret: hook.secret.clone(),
            };
            let (key, id) = (hook.key.clone(), event.id);
            let (sender, target) = (self.sender.clone(), hook.target.clone());
            let _entered = self.runtime.enter();
            self.under_way.spawn(async move {
                let answer = sender.post(now, &target, &message).await;
                Outcome { key, id, answer }
            });
        }
    }

    /// Lets messages go on for a moment.
    fn wait(&mut self, now: Timestamp) {
        if self.under_way.is_empty() {
            return;
        }
        let under_way = &mut self.under_way;
        let mut ended = Vec::new();
        self.runtime.block_on(async {
            let joined = async {
                while let Some(outcome) = under_way.join_next().await {
                    ended.extend(outcome);
                }
            };
            // What is not over by then goes on at the next look.
            let _ = tokio::time::timeout(SLICE, joined).await;
        });
        for outcome in ended {
            self.take(now, outcome);
        }
    }

    fn take(&mut self, now: Timestamp, outcome: Outcome) {
        let Outcome { key, id, answer } = outcome;
        let Some(outbox) = self.outboxes.get_mut(&key) else {
            return;
        };
        let why = match answer {
            Ok(answer) if answer.is_taken() => return outbox.done(id),
            Ok(answer) => format!("it answers {}", answer.status),
            Err(why) => why,
        };
        // Of a message that is tried for a day the log tells once.
        let is_first = outbox.backoff == super::Backoff::default();
        let is_tried_again = outbox.failed(now, id);
        if is_first || !is_tried_again {
            tracing::warn!(hook = key, event = id, why, is_tried_again, "webhook");
        }
    }
}

/// What is sent of an event.
fn body(event: &EventView, audience: &Audience) -> Vec<u8> {
    let mut event = event.clone();
    if matches!(audience, Audience::Tenant(_)) {
        // It is in an operator's words.
        event.advice = None;
    }
    let message = json!({ "type": "event", "event": event });
    message.to_string().into_bytes()
}
