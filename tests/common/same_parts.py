#!/usr/bin/env python3
"""Whether two trees of messages say the same once decoded, by Python's own parser: same_parts.py IN OUT

Part for part, the leaves of OUT must decode to those of IN, line endings aside; an attachment may have given way to a
text that says so, and for that the message says blocked-attachment in its X-Readdress-Notes. Prints what differs.
"""
import email
import pathlib
import sys


def leaves(path):
    message = email.message_from_bytes(path.read_bytes())
    parts = [part for part in message.walk() if not part.is_multipart()]
    # Python unescapes nothing else, so that what it decodes is what a reader gets.
    return message, [(part.get_payload(decode=True) or b"").replace(b"\r\n", b"\n").rstrip(b"\n") for part in parts]


def main():
    before, after = map(pathlib.Path, sys.argv[1:3])
    checked = different = 0
    for path in sorted(path for path in before.rglob("*") if path.is_file()):
        out = after / path.relative_to(before)
        _, old = leaves(path)
        message, new = leaves(out)
        checked += 1
        notes = message.get("X-Readdress-Notes", "")
        taken_out = [at for at, (a, b) in enumerate(zip(old, new)) if a != b]
        is_note = lambda at: new[at].startswith(b"An attachment was taken out")
        allowed = "blocked-attachment" in notes and all(is_note(at) for at in taken_out)
        if len(old) != len(new) or (taken_out and not allowed):
            different += 1
            print(f"{path.relative_to(before)}: {len(old)} parts, {len(new)} after; parts {taken_out} differ; {notes}")
    print(f"{checked} checked, {different} differ", file=sys.stderr)
    sys.exit(1 if different else 0)


main()
