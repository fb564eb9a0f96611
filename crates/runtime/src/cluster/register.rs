//! What the authority keeps: tokens that were not used yet, and whom it has given certificates.

use std::time::Duration;

use base::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::subject::Role;
use super::token::digest_of;

/// For how long it is still said of a token that its time is over.
const EXPIRED_KEPT_S: u64 = 7 * 24 * 3600;

/// Who has, or may have, a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The fleet's name.
    pub fleet: String,
    /// Where members find the authority, `HOST:PORT`.
    pub address: String,
    /// Base URLs of the fleet's store, which members are told.
    pub endpoints: Vec<String>,
    /// How long a certificate is good for.
    pub lifetime_s: u64,
    /// Tokens that nobody has used.
    pub tokens: Vec<Token>,
    /// Members, by name.
    pub members: Vec<Member>,
}

/// A token that nobody has used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its public half.
    pub id: String,
    digest: String,
    /// What whoever uses it becomes.
    pub role: Role,
    /// And as whom, if that is fixed.
    pub name: Option<String>,
    /// Until when it may be used.
    pub until_unix_s: u64,
}

/// Who was given a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// As whom.
    pub name: String,
    /// For what.
    pub role: Role,
    /// Until when the last one is good.
    pub until_unix_s: u64,
    /// It gets no other one.
    pub revoked: bool,
}

impl Register {
    /// Notes a new token.
    pub(super) fn open(
        &mut self,
        now: Timestamp,
        id: &str,
        digest: String,
        role: Role,
        name: Option<&str>,
        ttl: Duration,
    ) {
        let now_s = u64::from(now.unix_secs());
        self.tokens
            .retain(|token| token.until_unix_s + EXPIRED_KEPT_S > now_s);
        self.tokens.push(Token {
            id: id.to_owned(),
            digest,
            role,
            name: name.map(str::to_owned),
            until_unix_s: now_s + ttl.as_secs(),
        });
    }

    /// Uses a token up. What its bearer may become, or why nothing.
    pub(super) fn redeem(
        &mut self,
        now: Timestamp,
        id: &str,
        secret: &str,
        name: &str,
    ) -> Result<Role, String> {
        let digest = digest_of(secret);
        let found = self.tokens.iter().position(|token| {
            token.id == id && bool::from(token.digest.as_bytes().ct_eq(digest.as_bytes()))
        });
        let unknown = "this token was used already, or is of another authority: make a new one with \
                       `cofferdam cluster token`";
        let at = found.ok_or(unknown)?;
        let token = &self.tokens[at];
        if token.until_unix_s <= u64::from(now.unix_secs()) {
            return Err(
                "this token's time is over: make a new one with `cofferdam cluster token`".into(),
            );
        }
        if let Some(only) = token.name.as_deref().filter(|only| *only != name) {
            return Err(format!(
                "this token is for {only:?} alone, not for {name:?}"
            ));
        }
        let role = token.role;
        self.check_free(name, role)?;
        self.tokens.remove(at);
        Ok(role)
    }

    /// A name is one member's, in one role, for ever: else a node could pass for a gateway.
    pub(super) fn check_free(&self, name: &str, role: Role) -> Result<(), String> {
        match self.members.iter().find(|member| member.name == name) {
            Some(member) if member.role != role => Err(format!(
                "{name:?} is a member already, as {}: choose another name",
                member.role
            )),
            _ => Ok(()),
        }
    }

    /// Whether a member gets another certificate for the one that it has shown.
    pub(super) fn may_renew(&self, name: &str, role: Role) -> Result<(), String> {
        let known = |member: &&Member| member.name == name && member.role == role;
        match self.members.iter().find(known) {
            Some(member) if !member.revoked => Ok(()),
            Some(_) => Err(format!(
                "{name} was revoked: it may join again with a new token"
            )),
            None => Err(format!("{name} is no member that this authority knows of")),
        }
    }

    /// Notes who was given a certificate, and until when it is good.
    pub(super) fn admit(&mut self, name: &str, role: Role, until_unix_s: u64) {
        self.members.retain(|member| member.name != name);
        self.members.push(Member {
            name: name.to_owned(),
            role,
            until_unix_s,
            revoked: false,
        });
        self.members.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// Has a member get no other certificate; false if there is none of this name.
    pub(super) fn revoke(&mut self, name: &str) -> bool {
        let found = self.members.iter_mut().find(|member| member.name == name);
        found.map(|member| member.revoked = true).is_some()
    }
}

#[cfg(test)]
#[path = "register_test.rs"]
mod tests;
