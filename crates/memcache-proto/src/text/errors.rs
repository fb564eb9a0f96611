//! The lines of refusal, in memcached's own words.

/// No such command.
pub(crate) const UNKNOWN_COMMAND: &[u8] = b"ERROR\r\n";
/// A word is missing, too long or no number.
pub(crate) const BAD_FORMAT: &[u8] = b"CLIENT_ERROR bad command line format\r\n";
/// A `delete` with more than a key.
pub(crate) const BAD_DELETE: &[u8] =
    b"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
/// A value that does not end with a line end.
pub(crate) const BAD_DATA_CHUNK: &[u8] = b"CLIENT_ERROR bad data chunk\r\n";
/// An exptime that is no number.
pub(crate) const BAD_EXPTIME: &[u8] = b"CLIENT_ERROR invalid exptime argument\r\n";
/// A delta that is no number.
pub(crate) const BAD_DELTA: &[u8] = b"CLIENT_ERROR invalid numeric delta argument\r\n";
/// A line that has no end.
pub(crate) const LINE_TOO_LONG: &[u8] = b"CLIENT_ERROR line too long\r\n";
/// The item is no number.
pub(crate) const NON_NUMERIC: &[u8] =
    b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";
/// The credential lacks the right.
pub(crate) const DENIED: &[u8] = b"CLIENT_ERROR permission denied\r\n";
/// The value is longer than allowed.
pub(crate) const TOO_LARGE: &[u8] = b"SERVER_ERROR object too large for cache\r\n";
/// No room for a value.
pub(crate) const NO_MEMORY_STORING: &[u8] = b"SERVER_ERROR out of memory storing object\r\n";
/// No room for a number.
pub(crate) const NO_MEMORY: &[u8] = b"SERVER_ERROR out of memory\r\n";
/// No room for a retrieval.
pub(crate) const NO_MEMORY_READING: &[u8] = b"SERVER_ERROR out of memory writing get response\r\n";
/// All that hold the data are gone.
pub(crate) const UNREACHABLE: &[u8] = b"SERVER_ERROR no data node can be reached\r\n";
/// An outcome that the operation cannot have.
pub(crate) const UNEXPECTED: &[u8] = b"SERVER_ERROR internal error\r\n";

/// A meta command with more flags than there can be.
pub(crate) const TOO_MANY_FLAGS: &[u8] = b"CLIENT_ERROR options flags are too long\r\n";
/// A meta flag given twice.
pub(crate) const DUPLICATE_FLAG: &[u8] = b"CLIENT_ERROR duplicate flag\r\n";
/// No such meta flag.
pub(crate) const INVALID_FLAG: &[u8] = b"CLIENT_ERROR invalid flag\r\n";
/// Any mistake in the flags of `ma`.
pub(crate) const BAD_ARITH_FLAG: &[u8] = b"CLIENT_ERROR invalid or duplicate flag\r\n";
/// `D` without a number.
pub(crate) const BAD_DELTA_FLAG: &[u8] = b"CLIENT_ERROR invalid numeric delta value\r\n";
/// `J` without a number.
pub(crate) const BAD_INITIAL_FLAG: &[u8] = b"CLIENT_ERROR invalid numeric initial value\r\n";
/// A meta flag's token that is no number.
pub(crate) const BAD_TOKEN: &[u8] = b"CLIENT_ERROR bad token in command line format\r\n";
/// A key that is no base64.
pub(crate) const BAD_BASE64_KEY: &[u8] = b"CLIENT_ERROR error decoding key\r\n";
/// An opaque of more than 31 bytes.
pub(crate) const OPAQUE_TOO_LONG: &[u8] = b"CLIENT_ERROR opaque token too long\r\n";
/// `ms M` with an unknown letter.
pub(crate) const BAD_STORE_MODE: &[u8] = b"CLIENT_ERROR invalid mode for ms M token\r\n";
/// `ma M` with an unknown letter.
pub(crate) const BAD_ARITH_MODE: &[u8] = b"CLIENT_ERROR invalid mode for ma M token\r\n";
