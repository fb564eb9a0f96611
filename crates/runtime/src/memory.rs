//! How the allocator treats the blocks that a crowd needs once.

/// Blocks from this length on are mapped one by one, and so given back when they are freed, in bytes.
/// Left to itself the C library raises the bound up to 32 MiB with each that is freed, and keeps in its
/// heaps what a spike of connections has needed.
const MAPPED_LEN_MIN: i32 = 256 * 1024;
/// What a heap may keep free at its end, in bytes.
const KEPT_LEN_MAX: i32 = 128 * 1024;

/// Has large blocks given back to the system when they are freed: to be called before any thread is
/// started. Elsewhere than with the GNU C library it does nothing.
pub fn give_back_large_blocks() {
    #[cfg(target_env = "gnu")]
    for (parameter, value) in [
        (libc::M_MMAP_THRESHOLD, MAPPED_LEN_MIN),
        (libc::M_TRIM_THRESHOLD, KEPT_LEN_MAX),
    ] {
        // SAFETY: it sets a number, and nobody else allocates yet.
        let taken = unsafe { libc::mallopt(parameter, value) };
        debug_assert_eq!(taken, 1, "both are known to every version");
    }
}
