//! Signed webhooks: what happens is told to the addresses that operators and tenants have named.

mod backoff;
mod driver;
mod outbox;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};

use base::TenantId;
use runtime::Clock;
use runtime::webhook::{Sender, Target};

use crate::alerts::AlertRules;
use crate::config::Config;
use crate::failure::Failure;
use crate::observe::Observatory;
use crate::plane::DataPlane;
pub(crate) use backoff::Backoff;
use driver::Driver;

/// Somebody who is told of events.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hook {
    /// The same over restarts, so that it is known what was told.
    key: String,
    target: Target,
    secret: String,
    audience: Audience,
}

/// Which events somebody is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Audience {
    /// Operators: those of these kinds, all if there are none.
    Operators(Vec<String>),
    /// A tenant: his own.
    Tenant(TenantId),
}

/// What hooks are told from, and with.
#[derive(Clone)]
pub(crate) struct Hooks {
    configured: Vec<Hook>,
    allows_private: bool,
}

impl Hooks {
    /// As configured; reads the files of secrets.
    pub(crate) fn of(config: &Config) -> Result<Self, Failure> {
        let webhooks = &config.webhooks;
        let allows_private = webhooks.private_addresses;
        let configured = webhooks.targets.iter().map(|one| {
            let failed =
                |why: String| Failure::new(format!("webhooks.targets, {:?}: {why}", one.url));
            let target = Target::parse(&one.url, allows_private).map_err(failed)?;
            let secret = fs::read_to_string(&one.secret_file).map_err(|error| {
                failed(format!(
                    "cannot read {}: {error}",
                    one.secret_file.display()
                ))
            })?;
            if secret.trim().len() < 16 {
                let place = one.secret_file.display();
                return Err(failed(format!(
                    "{place} holds fewer than 16 letters: write more"
                )));
            }
            Ok(Hook {
                key: format!("config {}", one.url),
                target,
                secret: secret.trim().to_owned(),
                audience: Audience::Operators(one.events.clone()),
            })
        });
        Ok(Self {
            configured: configured.collect::<Result<_, _>>()?,
            allows_private,
        })
    }

    /// Whether messages may go to addresses that are not public.
    pub(crate) fn allows_private(&self) -> bool {
        self.allows_private
    }

    /// Those of the configuration, and of tenants.
    fn all(&self, alerts: &AlertRules) -> Vec<Hook> {
        let rules = alerts.all();
        let of_tenants = rules.iter().filter_map(|(id, rule)| {
            let to = rule.webhook.as_ref()?;
            Some(Hook {
                key: format!("tenant {id} {}", to.url),
                target: Target::parse(&to.url, self.allows_private).ok()?,
                secret: to.secret.clone(),
                audience: Audience::Tenant(TenantId(*id)),
            })
        });
        self.configured.iter().cloned().chain(of_tenants).collect()
    }
}

/// The thread that tells; it ends when this is dropped.
pub(crate) struct Messenger {
    end: Option<std::sync::mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Messenger {
    /// Begins where the one before has ended, as the data directory `dir` knows.
    pub(crate) fn start(
        hooks: Hooks,
        alerts: Arc<AlertRules>,
        observatory: Arc<Observatory>,
        plane: Arc<dyn DataPlane>,
        clock: Clock,
        dir: &Path,
    ) -> Result<Self, Failure> {
        let (end, ended) = std::sync::mpsc::channel();
        let cursors = outbox::Cursors::open(dir);
        let thread = thread::Builder::new()
            .name("webhooks".into())
            .spawn(move || {
                runtime::priority::give_way();
                // Where nobody is to be told, nothing is made ready either.
                let mut driver: Option<Driver> = None;
                while ended.recv_timeout(driver::TICK) == Err(RecvTimeoutError::Timeout) {
                    let all = hooks.all(&alerts);
                    if driver.is_none() && !all.is_empty() {
                        driver = match Sender::new().and_then(|s| Driver::new(s, cursors.clone())) {
                            Ok(made) => Some(made),
                            Err(error) => {
                                tracing::error!(%error, "no webhooks are sent: restart");
                                return;
                            }
                        };
                    }
                    if let Some(driver) = &mut driver {
                        driver.tick(clock.now(), &all, &observatory, &*plane);
                    }
                }
            })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Messenger {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}
