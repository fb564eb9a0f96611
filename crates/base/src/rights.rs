//! What a credential may do.

use std::fmt;
use std::str::FromStr;

/// A set of rights: read, write and flush, each given or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Retrievals.
    pub read: bool,
    /// Everything that changes an item, `touch` included.
    pub write: bool,
    /// Emptying the whole tenant.
    pub flush: bool,
}

impl Rights {
    /// Everything.
    pub const ALL: Self = Self {
        read: true,
        write: true,
        flush: true,
    };
    /// Nothing.
    pub const NONE: Self = Self {
        read: false,
        write: false,
        flush: false,
    };
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.read, "read"),
            (self.write, "write"),
            (self.flush, "flush"),
        ];
        let mut given = names.iter().filter(|(on, _)| *on).map(|(_, name)| *name);
        match given.next() {
            None => f.write_str("none"),
            Some(first) => {
                f.write_str(first)?;
                given.try_for_each(|name| write!(f, ",{name}"))
            }
        }
    }
}

impl FromStr for Rights {
    type Err = String;

    /// Reads what `Display` writes: names joined by commas, or `none`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rights = Self::NONE;
        for name in text.split(',').map(str::trim) {
            match name {
                "read" => rights.read = true,
                "write" => rights.write = true,
                "flush" => rights.flush = true,
                "none" => {}
                other => {
                    return Err(format!(
                        "unknown right {other:?}: give read, write and flush, joined by commas"
                    ));
                }
            }
        }
        Ok(rights)
    }
}

#[cfg(test)]
#[path = "rights_test.rs"]
mod tests;
