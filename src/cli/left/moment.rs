//! Moments, as people write and read them.

use std::str::FromStr;

use readdress::alias::Date;
use readdress::deadline::since_1970;

/// The beginning of a time that lasts until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// A second since 1970.
    Second(u64),
    /// A day, in UTC.
    Day(Date),
}

impl Since {
    /// Whether a moment, in seconds since 1970, is not before.
    pub(super) fn has(self, at: u64) -> bool {
        match self {
            Since::Second(second) => at >= second,
            Since::Day(day) => Date::from_unix_time(at) >= day,
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a time such as 30m, 12h or 7d, or a day such as 2026-01-31 (UTC)".to_owned();
        if let Ok(day) = text.parse() {
            return Ok(Since::Day(day));
        }
        let unit = match text.as_bytes().last() {
            Some(b'm') => 60,
            Some(b'h') => 60 * 60,
            Some(b'd') => 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        let seconds = number.checked_mul(unit).ok_or_else(wrong)?;
        Ok(Since::Second(since_1970().as_secs().saturating_sub(seconds)))
    }
}

/// A moment, in seconds since 1970, to the minute.
pub(super) fn written(at: u64) -> String {
    let (hour, minute) = (at / 3600 % 24, at / 60 % 60);
    format!("{} {hour:02}:{minute:02} UTC", Date::from_unix_time(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written() {
        assert_eq!(written(1_798_761_540), "2026-12-31 23:59 UTC");
        let day: Since = "2026-12-31".parse().unwrap();
        assert!(day.has(1_798_675_200) && !day.has(1_798_675_199));
        let now = since_1970().as_secs();
        let hours: Since = "2h".parse().unwrap();
        assert!(hours.has(now - 7_199) && !hours.has(now - 7_260));
        for wrong in [
            "",
            "7",
            "h",
            "-1h",
            "7w",
            "2026-13-01",
            "99999999999999999999d",
            "é",
        ] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong:?}");
        }
    }
}
