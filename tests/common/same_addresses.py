#!/usr/bin/env python3
"""Whether every address of Reply-To, To and Cc goes out, by Python's two parsers of them: same_addresses.py IN OUT

An address counts on which both parsers agree. It must be found in a field of OUT that names recipients or repliers, or in
one of the X-Original-* fields. Prints those that are not: the file, a tab, the field, a tab, the address.
"""
import email
import email.header
import email.policy
import email.utils
import pathlib
import re
import sys

FIELDS = ("Reply-To", "To", "Cc")
ORIGINAL = ("X-Original-Reply-To", "X-Original-Recipients", "X-Original-Cc")
# What SMTP can send to, in ASCII: the rest is a matter of taste.
ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+\Z", re.I)


def unfolded(value):
    return re.sub(r"[\r\n]+", "", str(value))


def lenient(values):
    return {address.lower() for _, address in email.utils.getaddresses(values) if ADDRESS.match(address)}


def modern(name, value):
    try:
        field = email.policy.default.header_factory(name, value)
        return {address.addr_spec.lower() for address in field.addresses}
    except Exception:  # Some malformed fields are too much for it; they have nothing to agree on.
        return set()


def agreed(message, name):
    values = [unfolded(value) for value in message.get_all(name, [])]
    # Groups in groups in groups are too deep for them.
    values = [value for value in values if value.count(":") < 100]
    modern_ones = set().union(*(modern(name, value) for value in values))
    return lenient(values) & modern_ones


def decoded(value):
    try:
        return str(email.header.make_header(email.header.decode_header(unfolded(value))))
    except (LookupError, UnicodeError, email.errors.HeaderParseError):
        return unfolded(value)


def readable(message):
    values = [value for name in FIELDS + ORIGINAL for value in message.get_all(name, [])]
    text = "\n".join(form for value in values for form in (unfolded(value), decoded(value)))
    words = set(re.findall(r"[a-z0-9.!#$%&'*+/=?^_`{|}~@-]+", text.lower()))
    # A comment may stand inside of one that is kept.
    return words.union(*(agreed(message, name) for name in FIELDS))


def main():
    before, after = map(pathlib.Path, sys.argv[1:3])
    addresses = missing = 0
    for path in sorted(path for path in before.rglob("*") if path.is_file()):
        old = email.message_from_bytes(path.read_bytes())
        new = readable(email.message_from_bytes((after / path.relative_to(before)).read_bytes()))
        for name in FIELDS:
            for address in sorted(agreed(old, name)):
                addresses += 1
                if address not in new:
                    missing += 1
                    print(f"{path.relative_to(before)}\t{name}\t{address}")
    print(f"{addresses} addresses, {missing} missing", file=sys.stderr)


main()
