//! Changes of a fleet's tenants: each is one write to the store, compared with what was read.

use base::fleet::MemberId;
use base::{CredentialId, TenantId, TrafficLimits};
use fleet::shuffle::{self, GATEWAYS_DEFAULT, Relocation};
use runtime::state::{CredentialRecord, DEFAULT_TENANT, NewCredential, NewTenant, TenantRecord};
use runtime::store::{Change, Commit, Detail, Revision, Snapshot, StoreError};

use super::join::revision;
use super::tenant_record::{StoredCredential, StoredTenant, StoredTraffic};
use super::tenants::{FleetTenants, PREFIX, Tenants, TenantsError, read};

const NEXT_TENANT: &str = "next/tenant";
const NEXT_CREDENTIAL: &str = "next/credential";
/// How often a change is tried against others.
const TRIES: usize = 16;

impl FleetTenants {
    /// Adds a tenant, on `gateways` of the gateways.
    pub(crate) fn add(
        &self,
        new: &NewTenant,
        credential: &NewCredential,
        gateways: Option<usize>,
    ) -> Result<(TenantRecord, CredentialRecord), TenantsError> {
        let created_unix_s = i64::from(self.clock.now().unix_secs());
        self.change(|tenants, snapshot| {
            if tenants.by_id.values().any(|tenant| tenant.name == new.name) {
                return Err(TenantsError::Taken(new.name.clone()));
            }
            // The first number is the open tenant's.
            let id = number(snapshot, NEXT_TENANT)?.max(DEFAULT_TENANT.0 + 1);
            let credential_id = number(snapshot, NEXT_CREDENTIAL)?;
            let count = gateways.unwrap_or(GATEWAYS_DEFAULT).max(1);
            let places = shuffle::place(TenantId(id), count, &tenants.capacities());
            let credential = StoredCredential::new(credential_id, credential, created_unix_s);
            let tenant = StoredTenant {
                name: new.name.clone(),
                quota_bytes: new.quota_bytes,
                item_size_max: new.item_size_max,
                traffic: StoredTraffic::of(&TrafficLimits::default()),
                created_unix_s,
                gateways: places.iter().map(|id| id.0).collect(),
                moving_to: Vec::new(),
                flushes: 0,
                credentials: vec![credential.clone()],
                revoked: Vec::new(),
            };
            let change = count_up(Change::default(), snapshot, NEXT_TENANT, id + 1);
            let change = count_up(change, snapshot, NEXT_CREDENTIAL, credential_id + 1);
            let (id, key) = (TenantId(id), key(TenantId(id)));
            let change = change.only_if(&key, Revision(0)).put(&key, json(&tenant));
            let record = credential.record(id).ok_or(TenantsError::Gone)?;
            Ok((change, (tenant.record(id), record)))
        })
    }

    /// Adds a credential.
    pub(crate) fn add_credential(
        &self,
        id: TenantId,
        credential: &NewCredential,
    ) -> Result<CredentialRecord, TenantsError> {
        let created_unix_s = i64::from(self.clock.now().unix_secs());
        self.change(|tenants, snapshot| {
            let mut tenant = tenants.by_id.get(&id).cloned().ok_or(TenantsError::Gone)?;
            let number = number(snapshot, NEXT_CREDENTIAL)?;
            let stored = StoredCredential::new(number, credential, created_unix_s);
            let record = stored.record(id).ok_or(TenantsError::Gone)?;
            tenant.add(stored);
            let change = count_up(Change::default(), snapshot, NEXT_CREDENTIAL, number + 1);
            Ok((replace(change, snapshot, id, &tenant), record))
        })
    }

    /// Makes a credential the primary one of its tenant.
    pub(crate) fn promote(&self, id: CredentialId) -> Result<(), TenantsError> {
        self.edit_owner(id, |tenant| {
            let all = tenant.credentials.iter_mut();
            all.for_each(|credential| credential.primary = credential.id == id.0);
        })
    }

    /// Ends a credential.
    pub(crate) fn revoke(&self, id: CredentialId) -> Result<(), TenantsError> {
        self.edit_owner(id, |tenant| tenant.revoke(id))
    }

    /// Changes what a tenant may hold and take.
    pub(crate) fn set_limits(
        &self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
        traffic: &TrafficLimits,
    ) -> Result<(), TenantsError> {
        self.edit(id, |tenant| {
            tenant.quota_bytes = quota_bytes;
            tenant.item_size_max = item_size_max;
            tenant.traffic = StoredTraffic::of(traffic);
        })
    }

    /// Changes what the open tenant may take.
    pub(crate) fn set_traffic_of_default(
        &self,
        traffic: &TrafficLimits,
    ) -> Result<(), TenantsError> {
        self.edit(DEFAULT_TENANT, |tenant| {
            tenant.traffic = StoredTraffic::of(traffic);
        })
    }

    /// Has every gateway empty a tenant on all nodes.
    pub(crate) fn flush(&self, id: TenantId) -> Result<(), TenantsError> {
        self.edit(id, |tenant| tenant.flushes += 1)
    }

    /// Removes a tenant.
    pub(crate) fn remove(&self, id: TenantId) -> Result<(), TenantsError> {
        self.change(|_, snapshot| {
            let change = Change::default();
            let change = change.only_if(&key(id), revision(snapshot, &key(id)));
            Ok((change.delete(&key(id)), ()))
        })
    }

    /// Moves a tenant away from the gateways of these names, or anywhere else: first it is on its old
    /// and its new ones; once its clients know the new ones, `finish` leaves it on those alone. Where
    /// its clients are to connect from now on.
    pub(crate) fn relocate(
        &self,
        id: TenantId,
        avoided: &[String],
        finish: bool,
    ) -> Result<Vec<String>, TenantsError> {
        self.change(|tenants, snapshot| {
            let mut tenant = tenants.by_id.get(&id).cloned().ok_or(TenantsError::Gone)?;
            if finish && tenant.moving_to.is_empty() {
                let text = format!("{} does not move: begin with `tenant move`", tenant.name);
                return Err(TenantsError::Nowhere(text));
            }
            if finish {
                tenant.gateways = std::mem::take(&mut tenant.moving_to);
            } else {
                let plan = tenants.plan(id, avoided)?;
                let numbers = |ids: &[MemberId]| ids.iter().map(|id| id.0).collect();
                tenant.gateways = numbers(&plan.during);
                tenant.moving_to = numbers(&plan.after);
            }
            let servers = tenants.servers(&tenant.told());
            let change = replace(Change::default(), snapshot, id, &tenant);
            Ok((change, servers))
        })
    }

    fn edit_owner(
        &self,
        id: CredentialId,
        edit: impl Fn(&mut StoredTenant),
    ) -> Result<(), TenantsError> {
        let latest = self.latest();
        let owns = |tenant: &StoredTenant| tenant.credentials.iter().any(|c| c.id == id.0);
        let owner = latest.by_id.iter().find(|(_, tenant)| owns(tenant));
        let owner = owner.map(|(id, _)| *id).ok_or(TenantsError::Gone)?;
        self.edit(owner, edit)
    }

    fn edit(&self, id: TenantId, edit: impl Fn(&mut StoredTenant)) -> Result<(), TenantsError> {
        self.change(|tenants, snapshot| {
            let known = tenants.by_id.get(&id).cloned();
            let mut tenant = match known {
                None if id == DEFAULT_TENANT => open_tenant(),
                known => known.ok_or(TenantsError::Gone)?,
            };
            edit(&mut tenant);
            Ok((replace(Change::default(), snapshot, id, &tenant), ()))
        })
    }

    /// Reads, has `plan` say what to write, and writes it if nobody else was there in between.
    fn change<T>(
        &self,
        plan: impl Fn(&Tenants, &Snapshot) -> Result<(Change, T), TenantsError>,
    ) -> Result<T, TenantsError> {
        for _ in 0..TRIES {
            let snapshot = self.store.range("", Detail::Values)?;
            let (change, value) = plan(&read(&snapshot), &snapshot)?;
            if self.store.commit(&change)? != Commit::Lost {
                // What others see soon is known here at once.
                self.learn(read(&self.store.range("", Detail::Values)?));
                return Ok(value);
            }
        }
        Err(TenantsError::Busy)
    }
}

impl Tenants {
    fn plan(&self, id: TenantId, avoided: &[String]) -> Result<Relocation, TenantsError> {
        let by_name = |name: &String| {
            let found = self.gateways.iter().find(|(_, g)| g.name == *name);
            found.map(|(id, _)| *id).ok_or_else(|| {
                TenantsError::Nowhere(format!(
                    "there is no gateway {name:?}: `cofferdam node list` shows all"
                ))
            })
        };
        let avoided: Result<Vec<MemberId>, TenantsError> = avoided.iter().map(by_name).collect();
        let present = self.gateways_of(id);
        let count = match present.len() {
            0 => GATEWAYS_DEFAULT,
            count => count,
        };
        shuffle::relocate(id, count, &present, &avoided?, &self.capacities()).ok_or_else(|| {
            TenantsError::Nowhere("there is no other gateway to move it to: add one first".into())
        })
    }
}

fn open_tenant() -> StoredTenant {
    StoredTenant {
        name: crate::control::OPEN_TENANT.to_owned(),
        quota_bytes: 0,
        item_size_max: 0,
        traffic: StoredTraffic::default(),
        created_unix_s: 0,
        gateways: Vec::new(),
        moving_to: Vec::new(),
        flushes: 0,
        credentials: Vec::new(),
        revoked: Vec::new(),
    }
}

fn key(id: TenantId) -> String {
    format!("{PREFIX}{}", id.0)
}

fn json(tenant: &StoredTenant) -> Vec<u8> {
    // Text and numbers have no way to fail.
    serde_json::to_vec(tenant).unwrap_or_default()
}

fn replace(change: Change, snapshot: &Snapshot, id: TenantId, tenant: &StoredTenant) -> Change {
    let key = key(id);
    change
        .only_if(&key, revision(snapshot, &key))
        .put(&key, json(tenant))
}

fn count_up(change: Change, snapshot: &Snapshot, key: &str, next: u32) -> Change {
    change
        .only_if(key, revision(snapshot, key))
        .put(key, next.to_string())
}

fn number(snapshot: &Snapshot, key: &str) -> Result<u32, StoreError> {
    let Some(entry) = snapshot.get(key) else {
        return Ok(1);
    };
    let text = std::str::from_utf8(&entry.value).unwrap_or_default();
    let bad = || StoreError::Nonsense(format!("{key} as {text:?}"));
    text.parse().map_err(|_| bad())
}
