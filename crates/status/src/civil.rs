//! Points in time as people and feeds write them, in UTC.

use base::Timestamp;

/// Seconds of a day.
pub const DAY_S: u64 = 86_400;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// The epoch was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A day in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Date {
    /// The day so many days after the epoch (Hinnant, "chrono-compatible low-level date algorithms").
    pub const fn of_day(days: u64) -> Self {
        let shifted = days as i64 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        let year = year_of_era + era * 400;
        Self {
            year: if month <= 2 { year + 1 } else { year },
            month: month as u8,
            day: day as u8,
        }
    }

    fn month_name(self) -> &'static str {
        let index = usize::from(self.month.saturating_sub(1));
        MONTHS.get(index).copied().unwrap_or("")
    }
}

/// Whole days since the epoch.
pub const fn day_of(at: Timestamp) -> u64 {
    seconds(at) / DAY_S
}

const fn seconds(at: Timestamp) -> u64 {
    at.as_nanos() / 1_000_000_000
}

/// `2026-11-22T08:04:05.123Z` (RFC 3339).
pub fn rfc3339(at: Timestamp) -> String {
    let Date { year, month, day } = Date::of_day(day_of(at));
    let millis = at.as_nanos() / 1_000_000 % 1_000;
    format!("{year:04}-{month:02}-{day:02}T{}.{millis:03}Z", clock(at))
}

/// `Sun, 22 Nov 2026 08:04:05 +0000` (RFC 2822), for RSS and mail.
pub fn rfc2822(at: Timestamp) -> String {
    let date = Date::of_day(day_of(at));
    let weekday = WEEKDAYS
        .get((day_of(at) % 7) as usize)
        .copied()
        .unwrap_or("");
    format!(
        "{weekday}, {:02} {} {} {} +0000",
        date.day,
        date.month_name(),
        date.year,
        clock(at)
    )
}

/// `22 Nov 2026`.
pub fn date_text(days: u64) -> String {
    let date = Date::of_day(days);
    format!("{} {} {}", date.day, date.month_name(), date.year)
}

/// `22 Nov 2026, 08:04:05 UTC`.
pub fn moment(at: Timestamp) -> String {
    format!("{}, {} UTC", date_text(day_of(at)), clock(at))
}

/// `08:04:05`.
pub fn clock(at: Timestamp) -> String {
    let of_day = seconds(at) % DAY_S;
    let (hours, minutes) = (of_day / 3_600, of_day / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", of_day % 60)
}

/// A length of time in at most two units: `2 h 5 min`, `41 s`.
pub fn span(length: std::time::Duration) -> String {
    let all = length.as_secs();
    let (days, hours, minutes) = (all / DAY_S, all / 3_600 % 24, all / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{all} s"),
        (0, 0, _) if all.is_multiple_of(60) => format!("{minutes} min"),
        (0, 0, _) => format!("{minutes} min {} s", all % 60),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

/// The moment that `2026-11-22T08:04`, with or without seconds, a fraction and `Z`, names in UTC.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<u64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut time = time.splitn(3, ':');
    let hours: u64 = time.next()?.parse().ok()?;
    let minutes: u64 = time.next()?.parse().ok()?;
    let (seconds, fraction) = match time.next() {
        None => (0, 0),
        Some(rest) => seconds_of(rest)?,
    };
    let in_range = (1970..=2500).contains(&year) && (1..=12).contains(&month);
    if !in_range || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let days = day_number(year, month, day)?;
    let whole = days * DAY_S + hours * 3_600 + minutes * 60 + seconds;
    Some(Timestamp::from_secs(whole) + std::time::Duration::from_nanos(fraction))
}

/// `05.123` as seconds and nanoseconds.
fn seconds_of(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some((whole.parse().ok()?, nanos))
}

/// Days from the epoch to a date, if there is such a date.
fn day_number(year: u64, month: u64, day: u64) -> Option<u64> {
    let from = (year - 1970) * 365 + (year - 1969) / 4 + (month - 1) * 28;
    // Leap years move a date by at most a few weeks from the guess.
    (from.saturating_sub(40)..from + 80).find(|candidate| {
        let date = Date::of_day(*candidate);
        date.year as u64 == year && u64::from(date.month) == month && u64::from(date.day) == day
    })
}

#[cfg(test)]
#[path = "civil_test.rs"]
mod tests;
