//! Decimal numbers to and from bytes, without detours through strings.

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// The most digits of 64 bits.
const DIGITS_MAX: usize = 20;

/// The decimal digits of a number.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    digits: [u8; DIGITS_MAX],
    start: usize,
}

impl Digits {
    /// Of this number.
    pub(crate) fn of(mut number: u64) -> Self {
        let mut digits = [0; DIGITS_MAX];
        let mut start = DIGITS_MAX;
        while number >= 100 {
            let pair = (number % 100) as usize * 2;
            number /= 100;
            start -= 2;
            digits[start] = PAIRS[pair];
            digits[start + 1] = PAIRS[pair + 1];
        }
        if number >= 10 {
            let pair = number as usize * 2;
            start -= 2;
            digits[start] = PAIRS[pair];
            digits[start + 1] = PAIRS[pair + 1];
        } else {
            start -= 1;
            digits[start] = b'0' + number as u8;
        }
        Self { digits, start }
    }

    /// Them.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

/// Appends a number in decimal.
pub(crate) fn push(out: &mut Vec<u8>, number: u64) {
    if number < 10 {
        out.push(b'0' + number as u8);
    } else {
        out.extend_from_slice(Digits::of(number).as_bytes());
    }
}

/// The end of a line: up to three numbers, a space before each, and `\r\n`.
///
/// They go out in one piece, which is quicker than one by one.
pub(crate) struct Tail {
    bytes: [u8; Self::LEN_MAX + 2],
    len: usize,
}

impl Tail {
    const LEN_MAX: usize = 3 * (1 + DIGITS_MAX);

    /// Without any number yet.
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            bytes: [b' '; Self::LEN_MAX + 2],
            len: 0,
        }
    }

    /// Adds a number; what there is no room for is left out.
    #[inline]
    pub(crate) fn push(&mut self, number: u64) {
        let mut digit_count = 1;
        let mut rest = number;
        while rest >= 10 {
            rest /= 10;
            digit_count += 1;
        }
        let end = self.len + 1 + digit_count;
        let Some(digits) = self.bytes[..Self::LEN_MAX].get_mut(self.len + 1..end) else {
            return;
        };
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.len = end;
    }

    /// All of them and the line's end.
    #[inline]
    pub(crate) fn finish(&mut self) -> &[u8] {
        let end = self.len + 2;
        self.bytes[self.len..end].copy_from_slice(b"\r\n");
        &self.bytes[..end]
    }
}

/// A number of digits only, of at most 64 bits; zeros before it do not count.
pub(crate) fn parse_u64(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let mut number: u64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(number)
}

/// A number of digits only, of at most 32 bits.
pub(crate) fn parse_u32(digits: &[u8]) -> Option<u32> {
    parse_u64(digits).and_then(|number| u32::try_from(number).ok())
}

/// A number that may begin with a minus sign, of at most 32 bits with its sign.
pub(crate) fn parse_i32(text: &[u8]) -> Option<i32> {
    match text.split_first() {
        Some((b'-', digits)) => {
            let number = i64::try_from(parse_u64(digits)?).ok()?;
            i32::try_from(-number).ok()
        }
        _ => i32::try_from(parse_u64(text)?).ok(),
    }
}

/// A number that may begin with a sign, of at most 64 bits with it.
pub(crate) fn parse_i64(text: &[u8]) -> Option<i64> {
    match text.split_first() {
        Some((b'-', digits)) => 0i64.checked_sub_unsigned(parse_u64(digits)?),
        Some((b'+', digits)) => i64::try_from(parse_u64(digits)?).ok(),
        _ => i64::try_from(parse_u64(text)?).ok(),
    }
}

#[cfg(test)]
#[path = "number_test.rs"]
mod tests;
