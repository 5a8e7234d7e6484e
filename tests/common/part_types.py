#!/usr/bin/env python3
"""The types of the parts of messages, by Python's own parser: part_types.py DIRECTORY

A line a message: its path, a tab, and the types of all parts in document order, containers included. To Python the body of a
message/delivery-status is parts as well; to everybody else it is not.
"""
import email
import pathlib
import sys


def types(part):
    yield part.get_content_type()
    if part.is_multipart() and part.get_content_type() != "message/delivery-status":
        for inner in part.get_payload():
            yield from types(inner)


def main():
    directory = pathlib.Path(sys.argv[1])
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        message = email.message_from_bytes(path.read_bytes())
        print(path.relative_to(directory), ", ".join(types(message)), sep="\t")


main()
