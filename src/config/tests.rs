use super::*;

fn read(settings: &[(&str, &str)]) -> Result<Settings, String> {
    let lookup = |name: &str| {
        let mut named = settings.iter().filter(|(other, _)| *other == name);
        named.next().map(|(_, value)| (*value).to_owned())
    };
    Settings::read(&lookup).map_err(|error| error.to_string())
}

const LEAST: [(&str, &str); 2] = [
    ("EMAIL_BUCKET", "mail"),
    ("ALIAS_MAP_PARAM", "/readdress/aliases"),
];

fn with(name: &str, value: &str) -> Result<Settings, String> {
    read(&[&[(name, value)], &LEAST[..]].concat())
}

#[test]
fn two_settings_are_enough() {
    let settings = read(&LEAST).unwrap();
    assert_eq!(settings.email_bucket, BucketPlace::S3("mail".to_owned()));
    assert_eq!(
        settings.alias_map,
        MapPlace::Parameter("/readdress/aliases".to_owned())
    );
    assert_eq!(settings.outbox, OutboxPlace::Ses);
    assert_eq!(settings.max_send_bytes, 10_485_760);
    assert_eq!(settings.ses, SesSettings::default());
    for (n, (name, _)) in LEAST.iter().enumerate() {
        let error = read(&[LEAST[1 - n]]).unwrap_err();
        assert_eq!(error, format!("{name}: it is not set"));
    }
}

/// Catches an option that a deployment tool leaves empty and that stops all mail.
#[test]
fn an_empty_value_is_none() {
    for name in [
        "OUTBOX",
        "FROM_EMAIL",
        "FROM_FORMAT",
        "MAX_SEND_BYTES",
        "EMAIL_TAGS",
        "CONFIGURATION_SET",
    ] {
        with(name, "").unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(with("EMAIL_BUCKET", "").unwrap_err().contains("not set"));
}

#[test]
fn each_setting_is_understood() {
    let map = |text| with("ALIAS_MAP_PARAM", text).map(|settings| settings.alias_map);
    assert_eq!(map("file:a/b"), Ok(MapPlace::File("a/b".into())));
    let (bucket, key) = ("conf".to_owned(), "mail/aliases.json".to_owned());
    assert_eq!(
        map("s3://conf/mail/aliases.json"),
        Ok(MapPlace::Object { bucket, key })
    );
    let key = |text| with("ALIAS_KEY_PARAM", text).map(|settings| settings.alias_key);
    assert_eq!(key("file:key"), Ok(Some(KeyPlace::File("key".into()))));
    assert_eq!(
        key("/readdress/key"),
        Ok(Some(KeyPlace::Parameter("/readdress/key".into())))
    );
    assert_eq!(key(""), Ok(None));
    let outbox = |text| with("OUTBOX", text).map(|settings| settings.outbox);
    assert_eq!(outbox("file:out"), Ok(OutboxPlace::Directory("out".into())));
    let tags = with("EMAIL_TAGS", "app=readdress, stage=prod").unwrap().ses.tags;
    let tags: Vec<_> = tags.iter().map(|tag| (&tag.name[..], &tag.value[..])).collect();
    assert_eq!(tags, [("app", "readdress"), ("stage", "prod")]);
    let topic = "arn:aws:sns:eu-west-1:123456789012:events";
    let channels =
        with("EVENTS_TOPIC", &format!("{topic}, eventbridge")).map(|settings| settings.events_topic);
    assert_eq!(
        channels,
        Ok(vec![Channel::Topic(topic.to_owned()), Channel::EventBridge])
    );
    assert_eq!(with("ALIAS_MAP_TTL", "0").unwrap().alias_map_ttl, Duration::ZERO);
    let limit = |text| with("MAX_SEND_BYTES", text).map(|settings| settings.max_send_bytes);
    assert_eq!(limit("41943040"), Ok(SES_MAX_SEND_BYTES));
}

/// Catches mail that is taken for the ledger, and is ignored.
#[test]
fn no_mail_lies_under_the_ledger() {
    let ledger = |ledger, prefix| {
        let settings = [("LEDGER", ledger), ("EMAIL_PREFIX", prefix)];
        read(&[&settings, &LEAST[..]].concat()).map(|settings| settings.ledger)
    };
    let under = |prefix: &str| Ok(Some(prefix.to_owned()));
    assert_eq!(ledger("", ""), under("ledger/"));
    assert_eq!(ledger("off", ""), Ok(None));
    assert_eq!(ledger("inbound/ledger/", "inbound/"), under("inbound/ledger/"));
    for (name, prefix) in [
        ("inbound/", "inbound/"),
        ("in/", "in/bound/"),
        ("", "ledger/mail/"),
    ] {
        assert!(
            ledger(name, prefix)
                .unwrap_err()
                .starts_with("LEDGER: mail lies under")
        );
    }
    assert_eq!(with("ON_DOUBT", "hold").unwrap().on_doubt, OnDoubt::Hold);
    assert_eq!(read(&LEAST).unwrap().on_doubt, OnDoubt::Resend);
}

/// Catches reports that are believed of any message, since there is nothing to ask.
#[test]
fn reports_need_the_ledger() {
    let settings = [("EVENTS_TOPIC", "eventbridge"), ("LEDGER", "off")];
    let error = read(&[&settings, &LEAST[..]].concat()).unwrap_err();
    assert!(
        error.starts_with("EVENTS_TOPIC: ") && error.contains("LEDGER"),
        "{error}"
    );
}

#[test]
fn each_mistake_is_named() {
    for (name, value) in [
        ("EMAIL_BUCKET", "s3://mail"),
        ("EMAIL_BUCKET", "file:"),
        ("ALIAS_MAP_PARAM", "s3://conf"),
        ("ALIAS_MAP_PARAM", "shop@example.com"),
        ("ALIAS_KEY_PARAM", "file:"),
        ("ALIAS_KEY_PARAM", "/readdress/"),
        ("ALIAS_KEY_PARAM", "s3://conf/key"),
        ("OUTBOX", "SES"),
        ("EMAIL_PREFIX", "/in"),
        ("EMAIL_PREFIX", "in/../"),
        ("LEDGER", "on"),
        ("LEDGER", "/ledger/"),
        ("ON_DOUBT", "drop"),
        ("ON_SPAM", "obey"),
        ("ON_DMARC", "reject"),
        ("NOTIFY", "Jane <jane@example.org>"),
        ("MAX_SEND_BYTES", "42MB"),
        ("MAX_SEND_BYTES", "10M"),
        ("ALIAS_MAP_PARAM", "file:~/aliases.json"),
        ("EMAIL_BUCKET", "file:~"),
        ("MAX_SEND_BYTES", "0"),
        ("MAX_SEND_BYTES", "41943041"),
        ("ALIAS_MAP_TTL", "-1"),
        ("FROM_FORMAT", "Full"),
        ("FROM_EMAIL", "Shop <shop@example.com>"),
        ("TO_HEADER", "target"),
        ("SUBJECT_PREFIX", "a\nBcc: x@example.net"),
        ("CONFIGURATION_SET", "my set"),
        ("EMAIL_TAGS", "app"),
        ("EMAIL_TAGS", "app=a b"),
        ("EMAIL_TAGS", "app=a,app=b"),
        ("EMAIL_TAGS", "readdress=x"),
        ("EVENTS_TOPIC", "events"),
        ("EVENTS_TOPIC", "eventbridge,"),
        ("FEEDBACK_EMAIL", "bounces"),
        ("METRICS_NAMESPACE", "AWS/Lambda"),
    ] {
        let error = with(name, value).unwrap_err();
        assert!(error.starts_with(&format!("{name}: ")), "{value}: {error}");
    }
}
