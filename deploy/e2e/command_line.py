"""The command line as an operator has it: built from this tree, with the emulator in the place of AWS."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

from emulator import REGION, Emulator, Wire

ROOT = Path(__file__).resolve().parents[2]


@cache
def program() -> str:
    """The path of `readdress`. Built as for its tests, since `cargo build` would compile the SDK anew without their features."""
    build = ["cargo", "test", "--quiet", "--no-run", "--test", "commands", "--message-format", "json"]
    told = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    built = [line for line in map(json.loads, told.splitlines()) if line.get("executable")]
    (path,) = [line["executable"] for line in built if line["target"]["name"] == "readdress"]
    return path


class CommandLine:
    def __init__(self, emulator: Emulator, wire: Wire, settings: dict[str, str]):
        """`settings` are those of the function."""
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(emulator.place),
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ENDPOINT_URL_SESV2": wire.url,
        } | {name: value for name, value in settings.items() if not name.startswith("AWS_")}

    def run(self, *arguments: str, code: int = 0) -> str:
        """What it says, if it ends with this exit code."""
        command = [program(), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout
