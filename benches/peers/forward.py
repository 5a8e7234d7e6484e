"""A forwarder on Python's `email`: parse, decode every part, build a new tree, serialise it twice.

That is how the Python function worked that readdress replaces; written anew, with its choices: text goes into
an alternative, HTML beside it, inline images to the HTML, attachments to the top, all else nowhere. The first
serialisation is for reading the addresses back, the second for sending.
"""

from email import policy
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parseaddr

import loop


def text(part, content):
    try:
        return content.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")


def forward(message):
    mail = BytesParser(policy=policy.default).parsebytes(message)
    mixed, alternative, related = (MIMEMultipart(kind) for kind in ("mixed", "alternative", "related"))
    mixed["From"] = parseaddr(mail["To"])[1]
    mixed["To"] = "owner@example.net"
    mixed["Reply-To"] = parseaddr(mail["From"])[1]
    mixed["Subject"] = mail["Subject"]
    for part in mail.walk():
        content = part.get_payload(decode=True)
        if content is None:
            continue
        kind, disposition = part.get_content_type(), part.get_content_disposition()
        if kind == "text/plain":
            alternative.attach(MIMEText(text(part, content), "plain"))
        elif kind == "text/html":
            related.attach(MIMEText(text(part, content), "html"))
        elif disposition == "inline" and kind.startswith("image/"):
            image = MIMEImage(content, part.get_content_subtype())
            image["Content-ID"] = part["Content-ID"]
            image.add_header("Content-Disposition", "inline", filename=part.get_filename())
            related.attach(image)
        elif disposition == "attachment" or kind.startswith(("application/", "audio/", "video/")):
            part.set_type("application/octet-stream")
            mixed.attach(part)
    alternative.attach(related)
    mixed.attach(alternative)

    BytesHeaderParser(policy=policy.default).parsebytes(mixed.as_bytes())
    return mixed.as_bytes()


def once(path, out):
    with open(path, "rb") as file:
        out.write(forward(file.read()))


if __name__ == "__main__":
    loop.run(once)
