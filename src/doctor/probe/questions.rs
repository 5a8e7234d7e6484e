//! The questions, each a mail.

/// The name of the question whose mail has nothing odd in it.
pub const PLAIN: &str = "plain";

/// SES's simulator of a mailbox that refuses.
const BOUNCES: &str = "bounce@simulator.amazonses.com";

/// Octets of a mail that is under SES's 40 MiB as it is, and over it in base64.
const LARGE: usize = 35 << 20;

/// Who writes to whom.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The sender: of a verified identity.
    pub from: String,
    /// The operator's own address.
    pub to: String,
    /// An address whose mail a receipt rule stores, and to which reports of bounces go.
    pub through: Option<String>,
    /// A word that no other mail has.
    pub token: String,
}

/// Where a mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To the operator.
    Operator,
    /// To the alias, and so into the bucket.
    Through,
    /// To a mailbox that refuses; the report about it comes into the bucket.
    BouncingSimulator,
}

/// A question to SES.
pub struct Question {
    /// The name, as `--only` takes it.
    pub name: &'static str,
    /// The question.
    pub asks: &'static str,
    /// Where the mail goes.
    pub to: To,
    /// Asked only if its name is given: it costs more than a small mail.
    pub on_request: bool,
    /// The mail.
    pub message: fn(&Addresses) -> Vec<u8>,
    /// What is worth reporting of the mail that comes into the bucket.
    pub seen: fn(&[u8]) -> Vec<String>,
}

/// All of them.
pub const QUESTIONS: &[Question] = &[
    small(
        PLAIN,
        "does SES take a mail with nothing odd in it?",
        |addresses| mail(addresses, "", "Hello.\r\n"),
    ),
    small("bare-cr-field", "a bare CR in a field", |addresses| {
        mail(addresses, "X-Odd: one\rtwo\r\n", "Hello.\r\n")
    }),
    small("bare-cr-body", "a bare CR in the body", |addresses| {
        mail(addresses, "", "one\rtwo\r\n")
    }),
    small("to-51", "51 addresses in To, one in the envelope", |addresses| {
        let many: Vec<String> = (1..=51).map(|n| format!("a{n}@example.com")).collect();
        let to = format!("To: {}\r\n", many.join(",\r\n "));
        replaced(addresses, &format!("To: {}\r\n", addresses.to), &to)
    }),
    small("8bit-subject", "raw UTF-8 in Subject", |addresses| {
        replaced(
            addresses,
            "Subject: readdress probe",
            "Subject: readdress pr\u{f6}be",
        )
    }),
    small("8bit-name", "raw UTF-8 in a display name", |addresses| {
        let cc = "Cc: \"J\u{f6}rg\" <jorg@example.com>\r\n";
        mail(addresses, cc, "Hello.\r\n")
    }),
    small(
        "underscore-domain",
        "a domain with an underscore in Reply-To",
        |addresses| {
            mail(
                addresses,
                "Reply-To: jane@under_score.example.com\r\n",
                "Hello.\r\n",
            )
        },
    ),
    small("long-line", "a body line of 1,200 octets", |addresses| {
        mail(addresses, "", &format!("{}\r\n", "a".repeat(1_200)))
    }),
    small("long-field", "a field line of 1,200 octets", |addresses| {
        mail(
            addresses,
            &format!("X-Odd: {}\r\n", "a".repeat(1_200)),
            "Hello.\r\n",
        )
    }),
    Question {
        name: "large",
        asks: "35 MiB, which are over 40 MiB in base64: does the limit count the raw mail?",
        on_request: true,
        ..small("", "", |addresses| {
            let line = format!("{}\r\n", "a".repeat(76));
            mail(addresses, "", &line.repeat(LARGE / line.len()))
        })
    },
    Question {
        name: "verdicts",
        asks: "which fields does SES put on top of what it stores?",
        to: To::Through,
        seen: verdicts,
        ..small("", "", |addresses| mail(addresses, "", "Hello.\r\n"))
    },
    Question {
        name: "bounce",
        asks: "what does the report of a bounce enclose?",
        to: To::BouncingSimulator,
        seen: enclosed,
        ..small("", "", |addresses| mail(addresses, "", "Hello.\r\n"))
    },
];

const fn small(name: &'static str, asks: &'static str, message: fn(&Addresses) -> Vec<u8>) -> Question {
    Question {
        name,
        asks,
        to: To::Operator,
        on_request: false,
        message,
        seen: |_| Vec::new(),
    }
}

impl Question {
    /// The mail, with the question's name behind the mark: the operator sees what each is about.
    pub(super) fn mail(&self, addresses: &Addresses) -> Vec<u8> {
        let mail = (self.message)(addresses);
        let mark = mark(&addresses.token);
        match memchr::memmem::find(&mail, mark.as_bytes()) {
            Some(at) => {
                let (before, after) = mail.split_at(at + mark.len());
                [before, b" ", self.name.as_bytes(), after].concat()
            }
            None => mail,
        }
    }
}

/// The field by which a mail of ours is found again.
pub(super) fn mark(token: &str) -> String {
    format!("X-Readdress-Probe: {token}")
}

impl Addresses {
    /// The recipient of the envelope.
    pub(super) fn envelope(&self, to: To) -> &str {
        match to {
            To::Operator => &self.to,
            To::Through => self.through.as_ref().unwrap_or(&self.to),
            To::BouncingSimulator => BOUNCES,
        }
    }
}

fn mail(addresses: &Addresses, fields: &str, body: &str) -> Vec<u8> {
    let Addresses { from, to, token, .. } = addresses;
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: readdress probe\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n{}\r\n{fields}\r\n{body}",
        mark(token)
    )
    .into_bytes()
}

fn replaced(addresses: &Addresses, text: &str, with: &str) -> Vec<u8> {
    let plain = String::from_utf8(mail(addresses, "", "Hello.\r\n")).unwrap_or_default();
    plain.replace(text, with).into_bytes()
}

/// SES's own fields, which stand above those of the sender.
fn verdicts(message: &[u8]) -> Vec<String> {
    let own = [
        "return-path",
        "received",
        "x-ses-",
        "received-spf",
        "authentication-results",
    ];
    let fields = fields(message).into_iter().take_while(|(name, _)| name != "From");
    let seen = fields.filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        own.iter().any(|own| name.starts_with(own))
    });
    // Of this one only the name: its value is a signature of SES's over all of the mail.
    seen.map(|(name, value)| match &*name {
        "X-SES-RECEIPT" | "X-SES-DKIM-SIGNATURE" => format!("{name}: …"),
        _ => format!("{name}: {value}"),
    })
    .collect()
}

/// The types of the parts of a report, and the names of the fields of its second.
fn enclosed(message: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(message);
    let lines = text.lines().map(str::trim_end);
    let names = [
        "Content-Type",
        "Content-Description",
        "Reporting-MTA",
        "Action",
        "Status",
        "Diagnostic-Code",
        "Remote-MTA",
    ];
    let worth = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        names.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    lines.filter(worth).map(str::to_owned).collect()
}

/// The fields of the header section, unfolded.
fn fields(message: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(message);
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text
        .lines()
        .map(str::trim_end)
        .take_while(|line| !line.is_empty())
    {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    fields
}
