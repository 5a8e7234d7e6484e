#!/usr/bin/env python3
"""A mail program made of Python's email package, for a test in which two people write to each other.

mail_program.py answer [--all] WHO NAME ADDRESS ID    reads a mail, writes the answer to it, with all that programs tell
                                                      of themselves and of their host
mail_program.py threads FILE...                       for each mail, the first of its thread, as RFC 5256 finds it by
                                                      References alone
mail_program.py find WORD...                          reads a mail and prints where its header section holds a word, in
                                                      any decoding
"""
import base64
import binascii
import email
import email.header
import email.policy
import email.utils
import quopri
import re
import sys
import urllib.parse


def addresses(message, *names):
    fields = [str(field) for name in names for field in message.get_all(name, [])]
    return [(name, address) for name, address in email.utils.getaddresses(fields) if address]


def answer(arguments):
    to_all = arguments[0] == "--all"
    who, name, address, message_id = arguments[to_all:]
    program = {"owner": "HomeMail 7.1 (Zoe's laptop)", "correspondent": "OtherMail/3"}[who]
    host = address.rpartition("@")[2]
    mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
    to = addresses(mail, "Reply-To") or addresses(mail, "From")
    if to[0][1] == address:  # To one's own mail: whoever that was for.
        to = addresses(mail, "To")
    written = email.message.EmailMessage(policy=email.policy.SMTP)
    written["Received"] = f"from laptop.{host} (laptop.{host} [203.0.113.77]) by smtp.{host} with ESMTPSA; {mail['Date']}"
    written["DKIM-Signature"] = f"v=1; a=rsa-sha256; d={host}; s=s; h=from:to:subject; bh=eA==; b=eA=="
    written["Return-Path"] = f"<{address}>"
    written["From"] = email.utils.formataddr((name, address))
    written["Sender"] = address
    written["To"] = ", ".join(map(email.utils.formataddr, to))
    known = {address} | {other for _, other in to}
    others = [pair for pair in addresses(mail, "To", "Cc") if pair[1] not in known]
    if to_all and others:
        written["Cc"] = ", ".join(map(email.utils.formataddr, others))
    written["Reply-To"] = email.utils.formataddr((name, address))
    subject = str(mail["Subject"])
    written["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    written["Date"] = mail["Date"]
    written["Message-ID"] = message_id
    written["In-Reply-To"] = str(mail["Message-ID"])
    written["References"] = f"{mail['References'] or ''} {mail['Message-ID']}".strip()
    written["User-Agent"] = program
    written["X-Mailer"] = program
    written["X-Originating-IP"] = "[203.0.113.77]"
    written["Organization"] = f"{name} at {host}"
    written["Autocrypt"] = f"addr={address}; keydata=eA=="
    written["List-Unsubscribe"] = f"<mailto:{address}>"
    written.set_content(f"Caf\u00e9, says the {who}.\n")
    sys.stdout.buffer.write(written.as_bytes())


def threads(paths):
    mails, parent = [], {}
    for path in paths:
        with open(path, "rb") as file:
            mail = email.message_from_binary_file(file, policy=email.policy.default)
        own = str(mail["Message-ID"]).strip()
        chain = re.findall(r"<[^<>\s]+>", str(mail["References"] or "")) or re.findall(
            r"<[^<>\s]+>", str(mail["In-Reply-To"] or "")
        )
        # RFC 5256 3: each id of the list is the child of the one before, unless that is known otherwise or would be a circle.
        for before, after in zip(chain, chain[1:]):
            if after not in parent and root(parent, before) != after:
                parent[after] = before
        if chain and root(parent, chain[-1]) != own:
            parent[own] = chain[-1]
        mails.append(own)
    for own in mails:
        print(root(parent, own))


def root(parent, at):
    while at in parent:
        at = parent[at]
    return at


def decodings(text):
    yield text
    yield urllib.parse.unquote(text)
    yield quopri.decodestring(text.encode()).decode("utf-8", "replace")
    try:
        yield str(email.header.make_header(email.header.decode_header(text)))
    except (ValueError, LookupError, binascii.Error):
        pass
    for word in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        for characters in (word, word.replace("-", "+").replace("_", "/")):
            padded = characters + "=" * (-len(characters) % 4)
            try:
                yield base64.b64decode(padded).decode("utf-8", "replace")
                yield base64.b32decode(padded.upper() + "=" * (-len(padded) % 8)).decode("utf-8", "replace")
            except (ValueError, binascii.Error):
                pass
            try:
                yield bytes.fromhex(word).decode("utf-8", "replace")
            except ValueError:
                pass


def find(words):
    header = re.split(rb"\r?\n\r?\n", sys.stdin.buffer.read(), maxsplit=1)[0].decode("utf-8", "replace")
    found = False
    for line in re.sub(r"\r?\n(?=[ \t])", "", header).splitlines():
        for text in decodings(line):
            for word in words:
                if word.lower() in text.lower():
                    print(f"{word}: {line}")
                    found = True
    return 1 if found else 0


if __name__ == "__main__":
    command = {"answer": answer, "threads": threads, "find": find}[sys.argv[1]]
    sys.exit(command(sys.argv[2:]))
