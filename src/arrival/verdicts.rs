//! SES's verdicts on a message: spam, virus, DMARC.
//!
//! They stand in the event. S3's own event has none; then they are read from SES's fields on top of the stored message. Only
//! fields that no sender can have written count: see [`from_header`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message_id::MessageId;
use super::trace;
use crate::header::{Field, Header};

/// SES's verdicts on a message. `None`: there is no verdict, or SES says that it has not looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdicts {
    /// Whether it takes the message for spam.
    pub spam: Option<Verdict>,
    /// Whether it has found a virus.
    pub virus: Option<Verdict>,
    /// Whether the From is proven (RFC 7489).
    pub dmarc: Option<Verdict>,
    /// The policy of the From's domain for mail whose From is not proven.
    pub dmarc_policy: Option<DmarcPolicy>,
}

/// One verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Nothing is wrong.
    Pass,
    /// Something is wrong.
    Fail,
    /// Of spam and viruses: SES is not sure. Of DMARC: the From is not proven, and its domain has no policy, or `none`.
    Gray,
}

/// The policy of a From's domain for mail that fails DMARC (RFC 7489 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// `none`: it is to be treated as any other.
    None,
    /// `quarantine`: it is to be treated as suspicious.
    Quarantine,
    /// `reject`: it is to be refused.
    Reject,
}

impl Verdict {
    /// Parses SES's verdict, ignoring case and white space around it. `None`: `DISABLED`, `PROCESSING_FAILED` or anything else, which
    /// is no verdict on the message.
    pub fn of(text: &str) -> Option<Self> {
        let known = [Verdict::Pass, Verdict::Fail, Verdict::Gray];
        let text = text.trim();
        known
            .into_iter()
            .find(|verdict| text.eq_ignore_ascii_case(verdict.as_str()))
    }

    /// As SES writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::Gray => "GRAY",
        }
    }
}

impl DmarcPolicy {
    /// Parses the policy, ignoring case and white space around it. `None`: it is no policy of RFC 7489.
    pub fn of(text: &str) -> Option<Self> {
        let known = [DmarcPolicy::None, DmarcPolicy::Quarantine, DmarcPolicy::Reject];
        let text = text.trim();
        known
            .into_iter()
            .find(|policy| text.eq_ignore_ascii_case(policy.as_str()))
    }

    /// As a domain writes it in its record.
    pub fn as_str(self) -> &'static str {
        match self {
            DmarcPolicy::None => "none",
            DmarcPolicy::Quarantine => "quarantine",
            DmarcPolicy::Reject => "reject",
        }
    }
}

/// The verdicts in the receipt of an event. `None`: it has none at all.
pub(super) fn from_receipt(receipt: &Value) -> Option<Verdicts> {
    const NAMES: [&str; 3] = ["spamVerdict", "virusVerdict", "dmarcVerdict"];
    if NAMES.iter().all(|name| receipt[*name].is_null()) {
        return None;
    }
    let [spam, virus, dmarc] = NAMES.map(|name| receipt[name]["status"].as_str().and_then(Verdict::of));
    Some(Verdicts {
        spam,
        virus,
        dmarc,
        dmarc_policy: receipt["dmarcPolicy"].as_str().and_then(DmarcPolicy::of),
    })
}

/// The field with which SES ends its own, above those of the sender.
const RECEIPT: &str = "x-ses-receipt";

/// The verdicts in the message's own header section. The topmost Received must be that of SES for this message; from there to
/// the first X-SES-RECEIPT the fields are SES's, and the first field of each name counts. Where either is missing there are no
/// verdicts: all other fields may be the sender's.
///
/// ```
/// use readdress::arrival::{MessageId, Verdict, verdicts};
/// use readdress::header::Header;
///
/// let mut header = Header::new();
/// for field in [
///     "Received: from mx.example.org by inbound-smtp.eu-west-1.amazonaws.com with SMTP id m1\r\n for shop@example.com; today\r\n",
///     "X-SES-Spam-Verdict: FAIL\r\n",
///     "X-SES-RECEIPT: abc\r\n",
///     "X-SES-Virus-Verdict: FAIL\r\n", // the sender's
/// ] {
///     header.push(field.as_bytes());
/// }
/// let verdicts = verdicts::from_header(&header, &MessageId::parse("m1").unwrap()).unwrap();
/// assert_eq!((verdicts.spam, verdicts.virus), (Some(Verdict::Fail), None));
/// ```
pub fn from_header(header: &Header, message_id: &MessageId) -> Option<Verdicts> {
    let fields = fields_of_ses(header, message_id)?;
    let first = |name: &str| fields.iter().find(|field| field.is(name));
    let body = |name: &str| first(name).map(|field| String::from_utf8_lossy(field.body()).into_owned());
    let verdict = |name: &str| body(name).and_then(|text| Verdict::of(&text));
    let (dmarc, dmarc_policy) = body("authentication-results").map_or((None, None), |text| dmarc(&text));
    Some(Verdicts {
        spam: verdict("x-ses-spam-verdict"),
        virus: verdict("x-ses-virus-verdict"),
        dmarc,
        dmarc_policy,
    })
}

/// The fields between SES's Received and its receipt.
fn fields_of_ses<'a>(header: &'a Header, message_id: &MessageId) -> Option<Vec<Field<'a>>> {
    let mut fields = header.fields().skip_while(|field| !field.is("received"));
    trace::clauses_of_ses(fields.next()?.body(), message_id).ok()?;
    let mut own = Vec::new();
    for field in fields {
        // The next relay's trace: SES writes its receipt above it.
        if field.is("received") {
            return None;
        }
        if field.is(RECEIPT) {
            return Some(own);
        }
        own.push(field);
    }
    None
}

/// The DMARC result in SES's Authentication-Results (RFC 8601 2.2), and the policy where a comment names it.
fn dmarc(results: &str) -> (Option<Verdict>, Option<DmarcPolicy>) {
    let mut parts = results.split(';');
    if parts.next().map(str::trim) != Some("amazonses.com") {
        return (None, None);
    }
    let mut results = parts.filter_map(|part| part.trim().strip_prefix("dmarc="));
    let Some(result) = results.next() else {
        return (None, None);
    };
    let word = result.split(|c: char| !c.is_ascii_alphanumeric()).next();
    let policy = result
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '=')
        .find_map(|word| word.strip_prefix("p="))
        .and_then(DmarcPolicy::of);
    let verdict = match (word, policy) {
        (Some("pass"), _) => Some(Verdict::Pass),
        (Some("fail"), Some(DmarcPolicy::None)) | (Some("none"), _) => Some(Verdict::Gray),
        (Some("fail"), _) => Some(Verdict::Fail),
        _ => None,
    };
    (verdict, policy)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RECEIVED: &str = "Received: from mx.example.org by inbound-smtp.eu-west-1.amazonaws.com with SMTP id m1 \
                            for shop@example.com; now";
    const RESULTS: &str =
        "Authentication-Results: amazonses.com; spf=pass (x) client-ip=203.0.113.9; dkim=pass; dmarc=";

    fn read(fields: &[&str]) -> Option<Verdicts> {
        let mut header = Header::new();
        for field in fields {
            header.push(format!("{field}\r\n").as_bytes());
        }
        from_header(&header, &MessageId::parse("m1").unwrap())
    }

    #[test]
    fn the_verdicts_of_an_event() {
        assert_eq!(from_receipt(&json!({"recipients": []})), None);
        let receipt = json!({
            "spamVerdict": {"status": "FAIL"}, "virusVerdict": {"status": "DISABLED"},
            "dmarcVerdict": {"status": "FAIL"}, "dmarcPolicy": "reject"});
        let expected = Verdicts {
            spam: Some(Verdict::Fail),
            virus: None,
            dmarc: Some(Verdict::Fail),
            dmarc_policy: Some(DmarcPolicy::Reject),
        };
        assert_eq!(from_receipt(&receipt), Some(expected));
        let odd = json!({"spamVerdict": 7, "dmarcVerdict": {"status": ["PASS"]}, "dmarcPolicy": "kill"});
        assert_eq!(from_receipt(&odd), Some(Verdicts::default()));
    }

    /// Catches a sender who writes verdicts.
    #[test]
    fn only_fields_that_ses_wrote_count() {
        let spam = |fields: &[&str]| read(fields).map(|verdicts| verdicts.spam);
        let (pass, fail) = ("X-SES-Spam-Verdict: PASS", "X-SES-Spam-Verdict: FAIL");
        let top = "Return-Path: <jane@example.org>";
        let receipt = "X-SES-RECEIPT: abc";
        let good = spam(&[top, RECEIVED, fail, receipt, pass]);
        assert_eq!(good, Some(Some(Verdict::Fail)));
        assert_eq!(spam(&[top, RECEIVED, fail, pass, receipt]), good);
        // The sender's alone.
        assert_eq!(spam(&[top, RECEIVED, receipt, pass]), Some(None));
        for none in [
            &[fail, receipt][..],
            &[RECEIVED, pass],
            &["Received: from a by mx.example.org; now", pass, receipt],
            &["Received: from a by mx.example.org; now", RECEIVED, pass, receipt],
            &[RECEIVED, "Received: from a by b; now", pass, receipt],
            &[&RECEIVED.replace("m1", "m2"), pass, receipt],
        ] {
            assert_eq!(spam(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_result_of_dmarc_is_in_the_authentication_results_of_ses() {
        let dmarc = |result: &str| {
            let results = format!("{RESULTS}{result}");
            let verdicts = read(&[RECEIVED, &results, "X-SES-RECEIPT: abc"]).unwrap();
            (verdicts.dmarc, verdicts.dmarc_policy)
        };
        let (gray, fail) = (Some(Verdict::Gray), Some(Verdict::Fail));
        assert_eq!(
            dmarc("pass header.from=example.org;"),
            (Some(Verdict::Pass), None)
        );
        assert_eq!(dmarc("fail header.from=example.org;"), (fail, None));
        assert_eq!(
            dmarc("fail (p=REJECT sp=none) header.from=example.org;"),
            (fail, Some(DmarcPolicy::Reject))
        );
        assert_eq!(
            dmarc("fail (p=none) header.from=example.org;"),
            (gray, Some(DmarcPolicy::None))
        );
        assert_eq!(dmarc("none header.from=example.org;"), (gray, None));
        assert_eq!(dmarc("temperror"), (None, None));
        let others = "Authentication-Results: mx.example.org; dmarc=pass";
        let verdicts = read(&[RECEIVED, others, "X-SES-RECEIPT: abc"]).unwrap();
        assert_eq!(verdicts.dmarc, None);
    }
}
