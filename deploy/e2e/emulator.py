"""ministack, an emulator of AWS that runs a Lambda function as a process of this machine and enforces its role.

It listens on 127.0.0.1 only and lives as long as the `with` block.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
from botocore.config import Config

REGION = "eu-west-1"
ACCOUNT = "123456789012"
PATIENCE = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what: str, found, patience: float = PATIENCE):
    """Asks until there is an answer."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.1)
    raise SystemExit(f"waited {patience:.0f} seconds for {what}")


class Emulator:
    def __init__(self, place: Path):
        self.place = place
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.log = open(self.place / "ministack.log", "wb")
        # Nothing of the caller's AWS configuration, nor its credentials.
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "TMPDIR": str(self.place),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",
            # These would listen on every interface.
            "IOT_MTLS_ENABLED": "false",
            "SFTP_ENABLED": "false",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            # Roles are enforced.
            "AUTH": "true",
            # The function is a process, not a container.
            "LAMBDA_EXECUTOR": "local",
            # Lambda waits a minute before it tries again, this fifth of a second.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, cwd=self.place, stdout=self.log, stderr=self.log
        )
        try:
            until("ministack to listen", self.listens)
        except SystemExit:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def listens(self):
        if self.process.poll() is not None:
            raise SystemExit(f"ministack stopped: see {self.log.name}")
        try:
            return self.get("/_ministack/health")
        except OSError:
            return None

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def client(self, service: str):
        """As the root of the account, who deploys."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )


class Wire:
    """Stands between the function and SES and keeps what passes: the emulator keeps of a raw message only parts."""

    def __init__(self, emulator: Emulator):
        self.requests: list[tuple[dict, int]] = []
        wire = self

        class Relay(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                # The host stays what was signed.
                there = HTTPConnection("127.0.0.1", emulator.port, timeout=PATIENCE)
                there.request("POST", self.path, body, dict(self.headers))
                answer = there.getresponse()
                text = answer.read()
                wire.requests.append((json.loads(body), answer.status))
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower().startswith(("content-type", "x-amz")):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class NoNames:
    """A name server that knows no name."""

    def __enter__(self) -> str:
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.answer, daemon=True)
        self.thread.start()
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        # An empty question ends the thread, which `close` would not wake.
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()

    def answer(self):
        while True:
            query, address = self.socket.recvfrom(512)
            if not query:
                return
            # The id and the question of the query (RFC 1035 4.1.1), as an answer with NXDOMAIN.
            header = query[:2] + b"\x81\x83" + query[4:6] + bytes(6)
            name_end = query.index(0, 12) + 1
            self.socket.sendto(header + query[12 : name_end + 4], address)
