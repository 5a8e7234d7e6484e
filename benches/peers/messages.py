"""The messages that all are given: made, not found, and the same on every machine. Lines end in CRLF, as in S3."""

import base64
import quopri
import random

HEAD = """\
Return-Path: <jane@example.org>
Received: from mail.example.org (mail.example.org [192.0.2.1])
 by inbound-smtp.example.com with SMTP id 42psa7hk4n6m77qd
 for shop@example.com; Tue, 24 Nov 2026 10:00:00 +0000 (UTC)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1;
 h=from:to:subject; bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=;
 b=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=
From: =?utf-8?Q?J=C3=A4ne?= Example <jane@example.org>
To: shop@example.com
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= and pictures
Message-ID: <1@example.org>
Date: Tue, 24 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/{}; boundary="{}"

"""

WORDS = (
    "Dear reader, this month: how the café on the corner came by its name; three walks for short days; a recipe "
    "with quinces. Questions go to the address below – we answer all of them. "
).split()


def crlf(text):
    return text.replace("\n", "\r\n").encode()


def head(kind, boundary):
    return crlf(HEAD.format(kind, boundary))


def part(boundary, fields, content):
    return crlf(f"\n--{boundary}\n{fields}\n\n") + content


def base64_lines(content):
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def quoted(text):
    return quopri.encodestring(text.encode()).replace(b"\n", b"\r\n")


def newsletter(octets):
    """About so many octets of text and HTML, quoted-printable."""
    chance = random.Random(octets)
    lines = []
    while sum(map(len, lines)) < octets * 0.36:
        lines.append(" ".join(chance.choices(WORDS, k=12)) + "\n")
    text = "\n".join(lines)
    html = '<!doctype html>\n<html><body class="news">\n' + "".join(f"<p>{line}</p>\n" for line in lines)
    kind = "Content-Type: text/{}; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"
    return b"".join(
        [
            head("alternative", "=_news"),
            part("=_news", kind.format("plain"), quoted(text)),
            part("=_news", kind.format("html"), quoted(html + "</body></html>\n")),
            b"\r\n--=_news--\r\n",
        ]
    )


def pictures(octets):
    """About so many octets: a text, and attachments of 1 MB at most in base64."""
    chance = random.Random(octets)
    parts = [
        head("mixed", "=_pictures"),
        part("=_pictures", "Content-Type: text/plain; charset=utf-8", "Hello,\r\n\r\nhere they are.\r\n".encode()),
    ]
    left = octets - sum(map(len, parts))
    while left > 0:
        name = f"{len(parts) - 1}.jpg"
        fields = (
            f'Content-Type: image/jpeg; name="{name}"\nContent-Disposition: attachment; filename="{name}"\n'
            "Content-Transfer-Encoding: base64"
        )
        # 57 octets make a line of 76 characters and CRLF.
        content = chance.randbytes(57 * max(1, min(left, 1_000_000) // 78))
        parts.append(part("=_pictures", fields, base64_lines(content)))
        left -= len(parts[-1])
    return b"".join([*parts, b"\r\n--=_pictures--\r\n"])


INVITE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:1@example.org
DTSTAMP:20261124T100000Z
DTSTART:20261201T090000Z
SUMMARY:Übergabe
ORGANIZER:mailto:jane@example.org
END:VEVENT
END:VCALENDAR
"""

NESTED = """\
From: Omar Example <omar@example.org>
To: jane@example.org
Subject: the old order
Message-ID: <2@example.org>
Date: Mon, 23 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

Please send two of each.
"""


def odd():
    """What a mail may well have and a forwarder may well lose: 8-bit text, an invitation, a nested message, a typed
    attachment, and a last line without its end."""
    text = "Grüße aus dem Café!\r\n\r\nÀ bientôt,\r\nJäne\r\n"
    latin1 = "Content-Type: text/{}; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit"
    alternative = [
        part("=_texts", latin1.format("plain"), text.encode("latin-1")),
        part("=_texts", latin1.format("html"), f"<!doctype html>\r\n<p>{text}</p>\r\n".encode("latin-1")),
        part(
            "=_texts",
            "Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: 8bit",
            crlf(INVITE),
        ),
        b"\r\n--=_texts--\r\n",
    ]
    nested = 'Content-Type: message/rfc822\nContent-Disposition: attachment; filename="order.eml"'
    pdf = (
        'Content-Type: application/pdf; name="offer.pdf"\n'
        'Content-Disposition: attachment; filename="offer.pdf"\nContent-Transfer-Encoding: base64'
    )
    return b"".join(
        [
            head("mixed", "=_odd"),
            part("=_odd", 'Content-Type: multipart/alternative; boundary="=_texts"', b"".join(alternative)),
            part("=_odd", nested, crlf(NESTED)),
            part("=_odd", pdf, base64_lines(random.Random(1).randbytes(1_000))),
            b"\r\n--=_odd--",
        ]
    )
