"""Lambda's limits of a function of 128 MB, by the kernel's control groups, version 1 or 2."""

import itertools
import os
from pathlib import Path

MEMORY = 128 << 20
# A function has a processor of its own at 1,769 MB, and its share of one below, in slices of 20 ms.
PERIOD = 20_000
QUOTA = PERIOD * 128 // 1769

ROOT = Path("/sys/fs/cgroup")
COUNT = itertools.count()


def own():
    """The groups that this process is in, by controller; version 2 has no names."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    fields = (line.split(":", 2) for line in lines)
    return {name: path.lstrip("/") for _, names, path in fields for name in names.split(",")}


def places():
    """The directories below which groups are made, and the files of limits in them."""
    groups = own()
    if "cpu" in groups and "memory" in groups:
        return {
            ROOT / "cpu" / groups["cpu"]: {"cpu.cfs_period_us": PERIOD, "cpu.cfs_quota_us": QUOTA},
            ROOT / "memory" / groups["memory"]: {"memory.limit_in_bytes": MEMORY},
        }
    # Below the root: a group that has processes of its own, as ours has, can give no controller to another one.
    return {ROOT: {"cpu.max": f"{QUOTA} {PERIOD}", "memory.max": MEMORY, "memory.swap.max": 0}}


class Limits:
    """A group of its own for one process."""

    def __init__(self):
        self.groups = []
        name = f"readdress-{os.getpid()}-{next(COUNT)}"
        try:
            for place, files in places().items():
                group = place / name
                group.mkdir()
                self.groups.append(group)
                for file, limit in files.items():
                    # In version 2 a file that is not there is a controller that is not delegated.
                    with open(group / file, "r+") as opened:
                        opened.write(str(limit))
        except OSError:
            self.remove()
            raise

    def enter(self):
        """In the new process, before it becomes the program."""
        for group in self.groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        for group in self.groups:
            if group.is_dir():
                group.rmdir()


def missing():
    """Why no limits can be set here. `None`: they can."""
    try:
        Limits().remove()
    except OSError as error:
        return f"no control group can be made here ({error}): it takes root, and cpu and memory to be delegated"
    return None
