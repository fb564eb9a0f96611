//! Logging in, in each of the three dialects.

use super::plan::{AuthDialect, Login};
use super::wire;

/// The first bytes of a connection that belongs to this login.
pub(crate) fn request(login: &Login, dialect: AuthDialect) -> Vec<u8> {
    let Login { username, password } = login;
    let mut out = Vec::new();
    match dialect {
        AuthDialect::Sasl => wire::sasl_plain(username, password, &mut out),
        AuthDialect::MemcachedY => {
            let body = format!("{username} {password}");
            out.extend_from_slice(format!("set auth 0 0 {}\r\n{body}\r\n", body.len()).as_bytes());
        }
        AuthDialect::KeyIsUser => {
            let len = password.len();
            out.extend_from_slice(format!("set {username} 0 0 {len}\r\n{password}\r\n").as_bytes());
        }
    }
    out
}

/// Reads the reply: `None` until it is whole, then how many bytes it took, or the server's words if
/// it refused.
pub(crate) fn verdict(input: &[u8], dialect: AuthDialect) -> Option<Result<usize, String>> {
    if dialect == AuthDialect::Sasl {
        let (consumed, verdict) = wire::sasl_verdict(input)?;
        return Some(verdict.map(|()| consumed).map_err(words));
    }
    let (line, consumed) = wire::line(input)?;
    Some(if line == b"STORED" {
        Ok(consumed)
    } else {
        Err(words(line))
    })
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[path = "login_test.rs"]
mod tests;
