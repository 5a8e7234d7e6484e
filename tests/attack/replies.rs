//! Answers in the owner's name that are not the owner's, and correspondents whose addresses are traps. The rest of this table
//! is in `tests/replies.rs` and in `src/signed/reply_address.rs`.

use serde_json::json;

use readdress::forward::Ending;
use readdress::header::mailbox::Address;
use readdress::signed::AliasKey;

use super::world::{ALIAS, Arriving, JANE, OWNER, Sent, VICTIM, World, key, map};

fn ask(world: &mut World, from: &str) -> Sent {
    let octets = format!("From: {from}\r\nTo: shop@example.com\r\nSubject: Order\r\n\r\nHello\r\n");
    let (outcome, mut sent) = world.arrive(octets.as_bytes());
    assert_eq!(outcome.ending, Ending::Sent, "{from}: {:?}", outcome.error);
    sent.remove(0)
}

/// A mail to a reply address with this From field or fields.
fn write(world: &mut World, from: &str, to: &str, dmarc: &str) -> (Ending, Option<&'static str>, Vec<Sent>) {
    let octets = format!("{from}\r\nTo: {to}\r\nSubject: Re: Order\r\n\r\nPay here\r\n");
    let (outcomes, sent) = world.receive(&Arriving {
        from: OWNER,
        to: &[to],
        dmarc,
        ..Arriving::new(octets.as_bytes())
    });
    (outcomes[0].ending, outcomes[0].reason, sent)
}

/// Nothing of it goes to the correspondent, whatever SES says of DMARC.
#[test]
fn a_from_that_looks_like_the_owners() {
    let mut world = World::with_key(&map());
    let reply_to = ask(&mut world, JANE).address_in("Reply-To");
    let (ending, _, sent) = write(&mut world, &format!("From: {OWNER}"), &reply_to, "PASS");
    assert_eq!((ending, &sent[0].to[..]), (Ending::Sent, &[JANE.to_owned()][..]));
    for from in [
        "From: eve@example.net, zoe.private@home.example".to_owned(),
        "From: zoe.private@home.example, eve@example.net".to_owned(),
        "From: eve@example.net\r\nFrom: zoe.private@home.example".to_owned(),
        "From: zoe.private@home.example\r\nFrom: eve@example.net".to_owned(),
        "From: \"zoe.private@home.example\" <eve@example.net>".to_owned(),
        "From: zoe.private@home.example <eve@example.net>".to_owned(),
        "From: <eve@example.net> zoe.private@home.example".to_owned(),
        "From: eve@example.net (zoe.private@home.example)".to_owned(),
        "From: =?utf-8?q?zoe=2Eprivate=40home=2Eexample?=".to_owned(),
        "From: =?utf-8?q?=3Czoe=2Eprivate=40home=2Eexample=3E?= <eve@example.net>".to_owned(),
        "From: zoe.private@home.example.evil.example".to_owned(),
        "From: zoe.private@home.ex\u{430}mple".to_owned(),
        "From: zoe.private%home.example@evil.example".to_owned(),
        "From: evil!zoe.private@home.example".to_owned(),
        "From: \"zoe.private@home.example\"@evil.example".to_owned(),
        "From: zoe.private+x@home.example".to_owned(),
        "From: eve@example.net\r\nSender: zoe.private@home.example".to_owned(),
        "From: eve@example.net\r\nResent-From: zoe.private@home.example".to_owned(),
        "From: eve@example.net\r\nReply-To: zoe.private@home.example".to_owned(),
        "X-Original-From: zoe.private@home.example".to_owned(),
        String::from("From:"),
    ] {
        let (ending, _, sent) = write(&mut world, &from, &reply_to, "PASS");
        assert!(sent.iter().all(|sent| sent.to == [OWNER]), "{from}: {ending:?}");
    }
}

/// A From beside that of the owner, which a lenient reader passes over: DMARC may have passed for its domain.
#[test]
fn a_from_with_a_second_mailbox_that_is_hard_to_read() {
    let mut world = World::with_key(&map());
    let reply_to = ask(&mut world, JANE).address_in("Reply-To");
    let comment = format!("({})", format!("{}\r\n ", "x".repeat(70)).repeat(240));
    for from in [
        format!("From: \u{e9}v\u{e9}@evil.example, {OWNER}"),
        format!("From: Eve <\u{e9}v\u{e9}@evil.example>, {OWNER}"),
        format!("From: =?utf-8?q?eve?=@evil.example, {OWNER}"),
        format!("From: <@evil.example:{OWNER}>"),
        format!("From: eve@evil.example:; {OWNER}"),
        format!("From: eve@evil.example: {OWNER};"),
        format!("From: Eve <eve@evil.example x>, {OWNER}"),
        format!("From: {}@evil.example,\r\n {OWNER}", "e".repeat(330)),
        format!("From: eve@evil.example@x.example, {OWNER}"),
        format!("From: {OWNER}, {comment} eve@evil.example"),
        format!("From: {OWNER}, <>"),
        format!("From: {OWNER}, {OWNER}"),
        format!("From: eve@evil.example <{OWNER}>"),
        format!("From: <{OWNER}> eve@evil.example."),
        format!("From: {OWNER} (eve@evil.example)"),
        format!("From: eve@evil.example:\r\nFrom: {OWNER}"),
        format!("From: {OWNER}\r\nFrom: \u{e9}v\u{e9}@evil.example"),
        format!("From: {OWNER}\r\nFrom:"),
        format!("From: {OWNER}\r\nfrom : eve@evil.example"),
        format!("From: {OWNER}\reve@evil.example"),
        format!("From: {OWNER}\r, eve@evil.example"),
        format!("X: y\rFrom: eve@evil.example\r\nFrom: {OWNER}"),
        format!("From: {OWNER}\r\nX: y\rFr\x01om : eve@evil.example"),
        format!("From: {OWNER}\0"),
    ] {
        let (ending, reason, sent) = write(&mut world, &from, &reply_to, "PASS");
        assert_eq!(
            (ending, reason),
            (Ending::RefusedReply, Some("unproven")),
            "{from}"
        );
        assert!(sent.iter().all(|sent| sent.to == [OWNER]), "{from}");
    }
}

/// Catches a strictness that keeps real programs from answering.
#[test]
fn a_from_as_programs_write_it() {
    let mut world = World::with_key(&map());
    let reply_to = ask(&mut world, JANE).address_in("Reply-To");
    for from in [
        format!("From: {OWNER}"),
        format!("from:{OWNER}"),
        format!("From: <{OWNER}>"),
        "From: Zoe Q. Private <Zoe.Private@HOME.example>".to_owned(),
        format!("From: \"Private, Zoe\" <{OWNER}>"),
        format!("From: \"{OWNER}\" <{OWNER}>"),
        format!("From: '{OWNER}' <{OWNER}>").replacen(OWNER, "zoe", 1),
        format!("From: =?utf-8?Q?Zo=C3=AB_=28home=29?= <{OWNER}>"),
        format!("From: =?UTF-8?B?Wm/DqyBQcml2YXRl?=\r\n =?UTF-8?B?IGF0IGhvbWU=?=\r\n\t<{OWNER}>"),
        format!("From: Zo\u{eb} <{OWNER}>"),
        format!("From: {OWNER} (Zoe Private)"),
        format!("Subject: from\r\n from: you\r\nFrom: Zoe <{OWNER}>"),
    ] {
        let (ending, reason, sent) = write(&mut world, &from, &reply_to, "PASS");
        assert_eq!((ending, reason), (Ending::Sent, None), "{from}");
        assert_eq!(sent[0].to, [JANE], "{from}");
    }
}

/// Catches a recipient that counts as sent and got nothing, since it stands behind too many others.
#[test]
fn an_answer_to_many() {
    let of_others: Vec<String> = (0..50).map(|at| format!("a{at}@example.com")).collect();
    let addresses: Vec<String> = (0..103).map(|at| format!("c{at}@example.org")).collect();
    let alias = Address::parse(ALIAS).unwrap();
    let signed = addresses.iter().map(|to| {
        let to = Address::parse(to).unwrap();
        key(1).reply_address(&alias, &to).unwrap().to_string()
    });
    let signed: Vec<String> = signed.collect();
    let octets = format!(
        "From: {OWNER}\r\nTo: {}\r\nSubject: Re\r\n\r\nHello\r\n",
        signed[0]
    );
    for (others, count) in [(0, 60), (50, 1), (50, 103)] {
        let mut world = World::with_key(&json!({ALIAS: OWNER, "@example.com": OWNER}));
        let to = of_others[..others].iter().chain(&signed[..count]);
        let to: Vec<&str> = to.map(String::as_str).collect();
        let (outcomes, sent) = world.receive(&Arriving {
            from: OWNER,
            to: &to,
            ..Arriving::new(octets.as_bytes())
        });
        let mut reached: Vec<&str> = sent
            .iter()
            .flat_map(|sent| &sent.to)
            .map(String::as_str)
            .collect();
        reached.retain(|to| *to != OWNER);
        let is_sent = |reached: &str| {
            let at = addresses.iter().position(|address| address == reached).unwrap();
            outcomes[others + at].ending == Ending::Sent
        };
        assert!(reached.iter().all(|to| is_sent(to)));
        let answers = &outcomes[others..];
        let ended = |ending| answers.iter().filter(|it| it.ending == ending).count();
        assert_eq!(reached.len(), ended(Ending::Sent));
        assert_eq!(
            (reached.len(), ended(Ending::RefusedReply)),
            (count.min(100), count.saturating_sub(100))
        );
        for refused in answers.iter().filter(|it| it.ending != Ending::Sent) {
            assert_eq!((refused.reason, refused.told), (Some("too_many"), true));
        }
    }
}

/// Catches an answer that its owner believes to have gone out, and notices that anybody can cause.
#[test]
fn an_answer_as_an_alias_that_is_closed() {
    let alias = Address::parse(ALIAS).unwrap();
    let of_jane = key(1)
        .reply_address(&alias, &Address::parse(JANE).unwrap())
        .unwrap()
        .to_string();
    let forged = of_jane.replace("jane", "victim");
    for (option, value, silent) in [
        ("enabled", json!(false), Ending::Disabled),
        ("until", json!("2020-01-31"), Ending::Expired),
    ] {
        let mut map = map();
        map[ALIAS][option] = value;
        let mut world = World::with_key(&map);
        let owner = format!("From: {OWNER}");
        let (ending, reason, sent) = write(&mut world, &owner, &of_jane, "PASS");
        assert_eq!(
            (ending, reason),
            (Ending::RefusedReply, Some("closed")),
            "{option}"
        );
        assert_eq!((sent.len(), &sent[0].to[..]), (1, &[OWNER.to_owned()][..]));
        for (from, to, dmarc) in [
            (&*owner, &*of_jane, "FAIL"),
            (&owner, &forged, "PASS"),
            ("From: jane@example.org", &of_jane, "PASS"),
            (&owner, ALIAS, "PASS"),
        ] {
            let (ending, _, sent) = write(&mut world, from, to, dmarc);
            assert_eq!((ending, sent.len()), (silent, 0), "{option} {from} {to} {dmarc}");
        }
    }
}

/// An answer to two, of whom one is named by a mail that is gone, counts as sent to the other alone.
#[test]
fn an_answer_to_somebody_who_is_gone() {
    let mut world = World::with_key(&map());
    let of_jane = ask(&mut world, JANE).address_in("Reply-To");
    let alias = Address::parse(ALIAS).unwrap();
    let gone = key(1).stored_reply_address(&alias, "m77", 0).unwrap().to_string();
    let octets = format!("From: {OWNER}\r\nTo: {of_jane}\r\nSubject: Re\r\n\r\nHello\r\n");
    let (outcomes, _) = world.receive(&Arriving {
        from: OWNER,
        to: &[&of_jane, &gone],
        ..Arriving::new(octets.as_bytes())
    });
    assert_eq!(outcomes[0].ending, Ending::Sent);
    assert_eq!(
        (outcomes[1].ending, outcomes[1].reason),
        (Ending::RefusedReply, Some("gone"))
    );
}

/// Without a verdict of the event nobody is proven, whatever the message says of itself.
#[test]
fn an_event_without_verdicts_carries_no_answer() {
    let mut world = World::with_key(&map());
    let reply_to = ask(&mut world, JANE).address_in("Reply-To");
    let octets = format!(
        "Received: from mx.home.example by inbound-smtp.eu-west-1.amazonaws.com with SMTP id m2\r\n for {reply_to}; now\r\n\
         Authentication-Results: amazonses.com; spf=pass; dkim=pass; dmarc=pass\r\nX-SES-RECEIPT: abc\r\n\
         From: {OWNER}\r\nTo: {reply_to}\r\nSubject: Re: Order\r\n\r\nPay here\r\n"
    );
    let id = world.store(octets.as_bytes());
    let created = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "mail"}, "object": {"key": id}}}]});
    let bare = json!({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"messageId": id, "source": OWNER},
        "receipt": {"recipients": [reply_to]}}}]});
    let odd = json!({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"messageId": id, "source": OWNER},
        "receipt": {"recipients": [reply_to], "dmarcVerdict": {"status": ["PASS"]}, "spfVerdict": {"status": "PASS"}}}}]});
    for event in [created, bare, odd] {
        let (outcomes, sent) = world.invoke(&event);
        assert_eq!(
            (outcomes[0].ending, outcomes[0].reason),
            (Ending::RefusedReply, Some("no_verdict")),
            "{event}"
        );
        assert!(sent.iter().all(|sent| sent.to == [OWNER]), "{event}");
    }
}

/// A signature holds for one alias, one domain and one correspondent.
#[test]
fn signatures_of_another_use() {
    let map = json!({ALIAS: OWNER, "sales@example.com": OWNER, "shop@other.example": OWNER,
        "@signed.example": {"to": OWNER, "signed": true}});
    let mut world = World::with_key(&map);
    let good = ask(&mut world, JANE).address_in("Reply-To");
    let signature = good
        .split('@')
        .next()
        .unwrap()
        .rsplit('.')
        .next()
        .unwrap()
        .to_owned();
    let stored = key(1)
        .stored_reply_address(&Address::parse(ALIAS).unwrap(), "m1", 0)
        .unwrap()
        .to_string();
    for forged in [
        good.replace("shop+", "sales+"),
        good.replace("@example.com", "@other.example"),
        good.replace("shop+", "shop+x+"),
        good.replace("jane=example.org", "victim=example.net"),
        good.replace("jane=", "jane=2b"),
        good.replace("jane=", "victim=40example=2enet=2c="),
        good.replace(&signature, ""),
        good.replace(&signature, "0"),
        good.replace(&signature, &format!("{signature}{signature}")),
        good.replace(&signature, &"0".repeat(8)),
        format!("shop+{}", good.replacen("shop+", "", 1).replace('.', "..")),
        stored.replace("r0", "r1"),
        stored.replace(".m1.", ".m2."),
        format!("victim.{}@signed.example", &signature[..5]),
        format!("shop+victim=example.net.{}@signed.example", &signature[..5]),
    ] {
        let (ending, _, sent) = write(&mut world, &format!("From: {OWNER}"), &forged, "PASS");
        assert!(sent.iter().all(|sent| sent.to == [OWNER]), "{forged}: {ending:?}");
        assert_ne!((ending, sent.is_empty()), (Ending::Sent, true), "{forged}");
    }
}

/// A correspondent comes back as it was written, however it looks, and alone.
#[test]
fn correspondents_whose_addresses_are_traps() {
    for address in [
        "a+b@example.org",
        "a=b@example.org",
        "a=40b@example.org",
        "a+jane=example.org.00000000@example.org",
        "Jane.DOE@example.org",
        "o'neil@example.org",
        "\"a b\"@example.org",
        "\"a@b\"@example.org",
        "\"victim@example.net\"@example.org",
        "\"a\\\"b\\\\c\"@example.org",
        "\"a;b:c\"@example.org",
        "a%victim.example@example.org",
        "victim.example!a@example.org",
        ".a..b.@example.org",
        "-a@example.org",
        "a@xn--bcher-kva.example",
        "r0.m1@example.org",
        "shop@example.org",
    ] {
        let mut world = World::with_key(&map());
        let forwarded = ask(&mut world, &format!("Jane <{address}>"));
        forwarded.assert_ours(address, &[OWNER]);
        let reply_to = forwarded.address_in("Reply-To");
        assert!(reply_to.ends_with("@example.com"), "{address}: {reply_to}");
        for to in [reply_to.clone(), reply_to.to_uppercase(), reply_to.to_lowercase()] {
            let (ending, _, sent) = write(&mut world, &format!("From: {OWNER}"), &to, "PASS");
            assert_eq!(ending, Ending::Sent, "{address}");
            let [sent] = &sent[..] else {
                panic!("{address}: {sent:?}")
            };
            sent.assert_ours(address, &[&Address::parse(address).unwrap().to_string()]);
        }
    }
    // A domain that is not ASCII goes out in its other form.
    let mut world = World::with_key(&map());
    let reply_to = ask(&mut world, "a@b\u{fc}cher.example").address_in("Reply-To");
    let (_, _, sent) = write(&mut world, &format!("From: {OWNER}"), &reply_to, "PASS");
    assert_eq!(sent[0].to, ["a@xn--bcher-kva.example"]);
}

/// A correspondent who writes to its own reply address, or to another's, writes to the alias.
#[test]
fn a_correspondent_who_writes_to_reply_addresses() {
    let mut world = World::with_key(&map());
    let of_jane = ask(&mut world, JANE).address_in("Reply-To");
    let of_victim = ask(&mut world, VICTIM).address_in("Reply-To");
    for to in [&of_jane, &of_victim, &of_victim.replace("victim", "other")] {
        for dmarc in ["PASS", "FAIL", "GRAY"] {
            let (ending, _, sent) = write(&mut world, &format!("From: {JANE}"), to, dmarc);
            assert_eq!(ending, Ending::Sent, "{to}");
            assert_eq!(sent[0].to, [OWNER], "{to}");
            // The answer goes to whoever wrote, not to whom the address stands for.
            let answer_to = sent[0].address_in("Reply-To");
            let (_, _, sent) = write(&mut world, &format!("From: {OWNER}"), &answer_to, "PASS");
            assert_eq!(sent[0].to, [JANE], "{to}");
        }
    }
}

/// The key is replaced in the middle of a conversation: as long as the old one is kept, its addresses hold.
#[test]
fn a_key_that_is_replaced() {
    let with = |key: &AliasKey| World::with(&map(), &[("key", &key.to_text())]);
    let (old, new) = (key(1), key(2));
    let reply_to = ask(&mut with(&old), JANE).address_in("Reply-To");
    let both = new.clone().in_place_of(&old);
    let (ending, _, sent) = write(&mut with(&both), &format!("From: {OWNER}"), &reply_to, "PASS");
    assert_eq!((ending, &sent[0].to[..]), (Ending::Sent, &[JANE.to_owned()][..]));
    let mut after = with(&new);
    let (ending, reason, sent) = write(&mut after, &format!("From: {OWNER}"), &reply_to, "PASS");
    assert_eq!((ending, reason), (Ending::RefusedReply, Some("forged")));
    assert!(sent.iter().all(|sent| sent.to == [OWNER]));
    // New addresses are of the new key.
    let renewed = ask(&mut with(&both), JANE).address_in("Reply-To");
    assert_ne!(renewed, reply_to);
    assert_eq!(
        write(&mut after, &format!("From: {OWNER}"), &renewed, "PASS").0,
        Ending::Sent
    );
}

/// Catches an address of a new key that counts as forged until the old key is forgotten.
#[test]
fn a_key_that_was_just_changed() {
    let (old, new) = (key(1), key(2));
    let settings = [("key", &*old.to_text()), ("ALIAS_MAP_TTL", "3600")];
    let mut world = World::with(&map(), &settings);
    ask(&mut world, JANE);
    let both = new.clone().in_place_of(&old);
    std::fs::write(world.directory.path().join("key"), both.to_text()).unwrap();
    let addr = |text: &str| Address::parse(text).unwrap();
    let reply_to = new.reply_address(&addr(ALIAS), &addr(JANE)).unwrap().to_string();
    let owner = format!("From: {OWNER}");
    let (_, reason, _) = write(&mut world, &owner, &reply_to, "PASS");
    assert_eq!(reason, Some("forged"), "the key is not read for each mail");
    std::thread::sleep(std::time::Duration::from_secs(5));
    let (ending, _, sent) = write(&mut world, &owner, &reply_to, "PASS");
    assert_eq!((ending, &sent[0].to[..]), (Ending::Sent, &[JANE.to_owned()][..]));
}
