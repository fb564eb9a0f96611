//! Asks the processor to bring memory near before it is needed.
#![expect(unsafe_code, reason = "the instruction has no safe form")]

/// Brings the cache line of `place` near; a hint without any other effect.
#[inline]
pub(crate) fn prefetch<T>(place: &T) {
    let address: *const T = place;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction reads nothing into the program and faults on no address; every x86-64
    // processor has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above; it touches neither memory, stack nor flags.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{0}]",
            in(reg) address,
            options(readonly, nostack, preserves_flags)
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}
