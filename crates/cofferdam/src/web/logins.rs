//! Who asks: sessions by a random name in a cookie, forms that come from pages of ours, and a brake on
//! guessing.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use runtime::Clock;
use runtime::http::same_secret;
use runtime::secrets;

use super::attempts::Brake;
use super::is_foreign;
use super::sessions::{AGE_MAX, Sessions};

/// Letters of a session's name, five bits each.
const ID_LEN: usize = 26;
const KEY_LEN: usize = 52;

/// What browsers keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookie {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    /// Whether it goes over encrypted connections only.
    pub(crate) is_secure: bool,
}

/// The logins of one set of pages; `W` is what is known of whoever is logged in.
#[derive(Debug)]
pub(crate) struct Logins<W> {
    cookie: Cookie,
    clock: Clock,
    /// What forms are signed with.
    key: String,
    sessions: Mutex<Sessions<W>>,
    /// On wrong guesses.
    pub(crate) brake: Brake,
}

/// Somebody who asks: known by his cookie, or about to be given one.
#[derive(Clone, Debug)]
pub(crate) struct Visitor<W> {
    id: String,
    /// Who he is, if he is logged in.
    pub(crate) who: Option<W>,
    /// What his forms must carry.
    pub(crate) form_token: String,
    /// Whether the cookie has yet to be given.
    is_new: bool,
}

impl<W: Clone + PartialEq> Logins<W> {
    /// Nobody is logged in yet.
    pub(crate) fn new(cookie: Cookie, clock: Clock) -> io::Result<Self> {
        Ok(Self {
            cookie,
            clock,
            key: secrets::random_text(KEY_LEN)?,
            sessions: Mutex::default(),
            brake: Brake::new(clock),
        })
    }

    /// Who sends these headers.
    pub(crate) fn visitor(&self, headers: &HeaderMap) -> Visitor<W> {
        match cookie_of(headers, self.cookie.name) {
            Some(id) => {
                let who = self.sessions().find(self.clock.now(), id);
                self.visitor_named(id.to_owned(), who, false)
            }
            // Without randomness there is no form that is accepted.
            None => {
                let id = secrets::random_text(ID_LEN).unwrap_or_default();
                self.visitor_named(id, None, true)
            }
        }
    }

    /// Logs somebody in, under a new name: one that he was given before is worth nothing.
    pub(crate) fn log_in(&self, who: W) -> io::Result<Visitor<W>> {
        let id = secrets::random_text(ID_LEN)?;
        self.sessions()
            .begin(self.clock.now(), id.clone(), who.clone());
        Ok(self.visitor_named(id, Some(who), true))
    }

    /// Ends a login.
    pub(crate) fn log_out(&self, visitor: &Visitor<W>) {
        self.sessions().end(&visitor.id);
    }

    /// Whether a form comes from a page that we gave to this visitor.
    pub(crate) fn is_ours(&self, visitor: &Visitor<W>, headers: &HeaderMap, token: &str) -> bool {
        !visitor.is_new && !is_foreign(headers) && visitor.owns_form(token)
    }

    /// The response with the visitor's cookie, if he has none yet.
    pub(crate) fn with_cookie(&self, visitor: &Visitor<W>, response: Response) -> Response {
        match visitor.is_new {
            true => self.set_cookie(response, &visitor.id, AGE_MAX),
            false => response,
        }
    }

    /// The response after which a browser has no cookie of ours.
    pub(crate) fn without_cookie(&self, response: Response) -> Response {
        self.set_cookie(response, "", Duration::ZERO)
    }

    fn set_cookie(&self, mut response: Response, id: &str, age: Duration) -> Response {
        let Cookie {
            name,
            path,
            is_secure,
        } = self.cookie;
        let secure = if is_secure { "; Secure" } else { "" };
        let age_s = age.as_secs();
        let text =
            format!("{name}={id}; Path={path}; HttpOnly; SameSite=Strict; Max-Age={age_s}{secure}");
        // Letters and digits of ours.
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        response
    }

    fn visitor_named(&self, id: String, who: Option<W>, is_new: bool) -> Visitor<W> {
        Visitor {
            form_token: secrets::hex(&secrets::sign(self.key.as_bytes(), id.as_bytes())),
            id,
            who,
            is_new,
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions<W>> {
        // Nothing in it is left half changed by a panic.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Visitor<W> {
    /// Whether a form is his own and not one that a stranger's page sends in his name.
    pub(crate) fn owns_form(&self, token: &str) -> bool {
        !self.id.is_empty() && same_secret(token.as_bytes(), self.form_token.as_bytes())
    }
}

/// The value of the cookie `name` (RFC 6265, section 5.4), if it is one of ours.
fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let is_id =
        |id: &&str| id.len() == ID_LEN && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut values = pairs.filter_map(|pair| {
        let (own, value) = pair.trim().split_once('=')?;
        (own == name).then_some(value).filter(is_id)
    });
    values.next()
}

#[cfg(test)]
#[path = "logins_test.rs"]
mod tests;
