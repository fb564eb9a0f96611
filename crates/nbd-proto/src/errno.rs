//! The error numbers that the protocol knows, which are Linux's whatever the host.

/// Why a request failed, in the protocol's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errno {
    /// The export may only be read.
    Perm,
    /// The data could not be read or written.
    Io,
    /// There is no memory for it.
    NoMem,
    /// A wrong request, or a read past the end.
    Inval,
    /// No space is left, or a write past the end.
    NoSpc,
    /// The answer would not fit.
    Overflow,
    /// It cannot be done, or not quickly.
    NotSup,
    /// The server is going.
    Shutdown,
}

impl Errno {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Perm,
        Self::Io,
        Self::NoMem,
        Self::Inval,
        Self::NoSpc,
        Self::Overflow,
        Self::NotSup,
        Self::Shutdown,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        match self {
            Self::Perm => 1,
            Self::Io => 5,
            Self::NoMem => 12,
            Self::Inval => 22,
            Self::NoSpc => 28,
            Self::Overflow => 75,
            Self::NotSup => 95,
            Self::Shutdown => 108,
        }
    }

    /// From a number on the wire; as the protocol says, one that it does not know means EINVAL.
    pub fn from_code(code: u32) -> Self {
        let known = Self::ALL.into_iter().find(|errno| errno.code() == code);
        known.unwrap_or(Self::Inval)
    }
}
