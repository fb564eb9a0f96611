//! What tenants want to be told of: rules of their own, kept in a file, and who looks whether they hold.

mod watch;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base::TenantId;
use runtime::Published;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files;
pub(crate) use watch::AlertWatch;

/// The file, in the data directory.
const FILE: &str = "alerts.json";

/// What one tenant wants to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct AlertRule {
    /// Fewer hits than this of a hundred reads, over a minute.
    pub(crate) hit_ratio_min_percent: Option<u8>,
    /// More of its memory than this of a hundred parts.
    pub(crate) memory_max_percent: Option<u8>,
    /// Where its events are sent.
    pub(crate) webhook: Option<WebhookTarget>,
}

/// A place in the web that is told, and what its messages are signed with.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct WebhookTarget {
    pub(crate) url: String,
    pub(crate) secret: String,
}

impl std::fmt::Debug for WebhookTarget {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookTarget")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Every tenant's rule.
pub(crate) type RulesByTenant = BTreeMap<u32, AlertRule>;

/// All rules, and the file that has them.
#[derive(Debug)]
pub(crate) struct AlertRules {
    path: PathBuf,
    in_force: Published<RulesByTenant>,
    /// Held while they are changed.
    changing: Mutex<()>,
}

impl AlertRules {
    /// Those in the data directory `dir`. A file that cannot be read is moved aside, which the log
    /// says: nobody goes without service for it.
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let rules = read(&path).unwrap_or_else(|why| {
            let aside = path.with_extension("json.unreadable");
            let moved = std::fs::rename(&path, &aside).is_ok();
            tracing::error!(why, moved, aside = %aside.display(), "tenants' alerts are lost");
            RulesByTenant::new()
        });
        Self {
            path,
            in_force: Published::new(rules),
            changing: Mutex::default(),
        }
    }

    /// All of them, as they are now.
    pub(crate) fn all(&self) -> Arc<RulesByTenant> {
        self.in_force.get()
    }

    /// One tenant's, which is empty if it has none.
    pub(crate) fn of(&self, tenant: TenantId) -> AlertRule {
        self.all().get(&tenant.0).cloned().unwrap_or_default()
    }

    /// Puts a tenant's rule in force, once it is on disk.
    pub(crate) fn set(&self, tenant: TenantId, rule: AlertRule) -> Result<(), Failure> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rules = RulesByTenant::clone(&self.all());
        match rule == AlertRule::default() {
            true => rules.remove(&tenant.0),
            false => rules.insert(tenant.0, rule),
        };
        let text = serde_json::to_vec_pretty(&rules)
            .map_err(|error| Failure::new(format!("alerts cannot be written: {error}")))?;
        files::write_private(&self.path, &text)?;
        self.in_force.publish(rules);
        Ok(())
    }
}

fn read(path: &Path) -> Result<RulesByTenant, String> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(RulesByTenant::new()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
#[path = "alerts_test.rs"]
mod tests;
