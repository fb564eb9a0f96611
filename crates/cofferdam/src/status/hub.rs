//! The board that all parts of the page share, and the clock that they read it by.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::Timestamp;
use runtime::Clock;
use status::board::{Board, Kept, Rules};
use status::component::Component;
use status::subscribers::{Subscriber, Subscribers};
use status::view::{Site, View};

use super::settings::Settings;

/// How long a page that was rendered is given to all who ask.
const FRESH: Duration = Duration::from_secs(1);
/// Pages that are kept rendered.
const PAGES_MAX: usize = 64;

/// Everything that is shared.
pub(super) struct Hub {
    board: Mutex<Board>,
    /// Locked after the board where both are.
    subscribers: Mutex<Subscribers>,
    pub(super) site: Site,
    clock: Clock,
    /// Whether the service has told of itself of late.
    hears_events: AtomicBool,
    pages: Mutex<HashMap<String, (Timestamp, Arc<str>)>>,
}

/// What was kept, and since when there is a page.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) kept: Kept,
    pub(super) since: Timestamp,
    pub(super) subscribers: Vec<Subscriber>,
}

impl Hub {
    pub(super) fn new(settings: &Settings, past: Past, clock: Clock) -> Self {
        let rules = Rules {
            standard: settings.standard,
            bar: settings.bar,
        };
        let gateways = settings.gateways.iter().enumerate();
        let components = gateways
            .flat_map(|(at, one)| Component::of_gateway(&key_of(at), &one.name))
            .collect();
        Self {
            board: Mutex::new(Board::new(&rules, components, past.kept, clock.now())),
            subscribers: Mutex::new(Subscribers::new(past.subscribers)),
            site: Site {
                name: settings.name.clone(),
                url: settings.url.clone(),
                since: past.since,
            },
            clock,
            hears_events: AtomicBool::new(false),
            pages: Mutex::default(),
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        // A probe that was taken in by half is put right by the next.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        // Nothing in it is left half changed by a panic.
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What `make` makes of the board now.
    pub(super) fn show<T>(&self, make: impl FnOnce(&View<'_>) -> T) -> T {
        let board = self.board();
        make(&View::of(&board, &self.site, self.now()))
    }

    /// The same for texts that all readers share, made at most once a second.
    pub(super) fn shared(
        &self,
        name: &str,
        make: impl FnOnce(&View<'_>) -> Option<String>,
    ) -> Option<Arc<str>> {
        let now = self.now();
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, text)) = pages.get(name)
            && now.since(*made) < FRESH
        {
            return Some(Arc::clone(text));
        }
        let text: Arc<str> = self.show(make)?.into();
        if pages.len() >= PAGES_MAX {
            pages.clear();
        }
        pages.insert(name.to_owned(), (now, Arc::clone(&text)));
        Some(text)
    }

    /// Has the next reader see what has just changed.
    pub(super) fn forget_pages(&self) {
        self.pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(super) fn set_hears_events(&self, hears: bool) {
        self.hears_events.store(hears, Ordering::Relaxed);
    }

    pub(super) fn hears_events(&self) -> bool {
        self.hears_events.load(Ordering::Relaxed)
    }
}

/// The key of the gateway at `index`: its place, which says nothing of where it is.
pub(super) fn key_of(index: usize) -> String {
    format!("g{}", index + 1)
}
