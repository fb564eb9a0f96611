//! Credentials: several per tenant, so that one can be replaced while it is in use.

use std::sync::TryLockError;

use base::{CredentialId, Rights};
use gateway::directory::Credential;
use runtime::secrets;
use runtime::state::{CredentialRecord, NewCredential};

use super::{Control, ControlError, Inner, sold};
use crate::wire::{CredentialRequest, CredentialView, Grant};

/// Enough for every service of a tenant; few enough to list.
const CREDENTIALS_MAX: usize = 64;

impl Control {
    /// A tenant's credentials, oldest first.
    pub(crate) fn credentials(&self, tenant: &str) -> Result<Vec<CredentialView>, ControlError> {
        self.catch_up();
        let inner = self.inner();
        let mut own = inner.credentials_of(tenant)?;
        own.retain(|credential| inner.is_in_force(credential));
        Ok(own.iter().map(CredentialView::from).collect())
    }

    /// Gives a tenant one more credential; those that it has go on working.
    ///
    /// Without rights in the request, the new one has those of the primary one, or all.
    pub(crate) fn add_credential(
        &self,
        tenant: &str,
        request: &CredentialRequest,
    ) -> Result<Grant, ControlError> {
        self.catch_up();
        let inner = self.inner();
        let own = inner.credentials_of(tenant)?;
        if own.len() >= CREDENTIALS_MAX {
            return Err(ControlError::TooManyCredentials {
                tenant: tenant.to_owned(),
                count: own.len(),
            });
        }
        let rights = match &request.rights {
            Some(text) => text.parse().map_err(ControlError::Invalid)?,
            None => own
                .iter()
                .find(|c| c.primary)
                .map_or(Rights::ALL, |c| c.rights),
        };
        if rights == Rights::NONE {
            return Err(ControlError::Invalid(
                "a credential without rights is of no use: give read, write or flush".into(),
            ));
        }
        let record = sold(&inner.state.tenants()?, tenant)?.clone();
        let (password, new) = inner.new_credential(tenant, rights, request.primary)?;
        let mut contents = inner.contents()?;
        let added = inner.state.add_credential(record.id, new)?;
        contents.credentials.push(added.clone());
        self.plane
            .publish(contents.into_directory(inner.sizes.item_size_max));
        tracing::info!(
            tenant,
            username = added.username,
            %rights,
            primary = added.primary,
            "credential added"
        );
        Ok(inner.grant(&record, added.username, password))
    }

    /// Makes one of a tenant's credentials the primary one.
    pub(crate) fn promote(&self, tenant: &str, username: &str) -> Result<(), ControlError> {
        self.catch_up();
        let inner = self.inner();
        let credential = inner.credential(tenant, username)?;
        inner.state.promote(credential.id)?;
        tracing::info!(tenant, username, "credential promoted");
        Ok(())
    }

    /// Ends a credential, and with it the connections that used it, also where that cannot be saved.
    /// Of those that remain the newest takes its place, if it was the primary one. Tells how many
    /// remain.
    pub(crate) fn revoke(&self, tenant: &str, username: &str) -> Result<usize, ControlError> {
        self.catch_up();
        let mut inner = self.inner();
        let credential = inner.credential(tenant, username)?;
        let mut contents = inner.contents()?;
        contents.credentials.retain(|c| c.id != credential.id);
        let directory = contents.into_directory(inner.sizes.item_size_max);
        match inner.state.revoke(credential.id) {
            // A leaked password is not to wait for the disk.
            Err(ControlError::State(why)) if self.plane.is_running() => {
                inner.cut_off.insert(credential.id);
                self.plane.publish(directory);
                tracing::error!(tenant, username, error = %why, "credential cut off, but not saved");
                let username = username.to_owned();
                return Err(ControlError::NotSaved { username, why });
            }
            done => done?,
        }
        inner.cut_off.remove(&credential.id);
        self.plane.publish(directory);
        tracing::info!(tenant, username, "credential revoked");
        inner.succeed(&credential)
    }

    /// Tries again to save the ends of credentials that could not be saved when they came; not while a
    /// change is under way, which nobody who asks is to wait for.
    pub(crate) fn save_ends(&self) {
        match self.inner.try_lock() {
            Ok(mut inner) => inner.save_ends(),
            Err(TryLockError::Poisoned(error)) => error.into_inner().save_ends(),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// Says which credentials have ended although the state may have them; to be said before
    /// [`Control::restore`].
    pub(crate) fn cut_off(&self, ended: Vec<CredentialId>) {
        self.inner().cut_off.extend(ended);
    }
}

impl Inner {
    /// A fresh password, and what the state keeps of it.
    pub(super) fn new_credential(
        &self,
        tenant: &str,
        rights: Rights,
        primary: bool,
    ) -> Result<(String, NewCredential), ControlError> {
        // A name that was revoked stays that of the credential which had it, in logs and dashboards.
        let all = self.state.usernames()?;
        let username = super::names::username(tenant, |name| all.iter().any(|n| n == name))?;
        let password = secrets::password()?;
        let salt = secrets::salt()?;
        let credential = NewCredential {
            username,
            salt,
            password_sha256: Credential::hash_password(&salt, password.as_bytes()),
            rights,
            primary,
        };
        Ok((password, credential))
    }

    /// What [`Control::save_ends`] does. Those of which it fails stay cut off.
    pub(super) fn save_ends(&mut self) {
        if self.cut_off.is_empty() {
            return;
        }
        let Ok(all) = self.state.credentials() else {
            return;
        };
        // One that the state does not have any more has ended with its tenant.
        self.cut_off.retain(|id| all.iter().any(|c| c.id == *id));
        let ended: Vec<_> = all
            .iter()
            .filter(|c| self.cut_off.contains(&c.id))
            .collect();
        for credential in ended {
            let saved = self.state.revoke(credential.id);
            if saved.is_err() {
                return;
            }
            self.cut_off.remove(&credential.id);
            let username = &credential.username;
            tracing::info!(username, "the end of a credential is saved now");
            if let Err(error) = self.succeed(credential) {
                tracing::warn!(username, %error, "no other credential took its place");
            }
        }
    }

    /// Whether the state's word on a credential is good.
    pub(super) fn is_in_force(&self, credential: &CredentialRecord) -> bool {
        !self.cut_off.contains(&credential.id)
    }

    /// Gives a primary credential that was revoked its heir, the newest; tells how many are left.
    fn succeed(&self, revoked: &CredentialRecord) -> Result<usize, ControlError> {
        let mut others = self.state.credentials()?;
        others.retain(|c| c.tenant == revoked.tenant && self.is_in_force(c));
        if revoked.primary
            && let Some(heir) = others.iter().max_by_key(|c| c.id)
        {
            self.state.promote(heir.id)?;
            let (tenant, username) = (heir.tenant, &heir.username);
            tracing::info!(%tenant, username, "credential promoted");
        }
        Ok(others.len())
    }

    fn credentials_of(&self, tenant: &str) -> Result<Vec<CredentialRecord>, ControlError> {
        let id = sold(&self.state.tenants()?, tenant)?.id;
        let mut credentials = self.state.credentials()?;
        credentials.retain(|credential| credential.tenant == id);
        Ok(credentials)
    }

    fn credential(&self, tenant: &str, username: &str) -> Result<CredentialRecord, ControlError> {
        let own = self.credentials_of(tenant)?;
        own.into_iter()
            .find(|credential| credential.username == username)
            .ok_or_else(|| ControlError::NoCredential {
                tenant: tenant.to_owned(),
                username: username.to_owned(),
            })
    }
}

#[cfg(test)]
#[path = "credentials_test.rs"]
mod tests;
