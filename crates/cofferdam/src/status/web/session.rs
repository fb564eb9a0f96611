//! Who asks: sessions by cookie, forms that come from pages of ours, and a brake on guessing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base::Timestamp;
use runtime::http::same_secret;
use runtime::secrets;

use super::{Web, text_of};

/// The cookie's name.
const COOKIE: &str = "cofferdam_status";
const ID_LEN: usize = 26;
/// How long a login lasts.
const LASTS: Duration = Duration::from_secs(12 * 3_600);
const SESSIONS_MAX: usize = 10_000;

/// What each wrong guess costs its source, and how much of that it may owe.
const PENALTY: Duration = Duration::from_secs(10);
const DEBT_MAX: Duration = Duration::from_secs(41);
const SOURCES_MAX: usize = 10_000;

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// A tenant, by name.
    Tenant(String),
    /// One who runs the service.
    Operator,
}

/// Logins by the name that their cookie holds.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<String, (Who, Timestamp)>);

impl Sessions {
    fn begin(&mut self, now: Timestamp, id: String, who: Who) {
        self.0.retain(|_, (_, ends)| *ends > now);
        if self.0.len() >= SESSIONS_MAX {
            let first = self.0.iter().min_by_key(|(_, (_, ends))| *ends);
            if let Some(id) = first.map(|(id, _)| id.clone()) {
                self.0.remove(&id);
            }
        }
        self.0.insert(id, (who, now + LASTS));
    }

    fn find(&self, now: Timestamp, id: &str) -> Option<Who> {
        let (who, ends) = self.0.get(id)?;
        (*ends > now).then(|| who.clone())
    }
}

/// Wrong guesses by source: five at once, then one each ten seconds.
#[derive(Debug, Default)]
pub(super) struct Attempts(HashMap<IpAddr, Timestamp>);

impl Attempts {
    /// Whether `source` may try.
    pub(super) fn may_try(&self, now: Timestamp, source: IpAddr) -> bool {
        let paid = self.0.get(&network(source)).copied().unwrap_or(now);
        paid.since(now) < DEBT_MAX
    }

    /// Counts a wrong guess.
    pub(super) fn failed(&mut self, now: Timestamp, source: IpAddr) {
        if self.0.len() >= SOURCES_MAX {
            self.0.retain(|_, paid| *paid > now);
            if self.0.len() >= SOURCES_MAX {
                self.0.clear();
            }
        }
        let paid = self.0.entry(network(source)).or_insert(now);
        *paid = (*paid).max(now) + PENALTY;
    }
}

/// An IPv6 host has a whole network to guess from.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(addr) => IpAddr::V6((u128::from(addr) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// Somebody who asks: known by his cookie, or about to be given one.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) id: String,
    pub(super) who: Option<Who>,
    /// Whether the cookie has yet to be given.
    is_new: bool,
}

impl Web {
    /// Who sends these headers.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Visitor {
        let now = self.hub.now();
        if let Some(id) = cookie(headers) {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            return Visitor {
                who: sessions.find(now, id),
                id: id.to_owned(),
                is_new: false,
            };
        }
        Visitor {
            // Without randomness there is no form that is accepted.
            id: secrets::random_text(ID_LEN).unwrap_or_default(),
            who: None,
            is_new: true,
        }
    }

    /// Logs a visitor in, under a new name: one that somebody gave him before is worth nothing.
    pub(super) fn log_in(&self, who: Who) -> Option<Visitor> {
        let id = secrets::random_text(ID_LEN).ok()?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.begin(self.hub.now(), id.clone(), who.clone());
        Some(Visitor {
            id,
            who: Some(who),
            is_new: true,
        })
    }

    /// Ends a login.
    pub(super) fn log_out(&self, visitor: &Visitor) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.0.remove(&visitor.id);
    }

    /// What a form must carry to be this visitor's.
    pub(super) fn csrf(&self, visitor: &Visitor) -> String {
        secrets::hex(&secrets::sign(self.key.as_bytes(), visitor.id.as_bytes()))
    }

    /// Whether a form comes from a page that we gave to this visitor.
    pub(super) fn is_ours(&self, visitor: &Visitor, headers: &HeaderMap, csrf: &str) -> bool {
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_same_site = site.is_none_or(|site| matches!(site, b"same-origin" | b"none"));
        let origin = text_of(headers, &header::ORIGIN);
        let host = text_of(headers, &header::HOST);
        let is_same_origin = match origin.split_once("://") {
            Some((_, from)) => from.eq_ignore_ascii_case(host),
            None => origin.is_empty(),
        };
        let is_signed = same_secret(csrf.as_bytes(), self.csrf(visitor).as_bytes());
        !visitor.is_new && !visitor.id.is_empty() && is_same_site && is_same_origin && is_signed
    }

    /// The response with the visitor's cookie, if he has none yet.
    pub(super) fn with_cookie(&self, visitor: &Visitor, mut response: Response) -> Response {
        if !visitor.is_new {
            return response;
        }
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!(
            "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict{secure}",
            visitor.id
        );
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        response
    }
}

/// The name that a cookie of ours holds.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter();
    let mut pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    let is_id =
        |id: &&str| id.len() == ID_LEN && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    pairs.find_map(|pair| {
        let (name, id) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(id).filter(is_id)
    })
}

#[cfg(test)]
#[path = "session_test.rs"]
mod tests;
