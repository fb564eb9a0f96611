//! What there is to observe with: the machine's figures, the kernel's sockets, metrics, a journal.

pub mod exposition;
pub mod host;
mod journal;
mod place;
pub mod sock_diag;

pub use journal::{Journal, read_journal};
pub use place::{free_space, wall_clock};
