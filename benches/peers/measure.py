"""One process, measured: its time, its processor time, and the most memory that it ever had.

The peak that wait4 tells is useless for a small process: it begins with that of the process that started it, and
this one, Python, is larger. So the process is traced, which costs it nothing but two stops, and asked at its end.
"""

import ctypes
import os
import signal
import time
from dataclasses import dataclass

TRACEME, CONT, SETOPTIONS = 0, 7, 0x4200
TRACEEXIT, EXITKILL = 1 << 6, 1 << 20
EVENT_EXIT = 6

ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
ptrace.restype = ctypes.c_long


@dataclass
class Measured:
    status: int
    wall: float
    cpu: float
    peak_kib: int


def peak_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def run(command, out, err, env=None):
    """Runs a command with these files as its standard output and error."""
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            ptrace(TRACEME, 0, None, None)
            os.execvpe(command[0], command, env or os.environ)
        finally:
            os._exit(127)
    # It stops before its first instruction.
    _, status = os.waitpid(pid, 0)
    if not os.WIFSTOPPED(status) or ptrace(SETOPTIONS, pid, None, TRACEEXIT | EXITKILL) != 0:
        raise SystemExit(f"{command[0]} does not start, or may not be traced")
    start = time.perf_counter()
    ptrace(CONT, pid, None, None)
    wall = peak = 0
    while True:
        _, status, usage = os.wait4(pid, 0)
        if not os.WIFSTOPPED(status):
            return Measured(os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, peak)
        stopped = os.WSTOPSIG(status)
        if status >> 8 == signal.SIGTRAP | EVENT_EXIT << 8:
            wall, peak, stopped = time.perf_counter() - start, peak_kib(pid), 0
        ptrace(CONT, pid, None, stopped)
