//! Taking the place of a running server: the successor's side of `cofferdam upgrade`.

use std::env;
use std::io::ErrorKind;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base::CredentialId;
use base::fleet::Epoch;
use runtime::http::Gate;
use runtime::net::handover::{Handover, Word};

use crate::failure::Failure;
use crate::fleet_data::FleetData;
use crate::inherited::Inherited;
use crate::plane::DataPlane;

/// Set to `1` by a server for the successor that it starts, whose standard input is the channel.
pub(crate) const TAKEOVER_VARIABLE: &str = "COFFERDAM_TAKEOVER";

/// Longer than a predecessor waits for us; after that it is not there any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the old process may take to listen no more, once it knows of us.
const GIVING_WAY_PATIENCE: Duration = Duration::from_secs(5);

/// A predecessor that waits for this process.
pub(super) struct Takeover(Arc<Handover>);

impl Takeover {
    /// The predecessor that has started this process, if one has, and its sockets.
    pub(super) fn begin() -> Result<Option<(Self, Inherited)>, Failure> {
        if env::var_os(TAKEOVER_VARIABLE).is_none_or(|value| value != "1") {
            return Ok(None);
        }
        let channel = Handover::from_stdin().map_err(|error| {
            Failure::new(format!(
                "{TAKEOVER_VARIABLE} is set, but nobody hands over: {error}: unset it, or use \
                 `cofferdam upgrade`"
            ))
        })?;
        match channel.hear(PATIENCE) {
            Ok((Word::Sockets(_), sockets)) => {
                let takeover = Self(Arc::new(channel));
                Ok(Some((takeover, Inherited::of_predecessor(sockets))))
            }
            Ok((word, _)) => Err(unexpected(&word)),
            Err(error) => Err(gone(&error)),
        }
    }

    /// Says that nothing is missing but the state, and waits until nobody has that; tells which
    /// credentials have ended that the state may still have.
    pub(super) fn await_state(&self) -> Result<Vec<CredentialId>, Failure> {
        self.0.say(&Word::Prepared).map_err(|error| gone(&error))?;
        match self.0.hear(PATIENCE) {
            Ok((Word::StateFree(ended), _)) => Ok(ended),
            Ok((word, _)) => Err(unexpected(&word)),
            Err(error) => Err(gone(&error)),
        }
    }

    /// Says that clients are let in.
    pub(super) fn tell_ready(&self) {
        if let Err(error) = self.0.say(&Word::Ready) {
            tracing::warn!(%error, "the old process was not told that this one is ready");
        }
    }

    /// Opens the admin API as soon as the old process lets nobody in any more; and, as long as it serves
    /// anybody, the fleet is told no more than both know of its ring.
    pub(super) fn follow(
        &self,
        admin: Arc<Gate>,
        fleet: Option<Arc<FleetData>>,
    ) -> Result<(), Failure> {
        let channel = Arc::clone(&self.0);
        let note = move |version| {
            if let Some(fleet) = &fleet {
                fleet.note_predecessor(version);
            }
        };
        let hearing = move || {
            let mut patience = GIVING_WAY_PATIENCE;
            loop {
                let heard = channel.hear(patience);
                // Whatever it was: nothing else comes before the one word, unless that never comes.
                admin.open();
                patience = PATIENCE;
                match heard {
                    Ok((Word::Knows(version), _)) => note(Some(Epoch(version))),
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::TimedOut => {}
                    // It has ended.
                    Err(_) => break note(None),
                }
            }
        };
        let thread = thread::Builder::new().name("predecessor".into());
        // It ends with the old process, or with this one.
        thread.spawn(hearing)?;
        Ok(())
    }

    /// Tells the old process, as long as it serves anybody, which credentials end here.
    pub(super) fn tell_ends(&self, plane: &dyn DataPlane) {
        let channel = Arc::clone(&self.0);
        plane.tell_ends(Box::new(move |ended| match channel.say_ended(ended) {
            // It has ended, and its connections with it.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => {
                tracing::warn!(%error, "the old process still serves connections that were ended");
            }
            Ok(()) => {}
        }));
    }

    /// Says why this process ends.
    pub(super) fn tell_failed(&self, failure: &Failure) {
        // It hears the end of this process in any case.
        let _ = self.0.say(&Word::Failed(failure.to_string()));
    }
}

fn unexpected(word: &Word) -> Failure {
    Failure::new(format!(
        "the old process says {word:?}, which nobody waits for"
    ))
}

fn gone(error: &std::io::Error) -> Failure {
    Failure::new(format!("the old process does not hand over: {error}"))
}
