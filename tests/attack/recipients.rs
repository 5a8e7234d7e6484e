//! Recipients that other mail servers read as a route, or as somebody else's address. Whatever a recipient looks like, only the
//! targets of the owner's map get mail.

use serde_json::{Value, json};

use readdress::forward::Ending;

use super::world::{ALIAS, Arriving, OWNER, Sent, VICTIM, World};

const MESSAGE: &[u8] = b"From: jane@example.org\r\nTo: shop@example.com\r\nSubject: Order\r\n\r\nHello\r\n";

/// Recipients that are the alias, in other letters.
const THE_ALIAS: [&str; 5] = [
    "shop@example.com",
    "SHOP@Example.COM",
    "shop@example.com.",
    "\"shop\"@example.com",
    "\"sh\\op\"@example.com",
];

/// Recipients that are not the alias, and mean somebody else to whoever follows routes in addresses.
fn others() -> Vec<String> {
    let mut others: Vec<String> = [
        "@example.net:shop@example.com",
        "@example.net,@example.org:shop@example.com",
        "<shop@example.com>",
        "Shop <shop@example.com>",
        "victim%example.net@example.com",
        "example.net!victim@example.com",
        "victim@example.net@example.com",
        "\"victim@example.net\"@example.com",
        "\"victim@example.net, x\"@example.com",
        "\"> <victim@example.net\"@example.com",
        "\"shop@example.com\"@example.com",
        "shop@example.com@example.net",
        "shop@example.com..",
        "shop@.example.com",
        "shop@sub.example.com.evil.example",
        "shop@[192.0.2.1]",
        "shop.@example.com",
        ".shop@example.com",
        "sh.op@example.com",
        "\u{455}hop@example.com",
        "shop@\u{435}xample.com",
        "\u{ff53}hop@example.com",
        "\u{17f}hop@example.com",
        "shop@example\u{3002}com",
        "shop@exa\u{ad}mple.com",
        "shop\u{200b}@example.com",
        "shop@xn--xample-2of.com",
        "sh\0op@example.com",
        "shop\0@example.com",
        "shop@example.com\0",
        "shop@example.com\r\nRCPT TO:<victim@example.net>",
        "shop\r@example.com",
        "shop @example.com",
        "shop@example.com,victim@example.net",
        "shop@example.com victim@example.net",
        "shop@example.com;victim@example.net",
        "shop(victim@example.net)@example.com",
        "shop@example.com(x)",
        "=?utf-8?q?shop?=@example.com",
        "mailto:shop@example.com",
        "%73hop@example.com",
        "shop%40example.com",
        "shop",
        "@example.com",
        "shop@",
        "@",
        "*@example.com",
        "shop*@example.com",
        "\"\"@example.com",
        "\"shop@example.com",
    ]
    .map(str::to_owned)
    .to_vec();
    others.push(format!("{}@example.com", "a".repeat(5000)));
    others.push(format!("shop@{}example.com", "a.".repeat(300)));
    others
}

fn receive(map: &Value, recipient: &str) -> (Ending, Vec<Sent>) {
    let arriving = Arriving {
        to: &[recipient],
        ..Arriving::new(MESSAGE)
    };
    let (outcomes, sent) = World::with_key(map).receive(&arriving);
    (outcomes[0].ending, sent)
}

#[test]
fn an_alias_is_itself_alone() {
    let map = json!({ALIAS: OWNER, "@example.net": VICTIM});
    for recipient in THE_ALIAS {
        let (ending, sent) = receive(&map, recipient);
        assert_eq!(ending, Ending::Sent, "{recipient:?}");
        assert_eq!(sent[0].to, [OWNER], "{recipient:?}");
    }
    for recipient in others() {
        let (ending, sent) = receive(&json!({ALIAS: OWNER}), &recipient);
        assert_eq!((ending, sent.len()), (Ending::NoAlias, 0), "{recipient:?}");
    }
}

/// Patterns and catch-alls take what no key names, and still only for their own targets and in their own domain's name.
#[test]
fn a_catch_all_leads_to_its_targets_alone() {
    for map in [
        json!({"@example.com": OWNER}),
        json!({"@": OWNER}),
        json!({"shop*@example.com": OWNER, "*@*.com": OWNER}),
        json!({"shop": OWNER, "@example.com": {"to": OWNER, "replies": "all"}}),
    ] {
        for recipient in others() {
            let (ending, sent) = receive(&map, &recipient);
            let what = format!("{recipient:?} by {map}");
            let ends = [Ending::Sent, Ending::NoAlias, Ending::Failed];
            assert!(ends.contains(&ending), "{what}: {ending:?}");
            for sent in sent {
                assert_eq!(sent.to, [OWNER], "{what}");
                let from = sent.mailboxes("From");
                assert_eq!(from.len(), 1, "{what}: {from:?}");
                assert_ne!(from[0], VICTIM, "{what}");
                assert!(sent.lax_names().iter().all(|name| name != "bcc"), "{what}");
            }
        }
    }
}

/// A local part that is carried over to another domain stays a local part: the domain is the map's.
#[test]
fn a_domain_to_domain_entry_keeps_its_domain() {
    for recipient in others() {
        let (_, sent) = receive(&json!({"@example.com": "@new.example"}), &recipient);
        for sent in sent {
            let [to] = &sent.to[..] else { panic!("{sent:?}") };
            assert!(to.ends_with("@new.example"), "{recipient:?}: {to}");
            // An `@` that is not the last stands between quotes.
            let local = to.strip_suffix("@new.example").unwrap();
            assert!(
                !local.contains('@') || local.starts_with('"') && local.ends_with('"'),
                "{to}"
            );
        }
    }
}

/// Recipients of one message do not get each other's mail, and a hundred tags are one mail.
#[test]
fn many_recipients() {
    let map = json!({ALIAS: OWNER, "sales@example.com": "ann@home.example"});
    let tags: Vec<String> = (0..100).map(|n| format!("shop+{n}@example.com")).collect();
    let mut to: Vec<&str> = tags.iter().map(String::as_str).collect();
    to.push("sales@example.com");
    let (_, sent) = World::new(&map).receive(&Arriving {
        to: &to,
        ..Arriving::new(MESSAGE)
    });
    let reached: Vec<&[String]> = sent.iter().map(|sent| &sent.to[..]).collect();
    assert_eq!(
        reached,
        [&[OWNER.to_owned()][..], &["ann@home.example".to_owned()]]
    );
}
