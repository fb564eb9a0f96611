//! Zeroed memory that may be refused: the one place with `unsafe`.
#![expect(
    unsafe_code,
    reason = "an allocation that may fail and is zeroed lazily"
)]

use std::alloc::{Layout, alloc_zeroed};

/// `len` zero bytes that become resident page by page as they are written, or `None` if the
/// allocator has none left.
///
/// `Vec` can refuse too, but only hands out memory that it has written over, which would make all
/// of a segment resident, and slow, at the moment it is opened.
pub(crate) fn zeroed(len: usize) -> Option<Box<[u8]>> {
    let layout = Layout::array::<u8>(len).ok().filter(|_| len > 0)?;
    // SAFETY: the layout has a size above 0.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        return None;
    }
    let bytes = std::ptr::slice_from_raw_parts_mut(start, len);
    // SAFETY: `bytes` are `len` initialised bytes that the global allocator just gave for the
    // layout of `[u8; len]`, owned by nobody else.
    Some(unsafe { Box::from_raw(bytes) })
}

/// `len` zero words, or `None` if the allocator has none left.
pub(crate) fn zeroed_words(len: usize) -> Option<Box<[u32]>> {
    let layout = Layout::array::<u32>(len).ok().filter(|_| len > 0)?;
    // SAFETY: the layout has a size above 0.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        return None;
    }
    let words = std::ptr::slice_from_raw_parts_mut(start.cast::<u32>(), len);
    // SAFETY: `words` are `len` zeroed, aligned words that the global allocator just gave for the
    // layout of `[u32; len]`, owned by nobody else.
    Some(unsafe { Box::from_raw(words) })
}

#[cfg(test)]
#[path = "memory_test.rs"]
mod tests;
