//! Takes addresses, the operator's domains and network addresses out of what is reported.

use std::net::IpAddr;

use super::questions::Addresses;

/// What must not be reported.
pub(super) struct Redact {
    domains: Vec<String>,
    token: String,
}

impl Redact {
    pub(super) fn new(addresses: &Addresses) -> Self {
        let all = [
            Some(&addresses.from),
            Some(&addresses.to),
            addresses.through.as_ref(),
        ];
        let domains = all
            .into_iter()
            .flatten()
            .filter_map(|address| address.rsplit_once('@'));
        Redact {
            domains: domains.map(|(_, domain)| domain.to_ascii_lowercase()).collect(),
            token: addresses.token.clone(),
        }
    }

    /// The text with `ADDRESS`, `DOMAIN`, `IP` and `TOKEN` in their places.
    pub(super) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        for c in text.chars().chain([' ']) {
            if c.is_alphanumeric() || "@._+-:!#$%&*/?^`{|}~".contains(c) {
                word.push(c);
            } else {
                out.push_str(&self.word(&word));
                word.clear();
                out.push(c);
            }
        }
        out.trim_end().to_owned()
    }

    fn word(&self, word: &str) -> String {
        let bare = word.trim_matches([':', '.']);
        let lower = word.to_ascii_lowercase();
        if word.contains('@') {
            "ADDRESS".to_owned()
        } else if bare.parse::<IpAddr>().is_ok() {
            "IP".to_owned()
        } else if !self.token.is_empty() && word.contains(&self.token) {
            word.replace(&self.token, "TOKEN")
        } else if self.domains.iter().any(|domain| lower.contains(domain.as_str())) {
            "DOMAIN".to_owned()
        } else {
            word.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches an address in a report that others read.
    #[test]
    fn nothing_names_anybody() {
        let redact = Redact::new(&Addresses {
            from: "probe@Example.com".to_owned(),
            to: "jane@example.net".to_owned(),
            through: None,
            token: "t0k3n".to_owned(),
        });
        let cases = [
            (
                "Email address is not verified: jane@example.net",
                "Email address is not verified: ADDRESS",
            ),
            ("<jane+x@example.org>, \"a\"", "<ADDRESS>, \"a\""),
            (
                "spf=pass smtp.mailfrom=mail.example.com; client-ip=192.0.2.7;",
                "spf=pass smtp.mailfrom=DOMAIN; client-ip=IP;",
            ),
            (
                "[2001:db8::1] by inbound-smtp.eu-west-1.amazonaws.com",
                "[IP] by inbound-smtp.eu-west-1.amazonaws.com",
            ),
            ("header.i=@example.com", "header.i=ADDRESS"),
            ("X-Readdress-Probe: t0k3n", "X-Readdress-Probe: TOKEN"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact.text(text), expected);
        }
    }
}
