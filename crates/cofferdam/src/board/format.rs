//! Figures as people read them: three digits, a unit, and a dash for what is not known.

/// A count or a rate.
pub(crate) fn count(value: f32) -> String {
    scaled(value, 1000.0, &["", "k", "M", "G", "T"])
}

/// A size in bytes.
pub(crate) fn bytes(value: f32) -> String {
    scaled(value, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB"])
}

/// A share of 1, in parts of a hundred.
pub(crate) fn percent(share: f32) -> String {
    if !share.is_finite() {
        return DASH.to_owned();
    }
    let percent = share * 100.0;
    match percent.abs() {
        0.0 => "0 %".to_owned(),
        p if p < 0.1 => "<0.1 %".to_owned(),
        p if p < 99.95 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

/// A time in seconds.
pub(crate) fn time(seconds: f32) -> String {
    if !seconds.is_finite() {
        return DASH.to_owned();
    }
    let micros = seconds * 1e6;
    match micros {
        us if us < 999.5 => format!("{} µs", digits(us)),
        us if us < 999_500.0 => format!("{} ms", digits(us / 1e3)),
        us => format!("{} s", digits(us / 1e6)),
    }
}

/// How long ago something was.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

const DASH: &str = "–";

fn scaled(value: f32, step: f32, units: &[&str]) -> String {
    if !value.is_finite() {
        return DASH.to_owned();
    }
    let mut value = value;
    let mut units = units.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for next in units {
        if value.abs() < 999.5 {
            break;
        }
        value /= step;
        unit = next;
    }
    format!("{}{unit}", digits(value))
}

/// Three digits where there is a fraction.
fn digits(value: f32) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        v if v < 9.995 && value.fract() != 0.0 => format!("{value:.2}"),
        v if v < 99.95 && value.fract() != 0.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
#[path = "format_test.rs"]
mod tests;
