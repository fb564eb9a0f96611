//! Who may ask the admin API over TCP: a bearer token, and a `Host` that no foreign name gets past.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

/// The rules for requests over TCP; the Unix socket is guarded by its file mode instead.
#[derive(Clone, Debug)]
pub struct Guard {
    /// What `Authorization: Bearer` must carry.
    pub token: String,
    /// Names besides `localhost` and plain addresses under which the server may be asked.
    pub hosts: Vec<String>,
    /// Paths that need no token; one that ends in `/*` stands for all below it, which then ask for a
    /// proof of their own.
    pub open_paths: &'static [&'static str],
}

impl Guard {
    /// Why these headers do not open `path`, if they don't.
    fn refusal(&self, path: &str, headers: &HeaderMap) -> Option<(StatusCode, String)> {
        let host = headers
            .get(header::HOST)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        if !knows_host(host, &self.hosts) {
            let error = format!(
                "unknown host {host:?}: ask by address, or add the name to admin.hosts in the configuration"
            );
            return Some((StatusCode::MISDIRECTED_REQUEST, error));
        }
        if self.is_open(path) || self.has_token(headers) {
            return None;
        }
        let error = match headers.contains_key(header::AUTHORIZATION) {
            true => {
                "the token is wrong: it is what stands in admin.token of the server's data directory"
            }
            false => {
                "a token is needed: send `Authorization: Bearer TOKEN` with what is in admin.token \
                 of the data directory"
            }
        };
        Some((StatusCode::UNAUTHORIZED, error.to_owned()))
    }

    fn is_open(&self, path: &str) -> bool {
        self.open_paths
            .iter()
            .any(|open| match open.strip_suffix('*') {
                Some(folder) => path.starts_with(folder),
                None => path == *open,
            })
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::AUTHORIZATION)
            .map(|value| value.as_bytes())
            .and_then(|value| value.strip_prefix(b"Bearer "))
            .is_some_and(|given| same_secret(given, self.token.as_bytes()))
    }
}

/// Whether two secrets are the same, in a time that tells nothing of where they differ.
pub fn same_secret(given: &[u8], secret: &[u8]) -> bool {
    given.ct_eq(secret).into()
}

/// Whether `host` is a plain address, `localhost` or one of `names`. A page of a stranger reaches a
/// local port only under the stranger's own name (DNS rebinding), so these are safe.
pub(super) fn knows_host(host: &str, names: &[String]) -> bool {
    let name = without_port(host);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Lets a request through, or answers it with the reason.
pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.refusal(request.uri().path(), request.headers()) {
        None => next.run(request).await,
        Some((status, error)) => {
            let mut response = (status, Json(ErrorBody { error })).into_response();
            if status == StatusCode::UNAUTHORIZED {
                let scheme = header::HeaderValue::from_static("Bearer");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, scheme);
            }
            response
        }
    }
}

#[derive(serde::Serialize)]
struct ErrorBody {
    error: String,
}

/// `host`, `host:port`, `[v6]` and `[v6]:port` without brackets and port.
fn without_port(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(address, _)| address);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
#[path = "guard_test.rs"]
mod tests;
