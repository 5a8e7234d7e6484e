//! Messages to measure with: what real mail looks like, and what somebody would send who wants us to be slow.
//!
//! Each has about as many octets as are asked for, and is the same at every run.

/// How to make a message of a kind.
pub type Make = fn(usize) -> Vec<u8>;

/// Open boundaries at most: one less than the levels that the scanner follows.
const OPEN: usize = 127;

/// Numbers that look random and are not.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % below
    }

    /// Letters of the alphabet of base64.
    fn letters(&mut self, len: usize) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..len)
            .map(|_| char::from(alphabet[self.next(alphabet.len())]))
            .collect()
    }
}

const HEAD: &str = "Return-Path: <jane@example.org>\r\n\
    Received: from mail.example.org (mail.example.org [192.0.2.1]) by mx.example.com with ESMTPS id 1a2b3c\r\n\
    \tfor <shop@example.com>; Tue, 24 Nov 2026 10:00:01 +0000 (UTC)\r\n\
    From: =?utf-8?Q?J=C3=A4ne?= Example <jane@example.org>\r\nTo: Shop <shop@example.com>\r\n\
    Subject: =?utf-8?Q?pictures_for_J=C3=BCrgen?=\r\nMessage-ID: <20261124.1@mail.example.org>\r\n\
    Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n";

/// A multipart/mixed with one part under these fields, up to its body.
fn one_part(fields: &str) -> Vec<u8> {
    let boundary = "----=_Part_1";
    format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{fields}\r\n\r\n"
    )
    .into_bytes()
}

fn fill(message: &mut Vec<u8>, octets: usize, mut line: impl FnMut() -> String) {
    while message.len() < octets {
        message.extend_from_slice(line().as_bytes());
    }
}

fn closed(mut message: Vec<u8>) -> Vec<u8> {
    message.extend_from_slice(b"\r\n------=_Part_1--\r\n");
    message
}

/// A newsletter: what the hosts on the way add at the top, then quoted-printable as text and as HTML.
pub fn newsletter(octets: usize) -> Vec<u8> {
    let mut numbers = Numbers(1);
    let mut signature = || numbers.letters(60);
    let mut message = format!(
        "Return-Path: <bounce-1234@news.example.org>\r\n\
         Received: from mta1.news.example.org (mta1.news.example.org [192.0.2.7])\r\n \
         by inbound-smtp.example.com with SMTP id k3j4h5\r\n for shop@example.com;\r\n \
         Tue, 24 Nov 2026 10:00:01 +0000 (UTC)\r\n\
         X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\n\
         Received-SPF: pass (spfCheck: domain of news.example.org designates 192.0.2.7 as permitted sender)\r\n \
         client-ip=192.0.2.7; envelope-from=bounce-1234@news.example.org;\r\n\
         Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=news.example.org;\r\n \
         dkim=pass header.i=@example.org; dmarc=pass header.from=example.org;\r\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; s=s1; d=example.org;\r\n \
         h=From:To:Subject:Date:List-Unsubscribe; bh={};\r\n b={}\r\n {}\r\n {}\r\n {}\r\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; s=s2; d=news.example.org;\r\n \
         h=From:To:Subject:Date:List-Unsubscribe; bh={};\r\n b={}\r\n {}\r\n\
         Received: by mta1.news.example.org id h1g2f3 for <shop@example.com>; Tue, 24 Nov 2026 10:00:00 +0000\r\n\
         From: \"Example News\" <news@example.org>\r\nReply-To: Example News <reply-1234@news.example.org>\r\n\
         To: shop@example.com\r\nSubject: =?utf-8?Q?Ten_things_that_are_new_=E2=80=93_and_one_that_is_not?=\r\n\
         Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1234.5678@mta1.news.example.org>\r\n\
         MIME-Version: 1.0\r\nX-Mailer: Example Campaign 7\r\nX-Campaign: 1234_5678\r\n\
         X-Report-Abuse: Please report abuse for this campaign here: https://news.example.org/abuse?u=1234\r\n\
         List-ID: 1234 list <1234.news.example.org>\r\n\
         List-Unsubscribe: <https://news.example.org/unsubscribe?u=1234&id=5678>,\r\n \
         <mailto:unsubscribe-1234@news.example.org?subject=unsubscribe>\r\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: 1234:5678:campaign:example\r\n\
         Precedence: bulk\r\nContent-Type: multipart/alternative; boundary=\"----=_Part_1\"\r\n\r\n\
         This is a multi-part message in MIME format\r\n\r\n\
         ------=_Part_1\r\nContent-Type: text/plain; charset=\"utf-8\"; format=\"fixed\"\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n",
        signature(),
        signature(),
        signature(),
        signature(),
        signature(),
        signature(),
        signature(),
        signature(),
    )
    .into_bytes();
    let half = usize::midpoint(message.len(), octets);
    fill(&mut message, half, || {
        "** What is new: a thing that you have not seen yet, and why you should =E2=80=\r\n=93 soon\r\n\
         ------------------------------------------------------------\r\n\r\n"
            .to_owned()
    });
    message.extend_from_slice(
        b"\r\n------=_Part_1\r\nContent-Type: text/html; charset=\"utf-8\"\r\n\
          Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    fill(&mut message, octets, || {
        "<td valign=3D\"top\" class=3D\"mcnTextContent\" style=3D\"padding: 0px 18px 9px; l=\r\n\
         ine-height: 150%;\">What is new</td>\r\n"
            .to_owned()
    });
    closed(message)
}

/// Pictures of 1 MB in base64.
pub fn attachments(octets: usize) -> Vec<u8> {
    let mut message = one_part("Content-Type: text/plain; charset=utf-8");
    message.extend_from_slice(b"Hello,\r\n\r\nhere they are.\r\n");
    let mut numbers = Numbers(1);
    while message.len() < octets {
        let number = message.len();
        message.extend_from_slice(
            format!(
                "\r\n------=_Part_1\r\nContent-Type: image/jpeg; name=\"{number}.jpg\"\r\n\
                 Content-Disposition: attachment; filename=\"{number}.jpg\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n"
            )
            .as_bytes(),
        );
        let end = (message.len() + (1 << 20)).min(octets);
        fill(&mut message, end, || numbers.letters(76) + "\r\n");
    }
    closed(message)
}

/// Text in UTF-8, as it is.
pub fn eight_bit(octets: usize) -> Vec<u8> {
    let mut message = one_part("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit");
    let words = [
        "Größe",
        "für",
        "naïve",
        "письмо",
        "здесь",
        "手紙",
        "mail",
        "and",
        "so",
        "on –",
    ];
    let mut numbers = Numbers(1);
    fill(&mut message, octets, || {
        let line: Vec<&str> = (0..10).map(|_| words[numbers.next(words.len())]).collect();
        line.join(" ") + "\r\n"
    });
    closed(message)
}

/// A body without a line break.
pub fn one_line(octets: usize) -> Vec<u8> {
    let mut message = one_part("Content-Type: text/plain");
    let mut numbers = Numbers(1);
    fill(&mut message, octets, || numbers.letters(76));
    closed(message)
}

/// Parts of 1,000 octets each.
pub fn many_parts(octets: usize) -> Vec<u8> {
    let mut message = one_part("Content-Type: text/plain");
    let mut numbers = Numbers(1);
    while message.len() < octets {
        let end = message.len() + 1000;
        message.extend_from_slice(
            b"\r\n------=_Part_1\r\nContent-Type: application/octet-stream\r\n\
              Content-Transfer-Encoding: base64\r\n\r\n",
        );
        fill(&mut message, end, || numbers.letters(76) + "\r\n");
    }
    closed(message)
}

/// 50 multiparts in each other, and a body in base64 in the innermost.
pub fn nested(octets: usize) -> Vec<u8> {
    let boundaries: Vec<String> = (0..50).map(|depth| format!("=_level_{depth}")).collect();
    let mut message = opened(&boundaries);
    let mut numbers = Numbers(1);
    fill(&mut message, octets, || numbers.letters(76) + "\r\n");
    for boundary in boundaries.iter().rev() {
        message.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    }
    message
}

/// Multiparts with these boundaries in each other, up to the body of the innermost part.
fn opened(boundaries: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut message = HEAD.as_bytes().to_vec();
    for boundary in boundaries {
        let boundary = boundary.as_ref();
        message.extend_from_slice(b"Content-Type: multipart/mixed; boundary=\"");
        message.extend_from_slice(boundary);
        message.extend_from_slice(b"\"\r\n\r\n--");
        message.extend_from_slice(boundary);
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"Content-Type: text/plain\r\n\r\n");
    message
}

/// Text whose every line begins like a delimiter, as signatures and tables do.
pub fn dashes(octets: usize) -> Vec<u8> {
    let mut message = one_part("Content-Type: text/plain");
    fill(&mut message, octets, || {
        "-- \r\n--------------------------------------\r\n--option: what it is good for\r\n".to_owned()
    });
    closed(message)
}

/// A header section that is nearly all of the message: what many hosts on the way add.
pub fn long_header(octets: usize) -> Vec<u8> {
    let mut message = Vec::new();
    let mut numbers = Numbers(1);
    fill(&mut message, octets.saturating_sub(HEAD.len()), || {
        let id = numbers.letters(12);
        format!(
            "Received: from {id}.example.org (2001:db8::1) by {id}.example.net (2001:db8::2) with\r\n \
             Microsoft SMTP Server id 15.20.1; Tue, 24 Nov 2026 10:00:00 +0000\r\n\
             ARC-Seal: i=1; a=rsa-sha256; s=arcselector9901; d=example.org; cv=none;\r\n b={}\r\n {}\r\n\
             X-Spam-Status: No, score=-1.2\r\n",
            numbers.letters(70),
            numbers.letters(70),
        )
    });
    message.extend_from_slice(HEAD.as_bytes());
    message.extend_from_slice(b"\r\nHello.\r\n");
    message
}

/// A message to everybody: one field is nearly all of it.
pub fn long_field(octets: usize) -> Vec<u8> {
    let mut message = HEAD.as_bytes().to_vec();
    message.extend_from_slice(b"Cc: everybody <everybody@example.org>");
    let mut numbers = Numbers(1);
    fill(&mut message, octets, || {
        let name = numbers.next(1_000_000);
        format!(",\r\n \"Person, {name}\" <{name}@example.org>")
    });
    message.extend_from_slice(b"\r\n\r\nHello.\r\n");
    message
}

/// A field that is this text over and over.
fn in_one_field(octets: usize, text: &str) -> Vec<u8> {
    let mut message = HEAD.as_bytes().to_vec();
    message.extend_from_slice(b"X-Note: ");
    fill(&mut message, octets, || text.to_owned());
    message.extend_from_slice(b"x\r\n\r\nHello.\r\n");
    message
}

/// A field that is one line.
pub fn unfolded(octets: usize) -> Vec<u8> {
    in_one_field(octets, "x")
}

/// A field of bare CR and controls: whatever follows each of them has to be looked at.
pub fn bare_cr(octets: usize) -> Vec<u8> {
    in_one_field(octets, "\r\r \t")
}

/// A body that is this text over and over, in as many multiparts with boundaries of one letter as are followed.
fn in_one_letter_boundaries(octets: usize, text: &[u8]) -> Vec<u8> {
    let letters = (b'!'..=0xff).filter(|b| !matches!(b, b'"' | b'\\' | b'x' | 0x7f));
    let boundaries: Vec<[u8; 1]> = letters.take(OPEN).map(|letter| [letter]).collect();
    let mut message = opened(&boundaries);
    while message.len() < octets {
        message.extend_from_slice(text);
    }
    message
}

/// What begins like a delimiter every 4 octets, and is no boundary's.
pub fn near_misses(octets: usize) -> Vec<u8> {
    in_one_letter_boundaries(octets, b"\n--x")
}

/// The same every 5 octets; the first letter is a boundary, the next one shows that it is not.
pub fn later_misses(octets: usize) -> Vec<u8> {
    in_one_letter_boundaries(octets, b"\n--ax")
}

/// Parts as short as can be: a delimiter and the beginning of a field every 7 octets.
pub fn tiny_parts(octets: usize) -> Vec<u8> {
    let mut message = opened(&["a"]);
    fill(&mut message, octets, || "\n--a\na:".to_owned());
    message
}

/// Boundaries that begin with each other, and lines that begin with all of them.
pub fn nested_boundaries(octets: usize) -> Vec<u8> {
    let mut message = opened(&["a", "ab", "abc"]);
    fill(&mut message, octets, || "\n--abcx".to_owned());
    message
}

/// Boundaries that differ at their ends only, and lines that differ from all of them there.
pub fn long_misses(octets: usize) -> Vec<u8> {
    let shared = "b".repeat(500);
    let boundaries: Vec<String> = (0..OPEN).map(|number| format!("{shared}{number}")).collect();
    let mut message = opened(&boundaries);
    fill(&mut message, octets, || format!("\n--{shared}x"));
    message
}

/// Two boundaries as long as may be that differ in their last octet, and lines that are over soon.
pub fn short_lines(octets: usize) -> Vec<u8> {
    let shared = "b".repeat((8 << 10) - 1);
    let mut message = opened(&[format!("{shared}1"), format!("{shared}2")]);
    fill(&mut message, octets, || "\n--bx".to_owned());
    message
}
