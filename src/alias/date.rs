//! Calendar dates, as options of the alias map name them.

use std::fmt;
use std::str::FromStr;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// A day of the Gregorian calendar, in UTC. Days are ordered by time.
///
/// ```
/// use readdress::alias::Date;
///
/// let last: Date = "2026-12-31".parse()?;
/// assert!(Date::from_unix_time(1_798_761_599) <= last); // 2026-12-31T23:59:59Z
/// assert!(Date::from_unix_time(1_798_761_600) > last);
/// # Ok::<(), readdress::alias::DateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is not a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a day that exists as YYYY-MM-DD, such as 2027-01-31")]
pub struct DateError;

impl Date {
    /// The day on which this second lies, counted from 1970-01-01T00:00:00Z. Seconds after the year 9999 count as its last day.
    pub fn from_unix_time(seconds: u64) -> Self {
        let mut days = seconds / SECONDS_PER_DAY;
        for year in 1970..=9999 {
            for month in 1..=12 {
                let length = u64::from(days_of(year, month));
                match u8::try_from(days) {
                    Ok(day) if days < length => {
                        return Date {
                            year,
                            month,
                            day: day + 1,
                        };
                    }
                    _ => days -= length,
                }
            }
        }
        Date {
            year: 9999,
            month: 12,
            day: 31,
        }
    }
}

fn days_of(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fn number<T: FromStr>(digits: &str, length: usize) -> Option<T> {
            let is_number = digits.len() == length && digits.bytes().all(|octet| octet.is_ascii_digit());
            digits.parse().ok().filter(|_| is_number)
        }
        let mut parts = text.split('-');
        let mut next = || parts.next().unwrap_or_default();
        let (year, month, day) = (number(next(), 4), number(next(), 2), number(next(), 2));
        let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else {
            return Err(DateError);
        };
        let exists = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        exists.then_some(Date { year, month, day }).ok_or(DateError)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_ordered() {
        let dates = [
            "1970-01-01",
            "1999-12-31",
            "2028-02-29",
            "2028-03-01",
            "9999-12-31",
        ];
        let parsed = dates.map(|text| text.parse::<Date>().unwrap());
        assert!(parsed.is_sorted());
        assert_eq!(parsed.map(|date| date.to_string()), dates);
        for text in [
            "",
            "2027",
            "2027-1-1",
            "2027-02-29",
            "2100-02-29",
            "2027-04-31",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "2027-01-01-",
            "27-01-01",
            "+027-01-01",
            "2027-01-01T00:00:00Z",
            "01.01.2027",
            "٢٠٢٧-01-01",
        ] {
            assert_eq!(text.parse::<Date>(), Err(DateError), "{text}");
        }
    }

    /// Catches a calendar that drifts: known days, and every day of eight centuries follows the one before.
    #[test]
    fn seconds_become_dates() {
        let of = |seconds| Date::from_unix_time(seconds).to_string();
        assert_eq!(of(0), "1970-01-01");
        assert_eq!(of(951_782_399), "2000-02-28");
        assert_eq!(of(951_782_400), "2000-02-29");
        assert_eq!(of(1_795_651_200), "2026-11-26");
        assert_eq!(of(4_107_542_399), "2100-02-28");
        assert_eq!(of(4_107_542_400), "2100-03-01");
        assert_eq!(of(u64::MAX), "9999-12-31");
        let days = (0..300_000)
            .step_by(97)
            .map(|day| Date::from_unix_time(day * SECONDS_PER_DAY));
        assert!(days.collect::<Vec<_>>().is_sorted_by(|a, b| a < b));
    }
}
