//! Sizes in bytes, read and written with binary units.

use std::fmt;
use std::str::FromStr;

/// A number of bytes; its text is `100MiB`, `64KiB`, `2GiB`, or plain bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u64); 4] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

impl fmt::Display for ByteSize {
    /// The largest unit that divides it, so that the text reads back as the same number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, bytes) in UNITS {
            if self.0 >= bytes && self.0.is_multiple_of(bytes) {
                return write!(f, "{}{name}", self.0 / bytes);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl ByteSize {
    /// For people: whole units where they fit, else one decimal of the largest unit, `165.7MiB`.
    #[must_use]
    pub fn rounded(self) -> String {
        let exact = self.to_string();
        if self.0 < 1024 || (exact.ends_with('B') && exact.len() <= 7) {
            return exact;
        }
        let mut units = UNITS.into_iter();
        let (name, unit) = units
            .find(|(_, unit)| *unit <= self.0)
            .unwrap_or(("KiB", 1 << 10));
        format!("{:.1}{name}", self.0 as f64 / unit as f64)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a size: write bytes or a number with KiB, MiB or GiB");
        let text = text.trim();
        let (digits, unit) = UNITS
            .iter()
            .find_map(|(name, bytes)| text.strip_suffix(name).map(|digits| (digits, *bytes)))
            .unwrap_or((text, 1));
        let count: u64 = digits.trim_end().parse().map_err(|_| wrong())?;
        count.checked_mul(unit).map(ByteSize).ok_or_else(wrong)
    }
}

#[cfg(test)]
#[path = "size_test.rs"]
mod tests;
