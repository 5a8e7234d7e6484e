//! Mails of all shapes, by chance.

use std::fs;
use std::path::Path;

use readdress::header::mailbox::Address;
use readdress::signed::AliasKey;
use serde_json::{Value, json};

use super::random::Random;

pub const OWNER: &str = "zoe@private.example";
/// Targets of an alias that takes two sends.
const MANY: usize = 60;

/// Everybody who may receive, and whom their mail goes to.
pub fn map() -> Value {
    let many: Vec<String> = (0..MANY).map(|n| format!("target{n}@example.net")).collect();
    json!({
        "shop@example.com": OWNER,
        "pair@example.com": [OWNER, "ann@private.example"],
        "many@example.com": many,
        "strict@example.com": {"to": OWNER, "spam": "hold", "subject_prefix": "[strict] ", "to_header": "alias"},
        "off@example.com": {"to": OWNER, "enabled": false},
        "choosy@example.com": {"to": OWNER, "block": ["example.org"]},
        "@catch.example": "caught@private.example",
    })
}

/// A mail and whom it arrives for.
#[derive(Clone, Debug)]
pub struct Mail {
    pub octets: Vec<u8>,
    pub envelope_sender: String,
    pub recipients: Vec<Recipient>,
    /// Spam, virus, DMARC.
    pub verdicts: [&'static str; 3],
}

/// A recipient.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub address: String,
    /// Who has the mail if it is forwarded. Empty: the map does not want it.
    pub targets: Vec<String>,
}

/// Makes mails.
pub struct Mails {
    fixtures: Vec<Vec<u8>>,
    key: AliasKey,
    map: Value,
}

type Shape = fn(&Mails, &mut Random) -> Mail;

/// The shapes, and how often each comes in a thousand. The rest is plain.
const SHAPES: [(usize, Shape); 13] = [
    (250, Mails::fixture),
    (150, Mails::with_attachment),
    (100, Mails::eight_bit),
    (50, Mails::long_lines),
    (40, Mails::blocked_attachment),
    (15, Mails::refused),
    (15, Mails::large),
    (3, Mails::too_large),
    (20, Mails::judged),
    (5, Mails::looping),
    (20, Mails::automatic),
    (50, Mails::answer),
    (50, Mails::noise),
];

impl Mails {
    pub fn new(key: AliasKey) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages");
        let mut paths: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        paths.sort();
        Mails {
            fixtures: paths.iter().map(|path| fs::read(path).unwrap()).collect(),
            key,
            map: map(),
        }
    }

    pub fn next(&self, random: &mut Random) -> Mail {
        let mut at = random.below(1000);
        for (share, shape) in SHAPES {
            if at < share {
                return shape(self, random);
            }
            at -= share;
        }
        let body = text(random, 20_000);
        self.mail(random, header("Content-Type: text/plain\r\n", &body))
    }

    /// For one to three recipients of the map.
    fn mail(&self, random: &mut Random, octets: Vec<u8>) -> Mail {
        let count = 1 + random.below(3) * usize::from(random.permille(200));
        let mut recipients: Vec<Recipient> = Vec::new();
        for _ in 0..count {
            let recipient = self.recipient(random);
            if recipients.iter().all(|other| other.address != recipient.address) {
                recipients.push(recipient);
            }
        }
        Mail {
            octets,
            envelope_sender: "jane@example.org".to_owned(),
            recipients,
            verdicts: ["PASS"; 3],
        }
    }

    fn recipient(&self, random: &mut Random) -> Recipient {
        let named = [
            "shop@example.com",
            "shop@example.com",
            "pair@example.com",
            "strict@example.com",
        ];
        let address = match random.below(40) {
            0 => format!("x{}@catch.example", random.below(1000)),
            1 => format!("shop+{}@example.com", random.below(1000)),
            2 => "many@example.com".to_owned(),
            3 => "off@example.com".to_owned(),
            4 => "choosy@example.com".to_owned(),
            5 => format!("nobody{}@example.com", random.below(1000)),
            _ => (*random.pick(&named)).to_owned(),
        };
        let user = address.split(['+', '@']).next().unwrap();
        let targets = match user {
            "off" | "choosy" => Vec::new(),
            _ if address.ends_with("@catch.example") => vec!["caught@private.example".to_owned()],
            _ => targets(&self.map[format!("{user}@example.com")]),
        };
        Recipient { address, targets }
    }

    fn fixture(&self, random: &mut Random) -> Mail {
        let mut octets = random.pick(&self.fixtures).clone();
        if random.permille(500) && !octets.contains(&b'\r') {
            octets = octets
                .split(|&b| b == b'\n')
                .collect::<Vec<_>>()
                .join(&b"\r\n"[..]);
        }
        self.mail(random, octets)
    }

    fn with_attachment(&self, random: &mut Random) -> Mail {
        let size = random.below(200_000);
        let body = format!(
            "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{}</p>\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
            text(random, 2_000),
            lines("JVBERi0xLjQK", size)
        );
        self.mail(random, header(MIXED, &body))
    }

    fn eight_bit(&self, random: &mut Random) -> Mail {
        let fields = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= \u{1f600}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 8bit\r\n";
        let body = "Stra\u{df}e und B\u{fc}cher\r\n".repeat(1 + random.below(300));
        self.mail(random, header(fields, &body))
    }

    fn long_lines(&self, random: &mut Random) -> Mail {
        let body = "word ".repeat(250 + random.below(5_000)) + "\r\n";
        self.mail(random, header("Content-Type: text/html\r\n", &body))
    }

    fn blocked_attachment(&self, random: &mut Random) -> Mail {
        let body = format!(
            "--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/octet-stream; name=run.exe\r\n\r\n{}\r\n--b--\r\n",
            text(random, 5_000)
        );
        self.mail(random, header(MIXED, &body))
    }

    /// What nothing mends: a signed part with a line that is too long.
    fn refused(&self, random: &mut Random) -> Mail {
        let body = format!(
            "--b\r\n\r\n{}\r\n--b\r\n\r\nsignature\r\n--b--\r\n",
            "x".repeat(1_200)
        );
        self.mail(
            random,
            header("Content-Type: multipart/signed; boundary=b\r\n", &body),
        )
    }

    /// Too large to be kept from the first reading.
    fn large(&self, random: &mut Random) -> Mail {
        let body = lines("dGhlIHF1aWNr", (1 << 20) + random.below(5 << 20));
        self.mail(random, header("Content-Transfer-Encoding: base64\r\n", &body))
    }

    fn too_large(&self, random: &mut Random) -> Mail {
        let body = lines("dGhlIHF1aWNr", 11 << 20);
        self.mail(random, header("Content-Transfer-Encoding: base64\r\n", &body))
    }

    fn judged(&self, random: &mut Random) -> Mail {
        let body = text(random, 2_000);
        let verdicts = *random.pick(&[
            ["FAIL", "PASS", "PASS"],
            ["PASS", "FAIL", "PASS"],
            ["PASS", "PASS", "FAIL"],
            ["GRAY", "GRAY", "GRAY"],
            ["DISABLED", "PROCESSING_FAILED", "PROCESSING_FAILED"],
        ]);
        Mail {
            verdicts,
            ..self.mail(random, header("", &body))
        }
    }

    fn looping(&self, random: &mut Random) -> Mail {
        let fields = "X-Readdress-Route: 0\r\n".repeat(11);
        self.mail(random, header(&fields, "x"))
    }

    /// Reports and out-of-office answers of a target, or of strangers.
    fn automatic(&self, random: &mut Random) -> Mail {
        let from = *random.pick(&[OWNER, "mailer-daemon@example.org", "jane@example.org"]);
        let report = format!(
            "From: {from}\r\nTo: shop@example.com\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\n\r\nFailed\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n\
             Final-Recipient: rfc822; {OWNER}\r\nAction: failed\r\n--b--\r\n"
        );
        let away = format!(
            "From: {from}\r\nTo: shop@example.com\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n"
        );
        let octets = random.pick(&[report, away]).clone();
        Mail {
            envelope_sender: String::new(),
            ..self.mail(random, octets.into_bytes())
        }
    }

    /// From the owner to a reply address, proven or not.
    fn answer(&self, random: &mut Random) -> Mail {
        let correspondent = format!("c{}@example.org", random.below(1000));
        let parse = |text: &str| Address::parse(text).unwrap();
        let reply_address = self
            .key
            .reply_address(&parse("shop@example.com"), &parse(&correspondent));
        let address = reply_address.unwrap().to_string();
        let octets = format!(
            "Received: from laptop.private.example by x; now\r\nFrom: {OWNER}\r\nTo: {address}\r\nSubject: Re: x\r\n\r\n{}",
            text(random, 3_000)
        );
        let dmarc = *random.pick(&["PASS", "PASS", "PASS", "FAIL"]);
        Mail {
            octets: octets.into_bytes(),
            envelope_sender: OWNER.to_owned(),
            recipients: vec![Recipient {
                address,
                targets: vec![correspondent],
            }],
            verdicts: ["PASS", "PASS", dmarc],
        }
    }

    /// Octets without a plan, some of them in the form of fields.
    fn noise(&self, random: &mut Random) -> Mail {
        let pieces: [&[u8]; 12] = [
            b"\r\n",
            b"\n",
            b"\r",
            b"\0",
            b"From: a@example.org",
            b": ",
            b"--b",
            b"Content-Type: multipart/mixed; boundary=b",
            b"\xff\xfe",
            b"=?utf-8?q?=00?=",
            b" ",
            b"X-SES-A: b",
        ];
        let mut octets = Vec::new();
        for _ in 0..random.below(400) {
            let piece: &&[u8] = random.pick(&pieces);
            octets.extend_from_slice(piece);
            octets.push(u8::try_from(random.below(256)).unwrap());
        }
        self.mail(random, octets)
    }
}

fn targets(entry: &Value) -> Vec<String> {
    let to = entry.get("to").unwrap_or(entry);
    let list = to.as_array().cloned().unwrap_or_else(|| vec![to.clone()]);
    list.iter()
        .filter_map(|to| to.as_str().map(str::to_owned))
        .collect()
}

const MIXED: &str = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";

fn header(fields: &str, body: &str) -> Vec<u8> {
    let usual = "From: Jane <jane@example.org>\r\nTo: shop@example.com\r\nMessage-ID: <1@example.org>\r\n";
    format!("{usual}{fields}\r\n{body}").into_bytes()
}

/// Up to so many octets of text.
fn text(random: &mut Random, most: usize) -> String {
    let line = "The quick brown fox jumps over the lazy dog, again and again.\r\n";
    line.repeat(1 + random.below(most) / line.len())
}

/// Lines of base64 with about so many octets.
fn lines(word: &str, octets: usize) -> String {
    let line = word.repeat(6) + "\r\n";
    line.repeat(1 + octets / line.len())
}
