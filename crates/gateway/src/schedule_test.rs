//! Pausing, refusing and going on, in virtual time.
