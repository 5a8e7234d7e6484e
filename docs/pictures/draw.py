#!/usr/bin/env python3
"""Draws the pictures of the documentation from what the commands of the README's trial write.

    docs/pictures/draw.py              writes explain.svg and conversation.svg beside this file
    docs/pictures/draw.py --check      says whether they are current

With READDRESS=PATH it runs a command line that is built already.

Both pictures have a background of their own, so that they can be read on a light page and on a dark one.
"""

import email
import email.policy
import html
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# What `. fixtures/trial/env.sh` runs by cargo is run by READDRESS, where that is set.
CARGO = 'if [ -n "${READDRESS-}" ]; then cargo() { while [ "$1" != -- ]; do shift; done; shift; "$READDRESS" "$@"; }; fi\n'

MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
SANS = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def shell(script, outbox, stdout=subprocess.PIPE):
    """Starts a script of the trial with an outbox of its own."""
    script = f"{CARGO}. fixtures/trial/env.sh\nexport OUTBOX=file:{outbox}\n{script}"
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "READDRESS") if name in os.environ}
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, text=stdout == subprocess.PIPE,
    )  # fmt: skip


def on_a_terminal(script, outbox):
    """The output of a script that takes its standard output for a terminal."""
    ours, theirs = pty.openpty()
    process = shell(script, outbox, stdout=theirs)
    os.close(theirs)
    output = b""
    while True:
        try:
            some = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not some:
            break
        output += some
    os.close(ours)
    if process.wait() != 0:
        sys.exit(f"it failed: {script}")
    return output.decode().replace("\r\n", "\n")


# The terminal.

COLUMNS, CELL, LINE, PADDING = 100, 8.4, 19, 18
COLOURS = {None: "#d8dee9", "31": "#ff8f8f", "32": "#8fdc9b", "prompt": "#7cc7ff"}


def cells(line):
    """The stretches of a line, each in its colour, in rows as a terminal of so many columns has them."""
    colour, rows, row, width = None, [], [], 0
    for piece in re.split(r"(\x1b\[\d+m)", line):
        if order := re.fullmatch(r"\x1b\[(\d+)m", piece):
            colour = order[1] if order[1] in COLOURS else None
            continue
        while piece:
            room = COLUMNS - width
            row.append((colour, width, piece[:room]))
            width += len(piece[:room])
            piece = piece[room:]
            if piece:
                rows.append(row)
                row, width = [], 0
    return [*rows, row]


def terminal(command, output):
    rows = [[("prompt", 0, "$ "), (None, 2, command)]]
    for line in output.rstrip("\n").split("\n"):
        rows += cells(line)
    width, height = round(COLUMNS * CELL + 2 * PADDING), len(rows) * LINE + 2 * PADDING
    lines = []
    for number, row in enumerate(rows):
        y = PADDING + number * LINE + 14
        for colour, column, text in row:
            x = round(PADDING + column * CELL, 1)
            length = round(len(text) * CELL, 1)
            lines.append(
                f'<text x="{x}" y="{y}" fill="{COLOURS[colour]}" textLength="{length}" xml:space="preserve">'
                f"{html.escape(text, quote=False)}</text>"
            )
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{MONOSPACE}" font-size="14">\n'
        f"<title>{html.escape(command, quote=False)}</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#1d232e"/>\n{body}\n</svg>\n'
    )


# The conversation.


def fields(raw, *names):
    """Fields of a message as a mail program shows them."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return [(name, str(message[name])) for name in names]


def text(raw):
    content = email.message_from_bytes(raw, policy=email.policy.default).get_content()
    return [line for line in content.splitlines() if line]


CARD_WIDTH, CARD_LINE, GAP, MARGIN = 560, 20, 26, 24


def card(x, y, who, rows, lines):
    """A mail in somebody's mail program; the height that it takes."""
    height = 40 + CARD_LINE * (len(rows) + len(lines)) + 16
    drawn = [
        f'<rect x="{x}" y="{y}" width="{CARD_WIDTH}" height="{height}" rx="8" fill="#ffffff" stroke="#b8c2d0"/>',
        f'<text x="{x + 16}" y="{y + 26}" font-weight="600" fill="#1f5f99">{html.escape(who)}</text>',
    ]
    at = y + 50
    for name, value in rows:
        drawn.append(
            f'<text x="{x + 16}" y="{at}" font-size="13" font-family="{MONOSPACE}" fill="#1d232e">'
            f'<tspan fill="#667085">{name}: </tspan>{html.escape(value, quote=False)}</text>'
        )
        at += CARD_LINE
    at += 4
    for line in lines:
        drawn.append(f'<text x="{x + 16}" y="{at}" font-size="14" fill="#3d4654">{html.escape(line, quote=False)}</text>')
        at += CARD_LINE
    return drawn, height


def conversation(mails):
    """Four mails: the correspondent's on the left, the owner's on the right, one below the other."""
    width = 2 * MARGIN + CARD_WIDTH + 200
    y, drawn = MARGIN, []
    for number, (side, who, rows, lines) in enumerate(mails):
        x = MARGIN if side == "left" else width - MARGIN - CARD_WIDTH
        if number == 1 or number == 3:
            label = "readdress" if number == 1 else "readdress, with the key"
            middle = width // 2
            drawn.append(
                f'<path d="M{middle} {y - GAP + 3} V{y - 5} m-5 -7 l5 7 l5 -7" fill="none" stroke="#1f5f99" '
                'stroke-width="2"/>'
            )
            drawn.append(f'<text x="{middle + 14}" y="{y - GAP / 2 + 5:g}" font-size="13" fill="#1f5f99">{label}</text>')
        some, height = card(x, y, who, rows, lines)
        drawn += some
        y += height + GAP
    height = y - GAP + MARGIN
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{SANS}" font-size="15">\n'
        "<title>A mail to an alias and the answer to it, as both sides see them</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#eef2f7"/>\n{body}\n</svg>\n'
    )


def main():
    with tempfile.TemporaryDirectory() as outbox:
        command = "ON_SPAM=mark readdress explain --event fixtures/trial/held.json shop@example.com"
        output = on_a_terminal(command, outbox)
        pictures = {"explain.svg": terminal(command, output)}

        trial = shell(
            "readdress forward fixtures/trial/held.json\nreaddress release lampshades\n"
            "readdress forward fixtures/trial/answer.json",
            outbox,
        )
        output, _ = trial.communicate()
        if trial.returncode != 0:
            sys.exit(f"the trial failed: {output}")
        stored = ROOT / "fixtures/trial/bucket/inbound"
        sent = Path(outbox)
        written, got = (stored / "lampshades").read_bytes(), (sent / "lampshades.1.eml").read_bytes()
        answered, arrived = (stored / "answer").read_bytes(), (sent / "answer.0.eml").read_bytes()
    mails = [
        ("left", "Kenji writes to the alias", fields(written, "From", "To", "Subject"), text(written)[1:3]),
        ("right", "Jane's mailbox gets", fields(got, "From", "Reply-To", "To", "Subject"), text(got)[1:3]),
        ("right", "Jane answers", fields(answered, "From", "To", "Subject", "User-Agent"), text(answered)[1:2]),
        ("left", "Kenji's mailbox gets", fields(arrived, "From", "To", "Subject"), text(arrived)[1:2]),
    ]
    pictures["conversation.svg"] = conversation(mails)
    for name, picture in pictures.items():
        if "--check" not in sys.argv[1:]:
            (HERE / name).write_text(picture)
        elif (HERE / name).read_text() != picture:
            sys.exit(f"docs/pictures/{name} is not current: run docs/pictures/draw.py")


if __name__ == "__main__":
    main()
