//! Where events come from: the observatory of the same process, or an admin API elsewhere.

use std::sync::Arc;

use base::event::{EventKind, EventState};
use runtime::http::{self, Endpoint, Method};
use status::affairs::ServiceEvent;
use status::civil;

use crate::observe::Observatory;
use crate::observe::event_view::EventView;
use crate::wire::EventPage;

/// Events since it was last asked, the oldest first, or why there are none.
pub(crate) type EventSource = Box<dyn FnMut() -> Result<Vec<ServiceEvent>, String> + Send>;

/// From the observatory of this process.
pub(crate) fn of_observatory(observatory: Arc<Observatory>) -> EventSource {
    let mut since = 0;
    Box::new(move || {
        if observatory.log.last_id() <= since {
            return Ok(Vec::new());
        }
        let events = observatory.log.after(since).map_err(|e| e.to_string())?;
        since = events.iter().map(|event| event.id).fold(since, u64::max);
        Ok(events.iter().filter_map(service_event).collect())
    })
}

/// From an admin API.
pub(crate) fn of_admin(endpoint: Endpoint) -> EventSource {
    let mut since: Option<u64> = None;
    Box::new(move || {
        let path = match since {
            None => "/v1/events".to_owned(),
            Some(since) => format!("/v1/events?since={since}"),
        };
        let answer = http::request(&endpoint, Method::GET, &path, None);
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("the admin API answers {}", answer.status));
        }
        let page: EventPage =
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        // A service that was set up anew counts from the beginning.
        let is_anew = since.is_some_and(|since| page.next < since);
        since = if is_anew { None } else { Some(page.next) };
        Ok(page.events.iter().filter_map(service_event).collect())
    })
}

/// What matters here of an event; none of a kind that this release does not know.
fn service_event(view: &EventView) -> Option<ServiceEvent> {
    let at = civil::parse(&view.at)?;
    Some(ServiceEvent {
        at,
        onset: civil::parse(&view.onset).unwrap_or(at),
        kind: view.event.parse::<EventKind>().ok()?,
        cause: view.cause.clone(),
        state: view.state.parse::<EventState>().ok()?,
        tenant: view.tenant.clone(),
    })
}

#[cfg(test)]
#[path = "events_test.rs"]
mod tests;
