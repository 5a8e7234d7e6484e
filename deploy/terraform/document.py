#!/usr/bin/env python3
"""Writes the tables of inputs and outputs into README.md, from variables.tf and outputs.tf.

    deploy/terraform/document.py            writes them
    deploy/terraform/document.py --check    says whether they are current (exit code 1 if not)

It reads HCL as `terraform fmt` lays it out, and no other.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"


def blocks(kind: str, file: str):
    """The name and the lines of each block of this kind."""
    text = (HERE / file).read_text()
    for found in re.finditer(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}\n', text, re.M | re.S):
        yield found[1], found[2]


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def argument(body: str, name: str) -> str:
    """An argument of the block: a heredoc as one line, else its first line."""
    heredoc = re.search(rf"^  {name}\s+= <<-EOT\n(.*?)^  EOT\n", body, re.M | re.S)
    if heredoc:
        return " ".join(heredoc[1].split())
    line = re.search(rf"^  {name}\s+= (.*)$", body, re.M)
    if not line:
        sys.exit(f"no {name} in a block")
    return line[1].strip()


def unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"') if text.startswith('"') else text


def inputs() -> list[str]:
    rows = [row("input", "what it is", "type", "default"), "|---|---|---|---|"]
    for name, body in blocks("variable", "variables.tf"):
        kind = argument(body, "type")
        kind = kind.split("(")[0] + "(…)" if kind.endswith("(object({") or kind.endswith("object({") else kind
        given = re.search(r"^  default\s+= (.*)$", body, re.M)
        rows.append(
            row(
                f"`{name}`",
                unquoted(argument(body, "description")),
                f"`{kind}`",
                f"`{given[1]}`" if given else "**required**",
            )
        )
    return rows


def outputs() -> list[str]:
    rows = [row("output", "what it is"), "|---|---|"]
    rows += [row(f"`{name}`", unquoted(argument(body, "description"))) for name, body in blocks("output", "outputs.tf")]
    return rows


def written(text: str) -> str:
    for name, table in (("inputs", inputs()), ("outputs", outputs())):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
        if begin not in text or end not in text:
            sys.exit(f"README.md has no marks for {name}")
        before, rest = text.split(begin, 1)
        text = before + begin + "\n".join(table) + "\n" + end + rest.split(end, 1)[1]
    return text


def main() -> None:
    old = README.read_text()
    new = written(old)
    if sys.argv[1:] == ["--check"]:
        if old != new:
            sys.exit("deploy/terraform/README.md is not current: run deploy/terraform/document.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        README.write_text(new)


main()
