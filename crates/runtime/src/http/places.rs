//! The places of a server's connections: whoever only holds one gives it up to whoever asks.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;

/// What a connection is at; the less, the sooner it gives way.
const WAITS: u8 = 0;
const SENDS: u8 = 1;
const WORKS: u8 = 2;

/// One connection's place.
#[derive(Debug, Default)]
pub(super) struct Place {
    at: AtomicU8,
    is_needed: Notify,
}

impl Place {
    /// A request of it is worked on from now on.
    pub(super) fn work(&self) {
        self.at.store(WORKS, Ordering::Release);
    }

    /// The answer of it is on its way, until the body is over.
    pub(super) fn send(self: &Arc<Self>, body: Body) -> Body {
        self.at.store(SENDS, Ordering::Release);
        Body::new(Sent {
            body,
            place: Arc::clone(self),
        })
    }

    /// Until another needs the place.
    pub(super) async fn needed(&self) {
        self.is_needed.notified().await;
    }

    fn is_at(&self, state: u8) -> bool {
        self.at.load(Ordering::Acquire) == state
    }
}

/// All places of one listener.
#[derive(Debug)]
pub(super) struct Places {
    max: usize,
    /// The longest taken first.
    taken: Mutex<VecDeque<Arc<Place>>>,
}

impl Places {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            taken: Mutex::default(),
        }
    }

    /// A place: if need be that of the connection that waits for a request the longest, or else of the
    /// one that is sent an answer the longest; none if requests of all are worked on.
    pub(super) fn take(&self) -> Option<Arc<Place>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= self.max {
            let first = |state| taken.iter().position(|place| place.is_at(state));
            let at = first(WAITS).or_else(|| first(SENDS))?;
            taken.remove(at)?.is_needed.notify_one();
        }
        let place = Arc::new(Place::default());
        taken.push_back(Arc::clone(&place));
        Some(place)
    }

    fn give_back(&self, place: &Arc<Place>) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|other| !Arc::ptr_eq(other, place));
    }
}

/// Holds a place until it is dropped, however the connection ends; a panic would else keep the place.
#[derive(Debug)]
pub(super) struct Holder {
    places: Arc<Places>,
    place: Arc<Place>,
}

impl Holder {
    /// Of a place of these.
    pub(super) fn new(places: &Arc<Places>, place: &Arc<Place>) -> Self {
        Self {
            places: Arc::clone(places),
            place: Arc::clone(place),
        }
    }

    /// The place.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.places.give_back(&self.place);
    }
}

/// An answer's body, at whose end its connection waits again.
struct Sent {
    body: Body,
    place: Arc<Place>,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let at = &self.place.at;
        // Unless the next request is worked on already.
        let _ = at.compare_exchange(SENDS, WAITS, Ordering::AcqRel, Ordering::Acquire);
    }
}

#[cfg(test)]
#[path = "places_test.rs"]
mod tests;
