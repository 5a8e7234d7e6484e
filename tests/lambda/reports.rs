//! SES's reports on what was sent, as its configuration set publishes them.

use std::time::{Duration, Instant};

use readdress::header::mailbox::Address;
use readdress::signed::AliasKey;
use serde_json::{Value, json};

use super::support::ses::Message;
use super::{ID, MAP, PATIENCE, Stands, TARGETS, assert_same, body_of, message, ses_event};

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:readdress-events";
const KEY: &str = "MdtECwg2GAle0VL6/vt3xS3XxGDpOWujjf8tkaZb+38=";
const SETTING: (&str, &str) = ("EVENTS_TOPIC", TOPIC);

/// A report about the message, as SES writes it.
fn report(kind: &str, name: &str, sent_id: &str, told: &Value) -> Value {
    json!({"eventType": kind, name: told, "mail": {
        "timestamp": "2026-11-05T00:40:02.012Z", "source": "shop@example.com",
        "sendingAccountId": "123456789012", "messageId": sent_id, "destination": TARGETS,
        "headersTruncated": false, "headers": [{"name": "Subject", "value": "unmistakable lamp"}],
        "commonHeaders": {"from": ["shop@example.com"], "subject": "unmistakable lamp"},
        "tags": {"ses:operation": ["SendEmail"], "ses:configuration-set": ["mail"], "readdress": [ID]}}})
}

fn bounce(sent_id: &str, target: &str, bounce_type: &str) -> Value {
    let told = json!({"bounceType": bounce_type, "bounceSubType": "General", "feedbackId": "0102018f-000000",
        "bouncedRecipients": [{"emailAddress": target, "action": "failed", "status": "5.1.1",
            "diagnosticCode": format!("smtp; 550 5.1.1 <{target}>: user unknown")}],
        "timestamp": "2026-11-05T00:41:02.669Z", "reportingMTA": "dns; a4-1.smtp-out.eu-west-1.amazonses.com"});
    report("Bounce", "bounce", sent_id, &told)
}

fn by_topic(topic: &str, report: &Value) -> Value {
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": format!("{topic}:1"),
        "Sns": {"Type": "Notification", "MessageId": "1", "TopicArn": topic, "Subject": "Amazon SES Email Event Notification",
            "Message": report.to_string()}}]})
}

impl Stands {
    /// Forwards a mail, and returns SES's id of it.
    fn sent(&self) -> String {
        self.deliver(&message(2_000)).unwrap();
        self.ses.take_messages().remove(0).id
    }
}

/// Whether it is a notice, and not what was forwarded.
fn is_notice(sent: &Message) -> bool {
    String::from_utf8_lossy(&sent.raw).contains("X-Readdress-Notice: ")
}

#[test]
fn the_other_target_is_told_of_one_that_is_gone() {
    let stands = Stands::start();
    let running = stands.function(&[SETTING]);
    let id = stands.sent();
    let event = by_topic(TOPIC, &bounce(&id, "Jane@example.net", "Permanent"));
    // Of two reports on the same message the second tells nothing new.
    for _ in 0..2 {
        stands.api.invoke(&event).unwrap();
    }
    let sent = stands.ses.messages();
    assert_eq!(sent.len(), 1, "one notice");
    assert!(is_notice(&sent[0]));
    assert_eq!(sent[0].to, ["omar@example.net"]);
    let text = String::from_utf8_lossy(&sent[0].raw).replace("=\r\n", "");
    assert!(text.contains("readdress unsuppress Jane@example.net"), "{text}");

    let metrics = running
        .wait_for_line("\"reported_bounces\":1", PATIENCE)
        .expect("a count");
    assert!(metrics.contains("\"bounced\":1"), "{metrics}");
    assert!(running.wait_for_line("\"class\":\"gone\"", PATIENCE).is_some());
    for line in running.lines() {
        for personal in ["jane@", "Jane@", "omar@", "shop@", "lamp"] {
            assert!(!line.contains(personal), "{personal} in {line}");
        }
    }
}

#[test]
fn the_fallback_gets_what_a_target_did_not_get_once() {
    let stands = Stands::start();
    let map = json!({"shop@example.com": {"to": "jane@example.net", "fallback": "ann@example.net"}});
    stands.ssm.put(MAP, &map.to_string());
    let _running = stands.function(&[SETTING]);
    let id = stands.sent();
    let event = by_topic(TOPIC, &bounce(&id, "jane@example.net", "Permanent"));
    for _ in 0..2 {
        stands.api.invoke(&event).unwrap();
    }
    stands.ses.assert_signed();
    let (notices, mail): (Vec<Message>, Vec<Message>) =
        stands.ses.messages().into_iter().partition(is_notice);
    assert_eq!((notices.len(), mail.len()), (1, 1));
    assert_same(mail[0].body(), body_of(&message(2_000)));
    assert_eq!(
        (&mail[0].to, &notices[0].to),
        (&vec!["ann@example.net".to_owned()], &mail[0].to)
    );
    let page = stands
        .s3
        .object(super::BUCKET, &format!("ledger/{ID}.json"))
        .unwrap();
    let page: Value = serde_json::from_slice(&page).unwrap();
    assert_eq!(page["sent"].as_array().unwrap().len(), 2);
    assert_eq!(page["outcomes"]["shop@example.com"]["outcome"], "sent");
}

impl Stands {
    /// Sends an answer from shop@example.com to these correspondents, and returns SES's id of it.
    fn answered(&self, correspondents: &[&str]) -> String {
        let parse = |text: &str| text.parse::<Address>().unwrap();
        let key = AliasKey::parse(KEY.as_bytes()).unwrap();
        let reply_address = |correspondent: &&str| {
            let to = key.reply_address(&parse("shop@example.com"), &parse(correspondent));
            to.unwrap().to_string()
        };
        let to: Vec<String> = correspondents.iter().map(reply_address).collect();
        let answer = format!(
            "From: jane@example.net\r\nTo: {}\r\nSubject: Re: unmistakable lamp\r\n\r\nYes.\r\n",
            to.join(",\r\n ")
        );
        self.put(ID, answer.as_bytes());
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let mut event = ses_event(ID, &to);
        event["Records"][0]["ses"]["receipt"]["dmarcVerdict"] = json!({"status": "PASS"});
        self.api.invoke(&event).unwrap();
        let sent = self.ses.take_messages().remove(0);
        assert_eq!(sent.to, correspondents);
        sent.id
    }
}

/// Catches an owner who waits for an answer to an answer that nobody got.
#[test]
fn the_owner_is_told_of_an_answer_that_did_not_arrive() {
    let stands = Stands::start();
    stands.ssm.put("/readdress/key", KEY);
    let _running = stands.function(&[SETTING, ("ALIAS_KEY_PARAM", "/readdress/key")]);
    let id = stands.answered(&["zoe@example.org"]);

    let event = by_topic(TOPIC, &bounce(&id, "zoe@example.org", "Permanent"));
    for _ in 0..2 {
        stands.api.invoke(&event).unwrap();
    }
    let notices = stands.ses.messages();
    assert_eq!(notices.len(), 1, "told once, and nothing else is sent");
    assert!(is_notice(&notices[0]));
    assert_eq!(notices[0].to, TARGETS);
    let text = String::from_utf8_lossy(&notices[0].raw).replace("=\r\n", "");
    assert!(
        text.contains("An answer from shop@example.com")
            && text.contains("zoe@example.org: there is no such mailbox"),
        "{text}"
    );
}

/// Catches an owner who hears of the first loss of an answer alone, while the outcome of the second says that it was told.
#[test]
fn the_owner_is_told_of_each_correspondent_that_an_answer_did_not_reach() {
    let stands = Stands::start();
    stands.ssm.put("/readdress/key", KEY);
    let _running = stands.function(&[SETTING, ("ALIAS_KEY_PARAM", "/readdress/key")]);
    let correspondents = ["zoe@example.org", "ann@example.org"];
    let id = stands.answered(&correspondents);
    for gone in correspondents {
        for _ in 0..2 {
            let event = by_topic(TOPIC, &bounce(&id, gone, "Permanent"));
            stands.api.invoke(&event).unwrap();
        }
        let notices = stands.ses.take_messages();
        assert_eq!(notices.len(), 1, "{gone}");
        assert!(is_notice(&notices[0]));
        assert_eq!(notices[0].to, TARGETS);
        let text = String::from_utf8_lossy(&notices[0].raw).replace("=\r\n", "");
        assert!(
            text.contains(&format!("{gone}: there is no such mailbox")),
            "{text}"
        );
    }
}

#[test]
fn the_fallback_that_ses_cannot_take_now_is_tried_again() {
    let stands = Stands::start();
    let map = json!({"shop@example.com": {"to": "jane@example.net", "fallback": "ann@example.net"}});
    stands.ssm.put(MAP, &map.to_string());
    let _running = stands.function(&[SETTING]);
    let id = stands.sent();
    let event = by_topic(TOPIC, &bounce(&id, "jane@example.net", "Permanent"));
    let paused = super::support::ses::Refusal::new(400, "SendingPausedException", "paused");
    stands.ses.script([super::support::ses::Fault::Refuse(paused)]);
    stands.api.invoke(&event).unwrap_err();
    stands.api.invoke(&event).unwrap();
    assert!(
        stands
            .ses
            .messages()
            .iter()
            .any(|sent| !is_notice(sent) && sent.to == ["ann@example.net"])
    );
}

/// Nobody is left to be told: the event must not count as dealt with.
#[test]
fn the_only_target_that_is_gone_fails_the_invocation() {
    let stands = Stands::start();
    stands.ssm.put(MAP, r#"{"shop@example.com": "jane@example.net"}"#);
    let _running = stands.function(&[SETTING]);
    let id = stands.sent();
    let event = by_topic(TOPIC, &bounce(&id, "jane@example.net", "Permanent"));
    let error = stands.api.invoke(&event).unwrap_err();
    let text = error["errorMessage"].as_str().unwrap();
    assert!(
        text.contains("bounced") && text.contains("unsuppress") && !text.contains('@'),
        "{text}"
    );
    assert!(stands.ses.messages().is_empty());
}

#[test]
fn reports_that_change_nothing_are_counted() {
    let stands = Stands::start();
    let running = stands.function(&[SETTING]);
    let id = stands.sent();
    let recipients = json!([{"emailAddress": "jane@example.net", "status": "4.2.2",
        "diagnosticCode": "smtp; 452 4.2.2 mailbox full"}]);
    let full =
        json!({"bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": recipients});
    let late = json!({"delayType": "MailboxFull", "delayedRecipients": recipients});
    let records: Vec<Value> = [
        report("Bounce", "bounce", &id, &full),
        report("DeliveryDelay", "deliveryDelay", &id, &late),
        report("Delivery", "delivery", &id, &json!({"recipients": TARGETS})),
    ]
    .iter()
    .map(|report| by_topic(TOPIC, report)["Records"][0].clone())
    .collect();
    stands.api.invoke(&json!({"Records": records})).unwrap();
    assert!(stands.ses.messages().is_empty());
    let metrics = running
        .wait_for_line("\"reported_delays\":1", PATIENCE)
        .expect("a count");
    assert!(
        metrics.contains("\"reported_bounces\":1") && metrics.contains("\"bounced\":0"),
        "{metrics}"
    );
}

#[test]
fn complaints_and_rejects_are_told() {
    let stands = Stands::start();
    let _running = stands.function(&[SETTING]);
    let id = stands.sent();
    let told = json!({"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": "jane@example.net"}]});
    let event = by_topic(TOPIC, &report("Complaint", "complaint", &id, &told));
    stands.api.invoke(&event).unwrap();
    let notice = stands.ses.take_messages().remove(0);
    assert_eq!(notice.to, ["omar@example.net"]);
    let reject = report("Reject", "reject", &id, &json!({"reason": "Bad content"}));
    stands.api.invoke(&by_topic(TOPIC, &reject)).unwrap();
    // Omar has been told of this message before.
    assert_eq!(stands.ses.take_messages().remove(0).to, ["jane@example.net"]);
}

#[test]
fn event_bridge_is_believed_where_the_setting_says_so() {
    let stands = Stands::start();
    let event = |report: Value| {
        json!({"version": "0", "id": "c3d4", "detail-type": "Email Bounced", "source": "aws.ses",
            "account": "123456789012", "region": "eu-west-1", "resources": [], "detail": report})
    };
    let _running = stands.function(&[("EVENTS_TOPIC", &format!("{TOPIC},eventbridge"))]);
    let id = stands.sent();
    stands
        .api
        .invoke(&event(bounce(&id, "jane@example.net", "Permanent")))
        .unwrap();
    assert_eq!(stands.ses.messages().len(), 1);
}

/// Catches a stranger who makes the account send notices, or the fallback get mail.
#[test]
fn what_is_foreign_or_forged_is_ignored() {
    let stands = Stands::start();
    let running = stands.function(&[SETTING]);
    let id = stands.sent();
    let mut untagged = bounce(&id, "jane@example.net", "Permanent");
    untagged["mail"]["tags"] = json!({"ses:operation": ["SendEmail"]});
    let mut unknown = bounce(&id, "jane@example.net", "Permanent");
    unknown["mail"]["tags"]["readdress"] = json!(["never-seen"]);
    let by_bridge = json!({"source": "aws.ses", "detail-type": "Email Bounced",
        "detail": bounce(&id, "jane@example.net", "Permanent")});
    let events = [
        by_topic(
            "arn:aws:sns:eu-west-1:999999999999:x",
            &bounce(&id, "jane@example.net", "Permanent"),
        ),
        by_topic(TOPIC, &bounce("another-id", "jane@example.net", "Permanent")),
        by_topic(TOPIC, &bounce(&id, "stranger@example.org", "Permanent")),
        by_topic(TOPIC, &untagged),
        by_topic(TOPIC, &unknown),
        by_bridge,
    ];
    for event in &events {
        stands.api.invoke(event).unwrap();
    }
    assert!(stands.ses.messages().is_empty());
    let warned = || {
        let lines = running.lines();
        lines
            .iter()
            .filter(|line| line.contains("a report is ignored"))
            .count()
    };
    // The lines are read in another thread.
    let start = Instant::now();
    while warned() < events.len() && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(warned(), events.len());
    assert!(running.lines().iter().all(|line| !line.contains('@')));
}
