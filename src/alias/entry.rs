//! The value of an alias: its targets and options, and all that can be wrong with them.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::header::mailbox::Address;
use crate::rewrite::Style;

/// Where the mail of an alias goes, and how it is rewritten on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// In the order of the map, none twice. Empty only where `options.enabled` is false.
    pub targets: Vec<Address>,
    /// What this alias wants otherwise than the settings.
    pub options: Options,
}

/// The options of one alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How its mail is readdressed. A choice that is left open is made by the setting of the same name.
    pub style: Style,
    /// False for an alias that exists and forwards nothing.
    pub enabled: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            style: Style::default(),
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
            let is_style = Style::NAMES.contains(&name.as_str());
            match (name.as_str(), value) {
                ("to", value) => to = value,
                ("enabled", Value::Null) => {}
                ("enabled", Value::Bool(enabled)) => options.enabled = enabled,
                ("enabled", _) => self.error("\"enabled\" must be true or false"),
                (_, Value::Null) if is_style => {}
                (_, Value::String(text)) if is_style => {
                    self.ok(&name, options.style.set(&name, &text));
                }
                _ if is_style => self.error(format!("{name:?} must be a string")),
                _ => self.warnings.push(format!(
                    "unknown option {name:?}; known are to, {}, enabled",
                    Style::NAMES.join(", ")
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
