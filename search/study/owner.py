"""Who holds a slot: a process named so that another one can tell whether it is still alive."""

import os
import socket
from functools import cache
from pathlib import Path


def this_process() -> str:
    """Return the name of this process."""
    return process_of(os.getpid())


def process_of(pid: int) -> str:
    """Return the name of a process of this machine: machine, process id and start time in clock ticks since boot.

    Start times since boot, not since 1970: setting a machine's clock must not make living workers look dead.
    """
    return f"{_machine()}:{pid}:{_start(pid)}"


def host_and_pid(owner: str) -> tuple[str, int]:
    """Return the host's name and the process id in an owner's name, for people to read."""
    machine, pid, _start_time = owner.rsplit(":", 2)
    return machine.partition("/")[0], int(pid)


def is_gone(owner: str) -> bool:
    """Tell whether the owner is certain to be dead; of another machine's processes nothing is certain."""
    machine, pid, start = owner.rsplit(":", 2)
    if machine != _machine():
        return False
    try:
        os.kill(int(pid), 0)
        return _start(int(pid)) != int(start)
    except (ProcessLookupError, FileNotFoundError):
        return True
    except PermissionError:  # another user's, and alive
        return False


@cache
def _machine() -> str:
    """Return host name, boot and process-id namespace: a pid means one process only where all three agree."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    namespace = Path("/proc/self/ns/pid").readlink().name
    return f"{socket.gethostname()}/{boot}/{namespace.partition(':')[2].strip('[]')}"


def _start(pid: int) -> int:
    """Return when the process started, in clock ticks since boot (field 22 of proc_pid_stat(5)); -1 for a zombie."""
    # The second field is the program's name in brackets, which may hold any bytes, brackets and spaces among them.
    state, *fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return -1 if state in (b"Z", b"X") else int(fields[18])
