//! Keys with a `*` in them, which stands for any text, none included.

use std::cmp::Reverse;

use memchr::memmem;

use super::key::{KeyForm, Recipient, form_of};

/// A text with `*` in place of any text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob {
    /// The texts before, between and behind the `*`. One piece: there is no `*`.
    pieces: Vec<String>,
}

impl Glob {
    fn new(text: &str) -> Self {
        Glob {
            pieces: text.split('*').map(str::to_owned).collect(),
        }
    }

    /// Whether the text fits. It is read once: each piece is taken at the first place where it stands.
    fn matches(&self, text: &str) -> bool {
        let (Some((first, rest)), Some(last)) = (self.pieces.split_first(), self.pieces.last()) else {
            return false;
        };
        if rest.is_empty() {
            return text == first;
        }
        let inner = text
            .strip_prefix(&**first)
            .and_then(|text| text.strip_suffix(&**last));
        let Some(mut inner) = inner else {
            return false;
        };
        for piece in &rest[..rest.len() - 1] {
            let Some(at) = memmem::find(inner.as_bytes(), piece.as_bytes()) else {
                return false;
            };
            inner = &inner[at + piece.len()..];
        }
        true
    }

    fn has_star(&self) -> bool {
        self.pieces.len() > 1
    }

    /// A text that fits both, if each has a `*` and one of them does not fit all that the other does.
    fn meets(&self, other: &Glob) -> Option<String> {
        fn longer<'a>(one: &'a str, other: &'a str, holds: impl Fn(&str, &str) -> bool) -> Option<&'a str> {
            match (holds(one, other), holds(other, one)) {
                (true, _) => Some(one),
                (_, true) => Some(other),
                _ => None,
            }
        }
        let start = longer(&self.pieces[0], &other.pieces[0], |one, other| {
            one.starts_with(other)
        })?;
        let (last, others_last) = (self.pieces.last()?, other.pieces.last()?);
        let end = longer(last, others_last, |one, other| one.ends_with(other))?;
        let middle = |glob: &Glob| glob.pieces[1..glob.pieces.len() - 1].concat();
        Some([start, &middle(self), &middle(other), end].concat())
    }

    fn written(&self) -> String {
        self.pieces.join("*")
    }
}

/// A key with a `*`.
#[derive(Clone, Debug)]
pub(super) struct KeyPattern {
    pub(super) form: KeyForm,
    /// As the map keeps it.
    pub(super) key: String,
    local: Glob,
    /// `None`: any domain.
    domain: Option<Glob>,
}

impl KeyPattern {
    /// The pattern of a folded key that has a `*`.
    pub(super) fn new(key: &str) -> Self {
        let (local, domain) = match key.rsplit_once('@') {
            None => (key, None),
            Some(("", domain)) => ("*", Some(domain)),
            Some((local, domain)) => (local, Some(domain)),
        };
        KeyPattern {
            form: form_of(key),
            key: key.to_owned(),
            local: Glob::new(local),
            domain: domain.map(Glob::new),
        }
    }

    pub(super) fn matches(&self, recipient: &Recipient) -> bool {
        let domain = self.domain.as_ref();
        let user = recipient.user.as_ref();
        domain.is_none_or(|domain| domain.matches(&recipient.domain))
            && (self.local.matches(&recipient.local) || user.is_some_and(|user| self.local.matches(user)))
    }

    /// The order in which patterns are tried: those with more characters first, then those with fewer `*`, then by their text.
    /// So no pattern hides another that fits fewer addresses.
    pub(super) fn precedence(&self) -> (KeyForm, Reverse<usize>, usize, String) {
        let stars = self.key.matches('*').count();
        (
            self.form,
            Reverse(self.key.len() - stars),
            stars,
            self.key.clone(),
        )
    }

    /// An address that fits both patterns, if neither is a special case of the other and both are of one form.
    pub(super) fn overlap(&self, other: &Self) -> Option<String> {
        if self.form != other.form || self.special_case_of(other) || other.special_case_of(self) {
            return None;
        }
        let meet = |one: &Glob, other: &Glob| match (one.has_star(), other.has_star()) {
            (true, true) => one.meets(other),
            (true, false) => one.matches(&other.pieces[0]).then(|| other.written()),
            (false, _) => other.matches(&one.pieces[0]).then(|| one.written()),
        };
        let local = meet(&self.local, &other.local)?;
        let domain = match (&self.domain, &other.domain) {
            (Some(one), Some(other)) => Some(meet(one, other)?),
            _ => None,
        };
        Some(domain.map_or(local.clone(), |domain| format!("{local}@{domain}")))
    }

    /// Whether the other fits all that this one does. A `*` is then like any character that only a `*` fits.
    fn special_case_of(&self, other: &Self) -> bool {
        let of = |one: &Glob, other: &Glob| other.matches(&one.written());
        let domains = self.domain.as_ref().zip(other.domain.as_ref());
        of(&self.local, &other.local) && domains.is_none_or(|(one, other)| of(one, other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same without haste: every way to cut the text is tried.
    fn oracle(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| oracle(rest, &text[at..])),
            Some((first, rest)) => text
                .split_first()
                .is_some_and(|(other, text)| other == first && oracle(rest, text)),
        }
    }

    proptest! {
        #[test]
        fn a_glob_fits_what_its_oracle_fits(pattern in "[ab*]{0,7}", text in "[ab]{0,9}") {
            prop_assert_eq!(Glob::new(&pattern).matches(&text), oracle(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn where_globs_meet_both_fit(one in "[ab*]{0,4}\\*[ab*]{0,4}", other in "[ab*]{0,4}\\*[ab*]{0,4}", text in "[ab]{0,9}") {
            let (one, other) = (Glob::new(&one), Glob::new(&other));
            match one.meets(&other) {
                Some(text) => prop_assert!(one.matches(&text) && other.matches(&text), "{}", text),
                None => prop_assert!(!(one.matches(&text) && other.matches(&text)), "{}", text),
            }
        }
    }

    #[test]
    fn matching_is_linear() {
        let pattern = Glob::new(&"a*".repeat(2_000));
        assert!(pattern.matches(&"a".repeat(200_000)));
        assert!(!pattern.matches(&"b".repeat(200_000)));
    }
}
