//! What surrounds the content of every page: its title, its age, its links.

use base::Timestamp;

use crate::civil::{moment, rfc3339};

/// What surrounds a page's content.
#[derive(Clone, Debug)]
pub struct Chrome {
    pub(crate) title: String,
    pub(crate) site: String,
    pub(crate) root: &'static str,
    pub(crate) index: &'static str,
    pub(crate) suffix: &'static str,
    pub(crate) as_of: String,
    pub(crate) as_of_iso: String,
    pub(crate) as_of_ms: u64,
    pub(crate) live: bool,
    pub(crate) is_static: bool,
    pub(crate) signed_in: String,
}

/// Where a page is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// From the server itself; by whom, if a tenant is logged in.
    Live(Option<String>),
    /// From files, so many folders deep.
    Files {
        /// Folders above the page, 0 or 1.
        depth: u8,
    },
}

impl Chrome {
    /// For a page of `site` with a title of its own, or with none for the first.
    pub fn new(site: &str, now: Timestamp, title: Option<&str>, place: &Place) -> Self {
        let (root, is_static) = match place {
            Place::Live(_) => ("/", false),
            Place::Files { depth: 0 } => ("./", true),
            Place::Files { .. } => ("../", true),
        };
        let signed_in = match place {
            Place::Live(Some(tenant)) => tenant.clone(),
            _ => String::new(),
        };
        Self {
            title: title.map_or(site.to_owned(), |title| format!("{title} · {site}")),
            site: site.to_owned(),
            root,
            index: if is_static { "index.html" } else { "" },
            suffix: if is_static { ".html" } else { "" },
            as_of: moment(now),
            as_of_iso: rfc3339(now),
            as_of_ms: now.as_nanos() / 1_000_000,
            live: !is_static,
            is_static,
            signed_in,
        }
    }

    /// The same page for one that is not to be renewed under its reader's hands.
    pub fn still(mut self) -> Self {
        self.live = false;
        self.as_of_ms = u64::MAX >> 12;
        self
    }
}
