//! Does again what a machine may have kept from being done.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::DrillError;

/// How often what a machine may have disturbed is tried.
pub(crate) const TRIES: usize = 3;

/// Makes something, and again if the machine did not let it be made; not for who was interrupted.
pub(crate) fn up_to_tries<T>(
    interrupted: &AtomicBool,
    progress: &mut dyn FnMut(&str),
    mut make: impl FnMut(&mut dyn FnMut(&str)) -> Result<T, DrillError>,
) -> Result<T, DrillError> {
    for _ in 1..TRIES {
        match make(progress) {
            Err(DrillError::CannotRun(why)) if !interrupted.load(Ordering::Acquire) => {
                progress(&format!("once more: {why}"));
            }
            made => return made,
        }
    }
    make(progress)
}

#[cfg(test)]
#[path = "tries_test.rs"]
mod tests;
