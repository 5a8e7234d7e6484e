//! The value of an alias: its targets and options, and all that can be wrong with them.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::options::{Options, display_name};
use super::senders::Senders;
use super::spelling::meant;
use crate::header::mailbox::Address;
use crate::rewrite::Style;
use crate::signed::{DEFAULT_SIGNATURE_LENGTH, SIGNATURE_LENGTHS};

/// Where the mail of an alias goes, and how it is rewritten on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// In the order of the map, none twice.
    pub targets: Vec<Address>,
    /// Domains at which the recipient's own local part is a target. Both are empty only where `options.enabled` is false.
    pub domains: Vec<String>,
    /// The options by which this alias differs from the settings.
    pub options: Options,
}

impl Entry {
    /// The targets of mail to this recipient, none twice. A target that would be too long to be an address is left out.
    pub fn targets_of(&self, recipient: &Address) -> Vec<Address> {
        let mut targets = self.targets.clone();
        for domain in &self.domains {
            let carried = recipient.with_domain(domain).ok();
            targets
                .extend(carried.filter(|carried| targets.iter().all(|target| target.key() != carried.key())));
        }
        targets
    }
}

/// The members of a JSON object in their order, with those that share a name, of which a map would keep only one.
pub(super) struct Pairs<V>(Vec<(String, V)>);

/// The value of an alias before it is checked. An object keeps its repeated names: two "to" are a lost target.
#[derive(serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Object(Pairs<Value>),
    Targets(Value),
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Members<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = members.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// The last member of each name, as JSON parsers take it, in order; and the names of the others.
pub(super) fn last_of_each<V>(
    Pairs(pairs): Pairs<V>,
    fold: impl Fn(&str) -> String,
) -> (Vec<(String, V)>, Vec<String>) {
    let mut seen = HashSet::new();
    let (mut kept, mut replaced) = (Vec::with_capacity(pairs.len()), Vec::new());
    for (name, value) in pairs.into_iter().rev() {
        if seen.insert(fold(&name)) {
            kept.push((name, value));
        } else {
            replaced.push(name);
        }
    }
    kept.reverse();
    replaced.reverse();
    (kept, replaced)
}

/// Reads one value and collects everything that is wrong with it, so that all of it can be mended at once.
#[derive(Default)]
pub(super) struct EntryReader {
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl EntryReader {
    pub(super) fn entry(&mut self, written: Written) -> Entry {
        let (to, options) = match written {
            Written::Targets(to) => (to, Options::default()),
            Written::Object(pairs) => self.options(pairs),
        };
        let (targets, domains) = self.targets(to);
        if targets.is_empty() && domains.is_empty() && options.enabled && self.errors.is_empty() {
            self.error("no target; to switch an alias off, set \"enabled\": false");
        }
        for fallback in &options.fallback {
            if targets.iter().any(|target| target.key() == fallback.key()) {
                let reason = format!("the fallback {fallback} is a target already");
                self.warnings.push(reason);
            }
        }
        Entry {
            targets,
            domains,
            options,
        }
    }

    /// A `null` counts as absent: Terraform's `jsonencode` writes it for an optional attribute that is not set.
    fn options(&mut self, pairs: Pairs<Value>) -> (Value, Options) {
        let (mut to, mut options) = (Value::Null, Options::default());
        let (pairs, replaced) = last_of_each(pairs, str::to_owned);
        let twice = |name: &String| format!("{name:?} is given twice: the last counts");
        self.warnings.extend(replaced.iter().map(twice));
        for (name, value) in pairs {
            match name.as_str() {
                "to" => to = value,
                known if Style::NAMES.contains(&known) || Options::NAMES.contains(&known) => {
                    if !value.is_null() {
                        self.option(&mut options, &name, value);
                    }
                }
                _ => self.unknown(&name),
            }
        }
        (to, options)
    }

    /// A misspelt option would be left at its default, and mail would go where it must not: that is an error. Any other name
    /// may be a note of the owner's.
    fn unknown(&mut self, name: &str) {
        let known = ["to"].into_iter().chain(Style::NAMES).chain(Options::NAMES);
        match meant(name, known.clone()) {
            Some(meant) => self.error(format!("unknown option {name:?}: is {meant:?} meant?")),
            None => self.warnings.push(format!(
                "unknown option {name:?}; known are {}",
                known.collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// Reads one option of a known name that is given.
    fn option(&mut self, options: &mut Options, name: &str, value: Value) {
        match name {
            "enabled" => match value {
                Value::Bool(enabled) => options.enabled = enabled,
                _ => self.error("\"enabled\" must be true or false"),
            },
            "spam" => options.spam = self.parsed(name, &value),
            "virus" => options.virus = self.parsed(name, &value),
            "dmarc" => options.dmarc = self.parsed(name, &value),
            "notify" => options.notify = self.parsed(name, &value),
            "fallback" => options.fallback = self.addresses(name, value),
            "allow" => {
                let allowed = Senders::new(self.list(name, value, |text| text.trim().parse()));
                if allowed.is_empty() && self.errors.is_empty() {
                    self.error("\"allow\" names nobody: leave it out, or set \"enabled\": false");
                }
                options.allow = Some(allowed);
            }
            "block" => options.block = Senders::new(self.list(name, value, |text| text.trim().parse())),
            "until" => options.until = self.parsed(name, &value),
            "signed" => options.signed = self.signature_length(&value),
            "replies" => options.replies = self.parsed(name, &value),
            "repliers" => options.repliers = self.addresses(name, value),
            "name" => {
                let text = self.string(name, &value);
                options.name = text.and_then(|text| self.ok(name, display_name(text)).flatten());
            }
            _ => {
                if let Some(text) = self.string(name, &value) {
                    self.ok(name, options.style.set(name, text));
                }
            }
        }
    }

    fn signature_length(&mut self, value: &Value) -> Option<u8> {
        let length = value.as_u64().and_then(|length| u8::try_from(length).ok());
        match (value, length) {
            (Value::Bool(signed), _) => signed.then_some(DEFAULT_SIGNATURE_LENGTH),
            (_, Some(length)) if SIGNATURE_LENGTHS.contains(&length) => Some(length),
            _ => {
                let (least, most) = SIGNATURE_LENGTHS.into_inner();
                self.error(format!(
                    "\"signed\" must be true, false or a number from {least} to {most}"
                ));
                None
            }
        }
    }

    /// The targets that are addresses, and those that are domains.
    fn targets(&mut self, to: Value) -> (Vec<Address>, Vec<String>) {
        let is_domain = |text: &str| text.trim_start().starts_with('@');
        let mut domains: Vec<String> = Vec::new();
        let written = self.list("to", to, |text| Ok(text.to_owned()));
        let (of_domains, of_addresses): (Vec<String>, Vec<String>) =
            written.into_iter().partition(|text| is_domain(text));
        for text in of_domains {
            let domain = self.ok("to", domain(&text));
            domains.extend(domain.filter(|domain| !domains.contains(domain)));
        }
        (self.addresses("to", Value::from(of_addresses)), domains)
    }

    /// Addresses, none of them twice.
    fn addresses(&mut self, name: &str, value: Value) -> Vec<Address> {
        let mut addresses = self.list(name, value, address);
        let mut seen = HashSet::new();
        addresses.retain(|address: &Address| seen.insert(address.key()));
        addresses
    }

    /// A list of strings, or one string, each read by `parse`.
    fn list<T>(&mut self, name: &str, value: Value, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let written = match value {
            Value::Null => Vec::new(),
            Value::Array(list) => list,
            Value::String(_) => vec![value],
            _ => {
                self.error(format!("{name:?} must be a list of strings or one string"));
                return Vec::new();
            }
        };
        let mut list = Vec::with_capacity(written.len());
        for element in written {
            match element {
                Value::String(text) => list.extend(self.ok(name, parse(&text))),
                _ => self.error(format!("each element of {name:?} must be a string")),
            }
        }
        list
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, name: &str, value: &Value) -> Option<T> {
        let text = self.string(name, value)?;
        self.ok(name, text.trim().parse())
    }

    fn string<'a>(&mut self, name: &str, value: &'a Value) -> Option<&'a str> {
        let text = value.as_str();
        if text.is_none() {
            self.error(format!("{name:?} must be a string"));
        }
        text
    }

    fn ok<T, E: fmt::Display>(&mut self, what: &str, parsed: Result<T, E>) -> Option<T> {
        let parsed = parsed.map_err(|error| self.error(format!("{what}: {error}")));
        parsed.ok()
    }

    fn error(&mut self, reason: impl Into<String>) {
        self.errors.push(reason.into());
    }
}

/// `@domain`
fn domain(text: &str) -> Result<String, String> {
    let address = Address::parse(&format!("postmaster{}", text.trim()));
    let domain = address.map(|address| address.domain().to_ascii_lowercase());
    domain.map_err(|error| format!("{text:?} is no domain: {error}"))
}

/// An addr-spec and nothing more: a display-name would be lost in silence, since only the envelope uses the address.
fn address(text: &str) -> Result<Address, String> {
    let text = text.trim();
    if text.contains('<') {
        return Err(format!(
            "{text:?} has a name or <>: write the address alone, such as jane@example.org"
        ));
    }
    let hint = if text.contains([',', ';']) {
        "; write several as a list"
    } else {
        ""
    };
    Address::parse(text).map_err(|error| format!("{text:?} is no address: {error}{hint}"))
}
