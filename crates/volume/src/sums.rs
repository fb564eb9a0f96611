//! Checksums of bytes that are put together, out of those of the parts.
//!
//! A CRC is linear: as many zeroes behind what it is of turn it by a matrix of bits that their number alone
//! determines, and what really comes behind is added to that. (M. Adler, zlib's `crc32_combine`.) So no byte
//! has to be gone over twice.

use std::sync::LazyLock;

/// The polynomial of CRC-32C, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// For lengths of which so many bits count: parts are shorter than 128 KiB.
const BITS: usize = 17;

/// What a power of two of zeroes makes of each byte of a checksum.
type Table = [[u32; 256]; 4];

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(tables);

/// The checksum of what has the checksum `ahead` and behind it `len` bytes that have `behind`.
pub(crate) fn joined(ahead: u32, behind: u32, len: usize) -> u32 {
    let mut turned = ahead;
    let mut left = len;
    for table in TABLES.iter() {
        if left & 1 == 1 {
            turned = looked_up(table, turned);
        }
        left >>= 1;
        if left == 0 {
            break;
        }
    }
    debug_assert_eq!(left, 0, "a part of {len} bytes");
    turned ^ behind
}

fn looked_up(table: &Table, sum: u32) -> u32 {
    let bytes = sum.to_le_bytes();
    let found = table.iter().zip(bytes);
    found.fold(0, |sum, (row, byte)| {
        sum ^ row.get(usize::from(byte)).copied().unwrap_or_default()
    })
}

fn tables() -> Vec<Table> {
    let mut columns = one_zero();
    let mut tables = Vec::with_capacity(BITS);
    for _ in 0..BITS {
        tables.push(table(&columns));
        columns = columns.map(|column| times(&columns, column));
    }
    tables
}

/// What one byte of zeroes makes of each bit.
fn one_zero() -> [u32; 32] {
    let mut bit = 0;
    [(); 32].map(|()| {
        let mut sum = 1_u32 << bit;
        bit += 1;
        for _ in 0..8 {
            let carry = if sum & 1 == 1 { POLYNOMIAL } else { 0 };
            sum = sum >> 1 ^ carry;
        }
        sum
    })
}

fn times(columns: &[u32; 32], sum: u32) -> u32 {
    let set = (0..).zip(columns).filter(|(bit, _)| sum >> bit & 1 == 1);
    set.fold(0, |all, (_, column)| all ^ column)
}

fn table(columns: &[u32; 32]) -> Table {
    let mut table = [[0; 256]; 4];
    for (row, shift) in table.iter_mut().zip([0, 8, 16, 24]) {
        for (byte, place) in (0_u32..).zip(row.iter_mut()) {
            *place = times(columns, byte << shift);
        }
    }
    table
}

#[cfg(test)]
#[path = "sums_test.rs"]
mod tests;
