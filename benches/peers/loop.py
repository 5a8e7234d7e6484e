"""How the peers in Python are run: `PEER FILE` forwards a message to standard output; `PEER FILE SECONDS` does so
again and again for that long and writes the octets of the message and what the fastest took, in seconds, to standard
error."""

import os
import sys
import time


def run(once):
    path, *seconds = sys.argv[1:]
    out = sys.stdout.buffer
    if not seconds:
        once(path, out)
        return
    best, end = float("inf"), time.perf_counter() + float(seconds[0])
    while time.perf_counter() < end or best == float("inf"):
        start = time.perf_counter()
        once(path, out)
        best = min(best, time.perf_counter() - start)
    print(best, file=sys.stderr)
