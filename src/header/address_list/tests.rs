use proptest::prelude::*;

use super::*;

/// `name|address`, in order.
fn parsed(body: &[u8]) -> String {
    let list = parse_address_list(body);
    let written = |m: &Mailbox| format!("{}|{}", m.name.as_deref().unwrap_or_default(), m.address);
    list.iter().map(written).collect::<Vec<_>>().join(" ~ ")
}

/// A list on each line, and the mailboxes in it.
const LISTS: &str = r#"
jane@x => |jane@x
 Jane Q. Example <jane@x>  => Jane Q. Example|jane@x
a@x, B <b@x>,c@x => |a@x ~ B|b@x ~ |c@x
a@x; B <b@x>; => |a@x ~ B|b@x
a@x b@x, C <c@x> D <d@x> => |a@x ~ |b@x ~ C|c@x ~ D|d@x
,, a@x ,, ,b@x, => |a@x ~ |b@x
# Groups.
undisclosed-recipients:; =>
<undisclosed-recipients:;@x> =>
A, B: a@x, B <b@x>; c@x => |a@x ~ B|b@x ~ |c@x
# Comments.
jane@x (Jane (Q.) \) E) => Jane (Q.) ) E|jane@x
(c) Jane (d) <jane@x> (e), b@x => Jane|jane@x ~ |b@x
jane@x ( ) () (Jane) => Jane|jane@x
jane()@( )x.org(), b@x (B) => |jane@x.org ~ B|b@x
# What a name may have in it.
Example, Jane <jane@x>, b@x => Example, Jane|jane@x ~ |b@x
a, b@x => |b@x
"<evil@x>, \"E\"" <jane@x> => <evil@x>, "E"|jane@x
jane@x <jane@x>, "b@x" <b@x> => jane@x|jane@x ~ b@x|b@x
Jane @ Work, Inc <jane@x> => Jane @ Work, Inc|jane@x
DOMAIN\jane [dev] \"J\" <jane@x> => DOMAIN\jane [dev] "J"|jane@x
"" <jane@x>, ' ' <b@x> => |jane@x ~ ' '|b@x
# Encoded-words, which are never a source of addresses.
=?utf-8?q?J=C3=BC?= =?utf-8?q?_M?= <j@x> => Jü M|j@x
"=?utf-8?q?J=C3=BC?= M" <j@x>, b@x (=?utf-8?q?J=C3=BC?=) => Jü M|j@x ~ Jü|b@x
=?UTF-8?Q?"Peter M=C3=BCller"?= <p@x> => Peter Müller|p@x
=?utf-8?q?a=40evil=2Eexample=3E?= <jane@example.org> => a@evil.example>|jane@example.org
=?utf-8?q?<evil@x>,evil@x,?= <jane@x> => <evil@x>,evil@x,|jane@x
=?utf-8?q?evil=40x?=, =?utf-8?q?evil@x?= =>
=?utf-8?q?evil?=@x, <=?utf-8?q?evil=40x?=> =>
# Brackets and quotes that do not match.
Jane <jane@x, B <b@x> => Jane|jane@x ~ B|b@x
Jane jane@x>, <<b@x>>, <C <c@x>> => Jane|jane@x ~ |b@x ~ C|c@x
<a@x <b@x>, <c@x => |a@x ~ |b@x ~ |c@x
"Jane <jane@x> => Jane|jane@x
Jane (Q. <jane@x> => Jane Q.|jane@x
"Jane"jane@x, 'b@x', <'c@x'> => Jane|jane@x ~ |b@x ~ |c@x
`a@x', ''b@x'', “c@x”, D ‘d@x’, {e@x}, 'f@x => |a@x ~ |b@x ~ |c@x ~ D|d@x ~ |e@x ~ |'f@x
Jane <jane@x), b@x), c@x! d@x?, <e@x'> => Jane|jane@x ~ |b@x ~ |c@x ~ |d@x ~ |e@x
"a@x", "B <b@x>", <"c@x">, "\"D\" <d@x>" => |a@x ~ B|b@x ~ |c@x ~ D|d@x
"a@x" <b@x>, "C <c@x>" <d@x>, "e@x" f => a@x|b@x ~ C <c@x>|d@x
"<a@x>, <b@x>", "c@x, d@x", <"E <e@x>">, "=?utf-8?q?f=40x?=" =>
[jane@x], B [mailto:b@x] => |jane@x ~ |b@x
# RFC 5322 4.4, and what it looks like but is not.
<@a,@b:jane@x>, <mailto:b@x>, mailto:c@x => |jane@x ~ |b@x ~ |c@x
Jane <@a,@b:jane@x> => Jane|jane@x
jane @ example . org, <b . c @ x> => |jane@example.org ~ |b.c@x
jane. doe@x, Jane. Q. Doe@x (J) => |jane.doe@x ~ J|Jane.Q.Doe@x
Doe, j. (c) doe@x .org, <jane. doe@x. org> => c|j.doe@x.org ~ |jane.doe@x.org
Jane D. jane@x, Jane b. c@x, b@x c. d@x => Jane D.|jane@x ~ Jane b.|c@x ~ |b@x ~ c.|d@x
jane@x.org. Bye, "jane".doe@x => |jane@x.org
b . c@x, <b. c@x>, Jane b .c@x => |b.c@x ~ |b.c@x ~ Jane b|".c"@x
Jane jane @ x.org => Jane|jane@x.org
Jane @work b@x, jane@ work c@x => Jane @work|b@x ~ jane@ work|c@x
Jane D. jane@x.org.  => Jane D.|jane@x.org
<mailto:a@x?subject=Re: b>, <mailto:c@x?cc=d@x>, Mailto:e@x?a=b => |a@x ~ |c@x ~ |e@x
# Dots that end the sentence.
a@x., b@x.., C <c@x...>, d@x.!, e@.x, f@x..y => |a@x ~ |b@x ~ C|c@x ~ |d@x
# Literals, quoted local parts.
jane@[192.0.2.1], b@[IPv6:::1] => |jane@[192.0.2.1] ~ |b@[IPv6:::1]
"jane doe"@x, <"b@c"@x>, .d.@x => |"jane doe"@x ~ |"b@c"@x ~ |".d."@x
# No addresses.
 =>
<>, Jane, @x, jane@, @, <jane>, "jane" =>
a@b@c, <a@b@c>, a @ b @ c.d, <a b@x>, jü@x, ja"ne@x, ja(ne@x =>
Jane <jane>, B <b@x> => B|b@x
"#;

#[test]
fn lists_are_parsed() {
    for case in LISTS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (list, mailboxes) = case.split_once(" =>").unwrap();
        assert_eq!(parsed(list.as_bytes()), mailboxes.trim(), "{list}");
    }
    // Folded, 8-bit, with a NUL.
    assert_eq!(
        parsed(b"<\"jane\r\n doe\"@x>, \"a\n b\"@x"),
        "|\"jane doe\"@x ~ |\"a b\"@x"
    );
    assert_eq!(parsed(b"\"ja\rne\"@x, b@x"), "|b@x");
    assert_eq!(parsed(b"\r\n \"Jane\r\n E\"\r\n\t<jane@x>\r\n"), "Jane E|jane@x");
    assert_eq!(
        parsed(b"J\xfcrgen M\xc3\xbcller\0 <j@x>, a@x\0, a@\xfc"),
        "J\u{fc}rgen M\u{fc}ller|j@x ~ |a@x"
    );
}

/// Catches an address that is lost for a character that nobody sees.
#[test]
fn what_cannot_be_seen_spoils_no_address() {
    for unseen in [
        "\u{200b}", "\u{feff}", "\u{ad}", "\u{200d}", "\u{202a}", "\u{2060}", "\0", "\x1b", "\u{85}",
    ] {
        for list in [
            "_jane@x, b@x",
            "jane@x_, _ b@x",
            "ja_ne@x,_,b@x_",
            "jane_@_x,b@x",
            "<_jane@x_>, <_ b@x _>",
            "_<jane@x>_ ,_<b@x>_;_",
            "\"\"_<jane@x>, 'b@x'_",
        ] {
            let list = list.replace('_', unseen);
            assert_eq!(parsed(list.as_bytes()), "|jane@x ~ |b@x", "{list:?}");
        }
    }
    for blank in [
        "\u{a0}",
        "\u{2003}",
        "\u{202f}",
        "\u{205f}",
        "\u{3000}",
        "\u{a0} \u{a0}",
    ] {
        for list in [
            "_Jane_jane@x_b@x_",
            "Jane_<jane@x_>,<_b@x>_",
            "_jane@x_(Jane),b@x_",
            "Jane_<_jane@x;b@x_;_",
        ] {
            let list = list.replace('_', blank);
            assert_eq!(parsed(list.as_bytes()), "Jane|jane@x ~ |b@x", "{list:?}");
        }
    }
    // In names they stay, but at the ends.
    let names = "\u{feff}A\u{200d}B <a@x>, \u{200b}\"\u{200b}\" <b@x>, \"c\u{a0}d\" <c@x>, e\u{a0}f <d@x>";
    assert_eq!(
        parsed(names.as_bytes()),
        "A\u{200d}B|a@x ~ |b@x ~ c\u{a0}d|c@x ~ e f|d@x"
    );
}

#[test]
fn lists_are_bounded() {
    assert_eq!(
        parse_address_list("a@x,".repeat(2 * MAX_MAILBOXES).as_bytes()).len(),
        MAX_MAILBOXES
    );
    assert_eq!(
        parse_address_list("a@x ".repeat(2 * MAX_MAILBOXES).as_bytes()).len(),
        MAX_MAILBOXES
    );
}

proptest! {
    #[test]
    fn whatever_is_parsed_can_be_written(
        octets in proptest::collection::vec(any::<u8>(), 0..100),
        pieces in proptest::collection::vec(
            "[<>,;:@\"()\\\\\\[\\]'. \r\n\0?`{}\u{200b}\u{a0}]|jane@x|@y|a|ü|=\\?utf-8\\?q\\?=40=0D=2C\\?=|=\\?|\\?=",
            0..30,
        ),
    ) {
        for body in [octets, pieces.concat().into_bytes()] {
            for mailbox in parse_address_list(&body) {
                let written = mailbox.to_string();
                prop_assert!(written.bytes().all(|b| matches!(b, b' '..=b'~')), "{:?}", written);
                prop_assert!(written.len() <= MAX_MAILBOX, "{:?}", written);
                prop_assert_eq!(parse_address_list(written.as_bytes()), [mailbox], "{:?}", written);
            }
        }
    }
}
