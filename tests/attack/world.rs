//! An owner's installation between a directory of mail and a directory outbox, and all that goes out of it, as readers see it
//! that are not ours.

use std::collections::BTreeSet;
use std::fs;

use mail_parser::MessageParser;
use mailparse::MailHeaderMap;
use serde_json::{Value, json};

use readdress::arrival::parse_event;
use readdress::config::Settings;
use readdress::connect::connect;
use readdress::deadline::Deadline;
use readdress::executor::block_on;
use readdress::forward::{Forwarder, Outcome};
use readdress::signed::AliasKey;

use super::common::lax;

pub const ALIAS: &str = "shop@example.com";
pub const OWNER: &str = "zoe.private@home.example";
pub const JANE: &str = "jane@example.org";
/// Whom an attacker wants to reach.
pub const VICTIM: &str = "victim@example.net";

/// Fields that no stranger may bring into a mail that goes out, as the laxest reader names them.
const ORDERS: [&str; 4] = ["bcc", "resent-bcc", "return-path", "sender"];
/// All that begin so are orders to SES, or ours.
const OURS: [&str; 3] = ["x-ses-", "x-readdress-", "x-original-"];

/// A key that looks random enough.
pub fn key(first: u8) -> AliasKey {
    AliasKey::new(std::array::from_fn(|at| {
        first.wrapping_add(u8::try_from(at * 7).unwrap())
    }))
}

/// The map of most tests: one alias, one target.
pub fn map() -> Value {
    json!({ALIAS: {"to": OWNER, "name": "The Shop"}})
}

/// An installation.
pub struct World {
    pub directory: tempfile::TempDir,
    forwarder: Forwarder,
    received: usize,
}

/// A message that arrives.
#[derive(Clone, Debug)]
pub struct Arriving<'a> {
    pub from: &'a str,
    pub to: &'a [&'a str],
    pub dmarc: &'a str,
    pub spam: &'a str,
    pub octets: &'a [u8],
}

impl<'a> Arriving<'a> {
    /// From Jane to the alias, proven.
    pub fn new(octets: &'a [u8]) -> Self {
        Arriving {
            from: JANE,
            to: &[ALIAS],
            dmarc: "PASS",
            spam: "PASS",
            octets,
        }
    }
}

/// A mail that went out: its envelope and its octets.
#[derive(Debug)]
pub struct Sent {
    pub from: String,
    pub to: Vec<String>,
    pub octets: Vec<u8>,
}

impl World {
    /// Without a key.
    pub fn new(map: &Value) -> Self {
        World::with(map, &[])
    }

    /// With a key, so that answers go out as the alias.
    pub fn with_key(map: &Value) -> Self {
        World::with(map, &[("key", &key(1).to_text())])
    }

    /// With these settings; `key` is the text of the key's file.
    pub fn with(map: &Value, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("bucket")).unwrap();
        fs::write(directory.path().join("map.json"), map.to_string()).unwrap();
        let given = |name: &str| settings.iter().find(|(given, _)| *given == name);
        if let Some((_, text)) = given("key") {
            fs::write(directory.path().join("key"), text).unwrap();
        }
        let forwarder = forwarder(directory.path(), &given);
        World {
            directory,
            forwarder,
            received: 0,
        }
    }

    /// Lets a message arrive by SES's own event. The outcomes, and all that went out for it.
    pub fn receive(&mut self, arriving: &Arriving<'_>) -> (Vec<Outcome>, Vec<Sent>) {
        let id = self.store(arriving.octets);
        self.invoke(&json!({"Records": [{"eventSource": "aws:ses", "ses": {
            "mail": {"messageId": id, "source": arriving.from},
            "receipt": {"recipients": arriving.to, "spamVerdict": {"status": arriving.spam},
                "virusVerdict": {"status": "PASS"}, "dmarcVerdict": {"status": arriving.dmarc}}}}]}))
    }

    /// Lets a message arrive from Jane for the alias.
    pub fn arrive(&mut self, octets: &[u8]) -> (Outcome, Vec<Sent>) {
        let (mut outcomes, sent) = self.receive(&Arriving::new(octets));
        (outcomes.remove(0), sent)
    }

    /// Stores a message, and returns its id.
    pub fn store(&mut self, octets: &[u8]) -> String {
        self.received += 1;
        let id = format!("m{}", self.received);
        fs::write(self.directory.path().join("bucket").join(&id), octets).unwrap();
        id
    }

    /// Passes an event on, as the function does. What is not understood has no outcome.
    pub fn invoke(&mut self, event: &Value) -> (Vec<Outcome>, Vec<Sent>) {
        let before = self.names();
        let mut outcomes = Vec::new();
        for record in parse_event(event.to_string().as_bytes()).unwrap_or_default() {
            if let Ok(Some(arrival)) = record.arrival() {
                outcomes.extend(block_on(self.forwarder.forward(&arrival, Deadline::NEVER)));
            }
        }
        let new: Vec<String> = self.names().difference(&before).cloned().collect();
        (outcomes, new.iter().map(|name| self.sent(name)).collect())
    }

    /// Everything that is in the outbox.
    fn names(&self) -> BTreeSet<String> {
        let Ok(files) = fs::read_dir(self.directory.path().join("out")) else {
            return BTreeSet::new();
        };
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let letters = names.filter_map(|name| name.strip_suffix(".eml").map(str::to_owned));
        letters.collect()
    }

    fn sent(&self, name: &str) -> Sent {
        let path = |extension: &str| {
            self.directory
                .path()
                .join("out")
                .join(format!("{name}.{extension}"))
        };
        let envelope: Value = serde_json::from_slice(&fs::read(path("json")).unwrap()).unwrap();
        let to = envelope["to"].as_array().unwrap().iter();
        Sent {
            from: envelope["from"].as_str().unwrap().to_owned(),
            to: to.map(|to| to.as_str().unwrap().to_owned()).collect(),
            octets: fs::read(path("eml")).unwrap(),
        }
    }
}

type Given<'a> = &'a dyn Fn(&str) -> Option<&'a (&'a str, &'a str)>;

fn forwarder(directory: &std::path::Path, given: Given<'_>) -> Forwarder {
    let path = |name: &str| format!("file:{}", directory.join(name).display());
    let settings = Settings::read(&|name| match name {
        _ if given(name).is_some() => given(name).map(|(_, value)| (*value).to_owned()),
        "EMAIL_BUCKET" => Some(path("bucket")),
        "ALIAS_MAP_PARAM" => Some(path("map.json")),
        "OUTBOX" => Some(path("out")),
        "ALIAS_KEY_PARAM" => given("key").map(|_| path("key")),
        _ => None,
    });
    block_on(connect(&settings.unwrap())).unwrap()
}

impl Sent {
    /// The names of the fields as the laxest reader sees them, in lower case.
    pub fn lax_names(&self) -> Vec<String> {
        lax::read(&self.octets).0
    }

    /// The header section.
    pub fn header(&self) -> &[u8] {
        &self.octets[..lax::read(&self.octets).1]
    }

    /// The field bodies of this name, as mailparse unfolds and decodes them.
    pub fn fields(&self, name: &str) -> Vec<String> {
        let parsed = mailparse::parse_mail(&self.octets).unwrap();
        parsed.headers.get_all_values(name)
    }

    /// The one field body of this name.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = self.fields(name);
        assert!(fields.len() <= 1, "{name}: {fields:?}");
        fields.pop()
    }

    /// The address in this field, as we wrote it.
    pub fn address_in(&self, name: &str) -> String {
        let field = self.field(name).unwrap();
        let address = field.rsplit(['<', ' ']).next().unwrap();
        address.trim_end_matches('>').to_owned()
    }

    /// Whom From, To, Cc and Reply-To name, as mail-parser reads them.
    pub fn mailboxes(&self, name: &str) -> Vec<String> {
        let parsed = MessageParser::default().parse(&self.octets).unwrap();
        let value = parsed.header(name).and_then(|value| value.as_address());
        let all = value.into_iter().flat_map(|address| address.iter());
        all.filter_map(|it| it.address().map(str::to_owned)).collect()
    }

    /// That it is from the alias, to nobody but these, and that no reader sees an order in it: neither to SES nor in our name.
    pub fn assert_ours(&self, what: &str, to: &[&str]) {
        assert_eq!(self.from, ALIAS, "{what}");
        assert_eq!(self.to, to, "{what}: the envelope");
        let shown = || format!("{what}: {}", self.header().escape_ascii());
        let names = self.lax_names();
        let count = |name: &str| names.iter().filter(|it| *it == name).count();
        assert_eq!((count("from"), count("subject") <= 1), (1, true), "{}", shown());
        for name in &names {
            let is_order = ORDERS.contains(&&**name) || name.starts_with("x-ses-");
            assert!(!is_order, "{name}: {}", shown());
            assert!(
                OURS.iter().all(|of| !name.starts_with(of)) || count(name) == 1,
                "{}",
                shown()
            );
        }
        let parsed = mailparse::parse_mail(&self.octets).unwrap();
        let theirs: Vec<String> = parsed
            .headers
            .iter()
            .map(|it| it.get_key().to_lowercase())
            .collect();
        for order in ORDERS {
            assert!(!theirs.iter().any(|name| name == order), "{order}: {}", shown());
        }
        assert_eq!(self.mailboxes("From"), [ALIAS], "{}", shown());
    }

    /// That a reader sees the same fields as in this mail, apart from references to what has no usable id, notes of repairs, and copies.
    pub fn assert_fields_of(&self, plain: &Sent, what: &str) {
        let seen = |sent: &Sent| {
            let mut names = sent.lax_names();
            let may_differ = ["references", "x-readdress-notes"];
            names.retain(|name| !name.starts_with("x-original-") && !may_differ.contains(&&**name));
            names
        };
        assert_eq!(
            seen(self),
            seen(plain),
            "{what}: {}",
            self.header().escape_ascii()
        );
    }
}
