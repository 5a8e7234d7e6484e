"""What of a message's body does not come out of a forwarder.

Two figures, both in the forwarder's favour, since neither asks for the order of things, for line endings, or for
more than one copy:

`octets`: the octets of the lines of the body that are not lines of the outgoing body, without their line endings, each
as often as it is there. The body is what follows the first empty line. A line counts whole when one octet of it is
another.

`parts`: the parts, by type, file name and decoded content, that are not parts of the outgoing message. The content of
text is compared as characters without white space at its end, so that another charset or encoding is no loss. A nested
message is one part.
"""

import email
from collections import Counter


def body(message):
    r"""
    >>> body(b"From: a@example.org\r\n\r\none\r\n\r\ntwo"), body(b"From: a@example.org\n\none"), body(b"X: 1\n")
    (b'one\r\n\r\ntwo', b'one', b'')
    """
    ends = [(at, len(end)) for end in (b"\n\n", b"\n\r\n") if (at := message.find(end)) >= 0]
    if not ends:
        return b""
    at, length = min(ends)
    return message[at + length :]


def lines(content):
    return Counter(line.removesuffix(b"\r") for line in content.split(b"\n"))


def octets(came, went):
    r"""
    >>> came = b"X: 1\r\n\r\nred\r\nred\r\n\xfcber\r\nend"
    >>> octets(came, b"X: 2\n\n\xfcber\nred\nred\nend\n"), octets(came, b"X: 2\n\nred\nred\n\xc3\xbcber\n")
    (0, 7)
    >>> octets(came, b"X: 2\n\nred\n\xfcber\nend"), octets(came, b"")
    (3, 13)
    """
    return sum(len(line) * count for line, count in (lines(body(came)) - lines(body(went))).items())


def leaves(part):
    kind, name = part.get_content_type(), part.get_filename()
    if kind == "message/rfc822" and part.is_multipart():
        yield kind, name, part.get_payload(0).as_bytes()
    elif part.is_multipart():
        for child in part.get_payload():
            yield from leaves(child)
    else:
        content = part.get_payload(decode=True)
        if part.get_content_maintype() == "text":
            try:
                content = content.decode(part.get_content_charset() or "ascii")
            except (LookupError, UnicodeDecodeError):
                content = content.decode("latin-1")
            content = content.replace("\r\n", "\n").rstrip()
        yield kind, name, content


def parts(came, went):
    r"""The types of the parts that are lost, and how many there were.

    >>> part = "--b\nContent-Type: text/{}; charset={}\nContent-Transfer-Encoding: 8bit\n\n{}\n"
    >>> def mail(*parts): return "\n".join(["Content-Type: multipart/mixed; boundary=b\n", *parts, "--b--\n"])
    >>> plain, utf8 = part.format("plain", "latin1", "\xfcber"), part.format("plain", "utf-8", "\xfcber")
    >>> came = mail(plain, part.format("calendar", "utf-8", "BEGIN:VCALENDAR")).encode("latin-1")
    >>> parts(came, mail(utf8).encode("utf-8"))
    (['text/calendar'], 2)
    >>> parts(came, mail(plain).encode("utf-8"))
    (['text/plain', 'text/calendar'], 2)
    """
    came, went = (Counter(leaves(email.message_from_bytes(message))) for message in (came, went))
    return [kind for kind, _, _ in (came - went).elements()], came.total()
