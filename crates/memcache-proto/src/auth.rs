//! What a connection may say before it has said who it is, and the answers to it.

/// The most bytes of input that a step may need, in bytes.
pub const INPUT_LEN_MAX: usize = 4096;

/// What the next bytes of a connection mean that is not authenticated.
#[derive(Debug)]
pub enum Step<'a> {
    /// Not enough to say; call again with the same bytes and more behind them.
    Incomplete,
    /// A user name and a password to be checked; answer with [`AuthReply::accepted`] or
    /// [`AuthReply::rejected`].
    Attempt {
        /// How many bytes it took.
        consumed: usize,
        /// Who it says it is.
        username: &'a [u8],
        /// What it proves it with.
        password: &'a [u8],
        /// How to answer.
        reply: AuthReply,
    },
    /// Something that may be asked by anybody; answer with [`AuthReply::answer`] and go on.
    Answer {
        /// How many bytes it took.
        consumed: usize,
        /// How to answer.
        reply: AuthReply,
    },
    /// Anything else: answer with [`AuthReply::answer`] and close.
    Refuse {
        /// How to answer.
        reply: AuthReply,
    },
}

/// How to answer before a connection is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthReply(());

impl AuthReply {
    /// Writes that the connection is admitted.
    pub fn accepted(&self, _out: &mut Vec<u8>) {}

    /// Writes that user name or password is wrong.
    pub fn rejected(&self, _out: &mut Vec<u8>) {}

    /// Writes the answer to what may be asked by anybody, or the refusal.
    pub fn answer(&self, _out: &mut Vec<u8>) {}
}

/// Looks at the next bytes of a connection that is not authenticated; keeps no state.
pub fn decode(_input: &[u8]) -> Step<'_> {
    Step::Incomplete
}
