//! The value of an alias: its targets and options, and all that can be wrong with them.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::header::mailbox::Address;
use crate::rewrite::{FromFormat, ToHeader};

/// The longest `subject_prefix` in octets. Encoded for a header it grows by a half, and still leaves most of the 998
/// octets that RFC 5322 section 2.1.1 allows in a line to the subject itself.
pub const MAX_SUBJECT_PREFIX: usize = 200;

/// Where the mail of an alias goes, and how it is rewritten on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// In the order of the map, none twice. Empty only where `options.enabled` is false.
    pub targets: Vec<Address>,
    /// What this alias wants otherwise than the settings.
    pub options: Options,
}

/// The options of one alias; `None` leaves the matter to the setting of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How the From field shows the sender.
    pub from_format: Option<FromFormat>,
    /// A fixed address for the From field.
    pub from_email: Option<Address>,
    /// What the To field shows.
    pub to_header: Option<ToHeader>,
    /// Put before the subject. An empty one is a prefix too: it takes back that of the settings.
    pub subject_prefix: Option<String>,
    /// False for an alias that exists and forwards nothing.
    pub enabled: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            from_format: None,
            from_email: None,
            to_header: None,
            subject_prefix: None,
            enabled: true,
        }
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

/// Reads one value and collects everything that is wrong with it, so that one look at the report mends it.
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
        let targets = self.targets(to);
        if targets.is_empty() && options.enabled && self.errors.is_empty() {
            self.error("no target; to switch an alias off, set \"enabled\": false");
        }
        Entry { targets, options }
    }

    /// A `null` counts as absent: Terraform's `jsonencode` writes it for an optional attribute that is not set.
    fn options(&mut self, pairs: Pairs<Value>) -> (Value, Options) {
        let (mut to, mut options) = (Value::Null, Options::default());
        let (pairs, replaced) = last_of_each(pairs, str::to_owned);
        let twice = |name: &String| format!("{name:?} is given twice: the last counts");
        self.warnings.extend(replaced.iter().map(twice));
        for (name, value) in pairs {
            match (name.as_str(), value) {
                ("to", value) => to = value,
                ("from_format" | "from_email" | "to_header" | "subject_prefix" | "enabled", Value::Null) => {}
                ("enabled", Value::Bool(enabled)) => options.enabled = enabled,
                ("enabled", _) => self.error("\"enabled\" must be true or false"),
                ("from_format", Value::String(text)) => options.from_format = self.ok(&name, text.parse()),
                ("from_email", Value::String(text)) => options.from_email = self.ok(&name, address(&text)),
                ("to_header", Value::String(text)) => options.to_header = self.ok(&name, text.parse()),
                ("subject_prefix", Value::String(text)) => {
                    options.subject_prefix = self.ok(&name, subject_prefix(&text));
                }
                ("from_format" | "from_email" | "to_header" | "subject_prefix", _) => {
                    self.error(format!("{name:?} must be a string"));
                }
                _ => self.warnings.push(format!(
                    "unknown option {name:?}; known are to, from_format, from_email, to_header, subject_prefix, enabled"
                )),
            }
        }
        (to, options)
    }

    fn targets(&mut self, to: Value) -> Vec<Address> {
        let written = match to {
            Value::Null => Vec::new(),
            Value::Array(list) => list,
            Value::String(_) => vec![to],
            _ => {
                self.error("the targets must be a list of addresses or one address");
                return Vec::new();
            }
        };
        let mut seen = HashSet::new();
        let mut targets = Vec::with_capacity(written.len());
        for target in written {
            let Value::String(text) = target else {
                self.error("a target must be a string");
                continue;
            };
            let target = self.ok("target", address(&text));
            targets.extend(target.filter(|target| seen.insert(target.key())));
        }
        targets
    }

    fn ok<T, E: fmt::Display>(&mut self, what: &str, parsed: Result<T, E>) -> Option<T> {
        let parsed = parsed.map_err(|error| self.error(format!("{what}: {error}")));
        parsed.ok()
    }

    fn error(&mut self, reason: impl Into<String>) {
        self.errors.push(reason.into());
    }
}

/// An addr-spec and nothing more: a display-name would be lost without a sign, as only the envelope uses it.
fn address(text: &str) -> Result<Address, String> {
    let text = text.trim();
    if text.ends_with('>') {
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

/// Checks a subject prefix.
///
/// # Errors
/// If it is longer than [`MAX_SUBJECT_PREFIX`] or holds a control character: a line break would begin a new field.
pub fn subject_prefix(text: &str) -> Result<String, String> {
    if text.len() > MAX_SUBJECT_PREFIX {
        return Err(format!("longer than {MAX_SUBJECT_PREFIX} octets"));
    }
    if text.chars().any(char::is_control) {
        return Err("holds a control character".into());
    }
    Ok(text.to_owned())
}
