//! Sizes, with or without a unit.

/// The units of a size, in small letters, and their octets.
const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// A number of octets, with or without a unit.
pub(super) fn size(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start_matches(' ').to_ascii_lowercase();
    let octets = UNITS.iter().find(|(name, _)| *name == unit);
    let octets = octets.and_then(|(_, octets)| number.parse::<u64>().ok()?.checked_mul(*octets));
    octets
        .filter(|octets| (least..=most).contains(octets))
        .ok_or_else(|| {
            format!("it must be a size from {least} to {most} octets, such as 10485760, 10MB or 10MiB")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_none() {
        for (text, octets) in [
            ("10485760", 10_485_760),
            ("10MB", 10_000_000),
            ("10 mb", 10_000_000),
            ("10MiB", 10_485_760),
            ("500kB", 500_000),
            ("1B", 1),
        ] {
            assert_eq!(size(text, 1, 1 << 30), Ok(octets), "{text}");
        }
        for text in [
            "",
            "MB",
            "10M",
            "-1",
            "1.5MB",
            "0",
            "99999999999999999999",
            "99999999999GB",
            "2GiB",
        ] {
            let error = size(text, 1, 1 << 30).unwrap_err();
            assert!(error.contains("10MiB"), "{text}: {error}");
        }
    }
}
