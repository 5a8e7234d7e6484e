#!/usr/bin/env python3
"""Peak memory over the size of the message: the table memory.tsv and its picture memory.svg.

`plot.py TSV SVG` draws the picture again; `plot.py TSV SVG LINES` puts the Lambda function's line, from a file of
`octets<TAB>peak_rss_kib`, into the table first.
"""

import math
import sys
from pathlib import Path

FUNCTION = "readdress on Lambda"

WIDTH, HEIGHT = 800, 440
LEFT, RIGHT, TOP, BOTTOM = 72, 268, 76, 48
STYLE = """
  text { font: 13px system-ui, "DejaVu Sans", sans-serif; }
  .ground, circle { fill: #ffffff; }
  .title { font-size: 15px; font-weight: 600; fill: #1f2328; }
  .axis { fill: #59636e; }
  .rule { stroke: #d8dee4; }
  .line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
  .line.ours { stroke-width: 3; }
  .line.ours, circle.ours { stroke: #0b6bcb; }
  .line.theirs, circle.theirs { stroke: #8a6d3b; }
  text.ours { fill: #0b6bcb; font-weight: 600; }
  text.theirs { fill: #7a5f30; }
  @media (prefers-color-scheme: dark) {
    .ground, circle { fill: #0d1117; }
    .title { fill: #e6edf3; }
    .axis { fill: #9aa4af; }
    .rule { stroke: #30363d; }
    .line.ours, circle.ours { stroke: #58a6ff; }
    .line.theirs, circle.theirs { stroke: #d0a860; }
    text.ours { fill: #58a6ff; }
    text.theirs { fill: #d0a860; }
  }
"""


def read_function(path):
    """The Lambda function's peaks in KiB by octets of the message."""
    lines = (line.split("\t") for line in Path(path).read_text().splitlines() if line[:1].isdigit())
    return {int(octets): int(kib) for octets, kib in lines}


def write(path, lines, where):
    sizes = sorted({size for line in lines.values() for size in line})
    rows = [["octets", *lines]]
    rows += [[str(size), *(str(line.get(size, "")) for line in lines.values())] for size in sizes]
    head = f"# peak resident memory in KiB; {where}\n"
    path.write_text(head + "".join("\t".join(row) + "\n" for row in rows))


def read(path):
    head, names, *rows = path.read_text().splitlines()
    lines = {name: {} for name in names.split("\t")[1:]}
    for row in rows:
        size, *peaks = row.split("\t")
        for line, peak in zip(lines.values(), peaks):
            if peak:
                line[int(size)] = int(peak)
    return head.partition("; ")[2], lines


def tell(octets):
    unit, name = next((u, n) for u, n in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")) if octets >= u)
    return f"{octets / unit:.3g} {name}"


def apart(labels, gap=17):
    """Heights of labels that would overlap, moved down as far as it takes, and up again where the space ends."""
    heights = []
    for height, _ in labels:
        heights.append(max(height, heights[-1] + gap) if heights else height)
    end = HEIGHT - BOTTOM
    for at in reversed(range(len(heights))):
        heights[at] = min(heights[at], end)
        end = heights[at] - gap
    return heights


def draw(table, picture):
    where, lines = read(table)
    sizes = sorted({size for line in lines.values() for size in line})
    peaks = [peak * 1024 for line in lines.values() for peak in line.values()]
    low = 10 ** math.floor(math.log10(min(peaks)))
    high = 10 ** math.ceil(math.log10(max(peaks)))

    def scale(value, least, most, start, end):
        share = math.log(value / least) / math.log(most / least)
        return round(start + share * (end - start), 1)

    def x(octets):
        return scale(octets, sizes[0], sizes[-1], LEFT, WIDTH - RIGHT)

    def y(octets):
        return scale(octets, low, high, HEIGHT - BOTTOM, TOP)

    def text(at_x, at_y, content, kind="axis", anchor="start"):
        return f'<text x="{at_x}" y="{at_y}" class="{kind}" text-anchor="{anchor}">{content}</text>'

    note = "Both axes logarithmic. Forwarding alone, without what sending takes."
    if FUNCTION in lines:
        note = "Both axes logarithmic. Forwarding alone; on Lambda with all that sending takes."
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">',
        "<title>Peak memory over the size of the message</title>",
        f"<desc>{where}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        text(16, 28, "Peak memory of the process, by size of the message", "title"),
        text(16, 48, note),
    ]
    step = low
    while step <= high:
        out.append(f'<path class="rule" d="M{LEFT} {y(step)}H{WIDTH - RIGHT}"/>')
        out.append(text(LEFT - 8, y(step) + 4, tell(step), anchor="end"))
        step *= 10
    ticks = [size for size in sizes if str(size).strip("0") == "1"] + [sizes[-1]]
    for size in ticks:
        out.append(f'<path class="rule" d="M{x(size)} {HEIGHT - BOTTOM}v5"/>')
        out.append(text(x(size), HEIGHT - BOTTOM + 22, tell(size), anchor="middle"))

    labels = []
    for name, line in lines.items():
        kind = "ours" if name.startswith("readdress") else "theirs"
        points = [(x(size), y(peak * 1024)) for size, peak in sorted(line.items())]
        out.append(f'<polyline class="line {kind}" points="{" ".join(f"{a},{b}" for a, b in points)}"/>')
        out.append(f'<circle class="{kind}" cx="{points[-1][0]}" cy="{points[-1][1]}" r="3.5"/>')
        last = line[max(line)] * 1024
        labels.append((points[-1][1], (f"{name.split(',')[0]}: {tell(last)}", kind)))
    labels.sort()
    for height, (content, kind) in zip(apart(labels), (label for _, label in labels)):
        out.append(text(WIDTH - RIGHT + 12, round(height + 4, 1), content, kind))
    picture.write_text("\n".join([*out, "</svg>\n"]))


def main():
    table, picture, *function = map(Path, sys.argv[1:])
    if function:
        where, lines = read(table)
        write(table, {**lines, FUNCTION: read_function(function[0])}, where)
    draw(table, picture)


if __name__ == "__main__":
    main()
