"""The stand-ins of AWS, and a function between them: started, told of mail, measured, ended."""

import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

# As long as Lambda lets a function run at most.
PATIENCE = 900
# What a function does after its answer: it logs, and asks for the next event.
SETTLED = 0.2


class Killed(Exception):
    """The function ended before it answered."""


@dataclass
class Peer:
    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)


class Stands:
    """`benches/peers/stands.rs`, for one function."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.at = json.loads(self.process.stdout.readline())
        self.mails = 0

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.tell(line)
        return json.loads(self.process.stdout.readline())

    def environment(self):
        """What Lambda sets, and the settings of the functions: each takes those that it knows."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "AWS_LAMBDA_RUNTIME_API": self.at["runtime"],
            "AWS_LAMBDA_FUNCTION_NAME": "forward",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/forward",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/03/05/[$LATEST]0123456789abcdef",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIDTEST",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL_S3": self.at["s3"],
            "AWS_ENDPOINT_URL_SESV2": self.at["ses"],
            "AWS_ENDPOINT_URL_SSM": self.at["ssm"],
            "EMAIL_BUCKET": self.at["bucket"],
            "EMAIL_PREFIX": self.at["prefix"],
            "ALIAS_MAP_PARAM": self.at["map"],
            "OUTBOX": "ses",
            "MAX_SEND_BYTES": "41943040",
            "ALIAS": self.at["alias"],
            "TARGET": self.at["target"],
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
        }

    def close(self):
        self.process.kill()
        self.process.wait()


class Function:
    """A function of a peer between stand-ins of its own. It is started with the first mail, as Lambda does it."""

    def __init__(self, peer, stands, limits=None):
        self.peer, self.stands, self.limits = peer, Stands(stands), limits
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.end()
        self.stands.close()
        if self.limits:
            self.limits.remove()

    def start(self):
        env = self.stands.environment() | self.peer.env
        enter = self.limits.enter if self.limits else None
        self.process = subprocess.Popen(
            self.peer.command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=enter
        )

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def forward(self, file):
        """The seconds from the event to the answer; with the first mail, from the start of the process."""
        self.stands.mails += 1
        identifier = f"mail{self.stands.mails:036}"
        self.stands.ask(f"put {identifier} {file}")
        begun = time.perf_counter()
        self.stands.tell(f"invoke {identifier} {PATIENCE}")
        if not self.process:
            self.start()
        ended = threading.Event()
        threading.Thread(target=self.watch, args=[ended], daemon=True).start()
        line = self.stands.process.stdout.readline()
        seconds = time.perf_counter() - begun
        ended.set()
        if not line:
            raise Killed()
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{self.peer.name}: {answer['error']}")
        return seconds

    def watch(self, ended):
        """Ends the wait for a function that is no more."""
        while not ended.wait(0.01):
            if self.process.poll() is not None:
                self.stands.process.kill()
                return

    def told(self):
        """The requests since the last time, by operation; every mail has to have been sent."""
        told = self.stands.ask("told")
        if told["errors"] or not told["sent"]:
            raise SystemExit(f"{self.peer.name} sent {told['sent']}: {told['errors']}")
        return told

    def cpu(self):
        """Seconds of the processor, user and system, of all threads, those that ended too."""
        time.sleep(SETTLED)
        # The kernel's clock of another process: CPUCLOCK_SCHED in <linux/posix-timers.h>.
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def status(self, name):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))

    def peak_kib(self):
        return self.status("VmHWM")

    def faults(self):
        """Page faults, those that read from the disk and those that did not."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return int(fields[7]) + int(fields[9])


def build_stands():
    """Builds the stand-ins, and says where they are."""
    root = Path(__file__).resolve().parent.parent.parent
    target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    command = ["cargo", "build", "--locked", "--release", "--no-default-features", "--example", "stands"]
    subprocess.run(command, cwd=root, check=True)
    return str(target / "release/examples/stands")
