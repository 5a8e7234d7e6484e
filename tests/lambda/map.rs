//! Where the alias map comes from, and what happens while it does not.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::support::ssm;
use super::{ID, MAP, PATIENCE, Stands, TARGETS, message, ses_event};

#[test]
fn the_last_good_map_serves_while_ssm_fails() {
    let stands = Stands::start();
    let running = stands.function(&[("ALIAS_MAP_TTL", "1")]);
    stands.deliver(&message(2_000)).unwrap();
    assert_eq!(stands.ses.take_messages().len(), 1);
    for (name, map, fault) in [
        ("SSM fails", None, ssm::Fault::Error),
        (
            "may not be read",
            None,
            ssm::Fault::Refuse(400, "AccessDeniedException".to_owned()),
        ),
        (
            "does not parse",
            Some("{\"shop@example.com\": "),
            ssm::Fault::None,
        ),
    ] {
        if let Some(map) = map {
            stands.ssm.put(MAP, map);
        }
        stands.ssm.stand(fault);
        std::thread::sleep(Duration::from_millis(1_100));
        let asked = stands.ssm.attempts().len();
        stands.deliver(&message(2_000)).unwrap();
        assert!(stands.ssm.attempts().len() > asked, "{name}: a refresh was due");
        assert_eq!(stands.ses.take_messages().len(), 1, "{name}");
        assert!(
            running.wait_for_line("WARN", PATIENCE).is_some(),
            "{name}: a warning"
        );
    }

    // One that parses takes over.
    stands.ssm.put(MAP, r#"{"shop@example.com": "new@example.net"}"#);
    std::thread::sleep(Duration::from_millis(1_100));
    stands.deliver(&message(2_000)).unwrap();
    assert_eq!(stands.ses.messages()[0].to, ["new@example.net"]);
}

#[test]
fn without_any_map_the_invocation_fails_and_the_next_may_not() {
    let stands = Stands::start();
    let _running = stands.function(&[]);
    stands
        .ssm
        .stand(ssm::Fault::Refuse(400, "AccessDeniedException".to_owned()));
    stands.deliver(&message(2_000)).unwrap_err();
    stands.ssm.stand(ssm::Fault::None);
    stands.deliver(&message(2_000)).unwrap();
    stands.assert_landed(&message(2_000), &TARGETS);
}

#[test]
fn a_path_of_parameters_is_one_map() {
    let stands = Stands::start();
    for n in 0..12 {
        let map = format!("{{\"a{n}@example.com\": \"t{n}@example.net\"}}");
        stands.ssm.put(&format!("/readdress/maps/{n}"), &map);
    }
    let _running = stands.function(&[("ALIAS_MAP_PARAM", "/readdress/maps/")]);
    stands.put(ID, &message(2_000));
    let event = ses_event(ID, &["a0@example.com", "a11@example.com"]);
    stands.api.invoke(&event).unwrap();
    let sent = stands.ses.messages();
    let to: BTreeSet<&String> = sent.iter().flat_map(|message| &message.to).collect();
    assert_eq!(to.len(), 2, "those of both pages: {to:?}");
}

/// Whoever adds an alias sends a mail to try it.
#[test]
fn an_alias_that_was_just_added_receives() {
    let stands = Stands::start();
    let _running = stands.function(&[("ALIAS_MAP_TTL", "3600")]);
    stands.deliver(&message(2_000)).unwrap();
    stands.ssm.put(MAP, r#"{"new@example.com": "jane@example.net"}"#);
    std::thread::sleep(Duration::from_millis(5_100));
    stands.put("m1", &message(2_000));
    stands.api.invoke(&ses_event("m1", &["new@example.com"])).unwrap();
    assert_eq!(stands.ses.messages()[1].to, ["jane@example.net"]);
}

/// An old map that knows nothing of a recipient decides nothing: the mail must not be settled as `no_alias`.
#[test]
fn an_old_map_does_not_settle_what_it_does_not_know() {
    let stands = Stands::start();
    let _running = stands.function(&[("ALIAS_MAP_TTL", "0")]);
    stands.deliver(&message(2_000)).unwrap();
    stands.ssm.stand(ssm::Fault::Error);
    stands.put("m1", &message(2_000));
    let both = ses_event("m1", &["shop@example.com", "new@example.com"]);
    stands.api.invoke(&both).unwrap_err();
    assert_eq!(stands.ses.messages().len(), 2, "whom the map knows gets the mail");

    stands.ssm.stand(ssm::Fault::None);
    stands.api.invoke(&both).unwrap();
    assert_eq!(stands.ses.messages().len(), 2, "once");
}

#[test]
fn a_map_in_s3_serves() {
    let stands = Stands::start();
    let map = r#"{"shop@example.com": ["jane@example.net", "omar@example.net"]}"#;
    stands.s3.put("conf", "mail/aliases.json", map.as_bytes());
    let _running = stands.function(&[("ALIAS_MAP_PARAM", "s3://conf/mail/aliases.json")]);
    stands.deliver(&message(2_000)).unwrap();
    stands.assert_landed(&message(2_000), &TARGETS);
    assert!(stands.ssm.attempts().is_empty());
}

#[test]
fn a_parameter_that_is_nearly_full_is_warned_about() {
    let stands = Stands::start();
    let names: Vec<String> = (0..135)
        .map(|n| format!("\"a{n:03}\": \"jane@example.net\""))
        .collect();
    let map = format!("{{{}, \"shop\": \"jane@example.net\"}}", names.join(", "));
    assert!((3_700..4_096).contains(&map.len()), "{}", map.len());
    stands.ssm.put(MAP, &map);
    let running = stands.function(&[]);
    stands.deliver(&message(2_000)).unwrap();
    let line = running
        .wait_for_line("advanced tier", PATIENCE)
        .expect("a warning");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["level"], &line["octets"]),
        (&"WARN".into(), &map.len().into())
    );
}
