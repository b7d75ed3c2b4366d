"""The parent of a user's program: it ends the program with all of its group when the worker asks for it, or is dead.

A script of the standard library, which `process.py` starts as the leader of a session and a group of their own:
`guardian.py SOCKET MEMORY PIPES COMMAND…`. The pipes are 3 and 4 for the program. The worker holds the other end of the
socket: the program's exit code goes there (minus a signal's number), and the program has to end when it closes.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import select
import signal
import socket
import sys
from contextlib import suppress

GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL."""

FIRST_PIPE = 3
PR_SET_PDEATHSIG = 1
NOT_STARTED = 127
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What is meant for the program, and reaches the whole group."""


def main() -> None:
    """Run the command, and end it when the socket closes."""
    number, memory, pipes, *command = sys.argv[1:]
    worker, numbers = socket.socket(fileno=int(number)), [int(pipe) for pipe in pipes.split(",") if pipe]
    worker.set_inheritable(False)
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    guardian = os.getpid()
    program = os.fork()
    if program == 0:
        _take_over(numbers)
        _become(command, int(memory), guardian)
    _leave(numbers)
    ended = os.pidfd_open(program)
    ready, _, _ = select.select([ended, worker.fileno()], [], [])
    if ended not in ready:
        _end(program, ended)
    _, status = os.waitpid(program, 0)
    with suppress(OSError):
        worker.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os.killpg(0, signal.SIGKILL)  # what it started and left behind, and this process


def _take_over(pipes: list[int]) -> None:
    """Give the pipes the numbers from `FIRST_PIPE` on, which every shell can write."""
    apart = [fcntl.fcntl(pipe, fcntl.F_DUPFD, FIRST_PIPE + len(pipes)) for pipe in pipes]
    for place, pipe in enumerate(apart, start=FIRST_PIPE):
        os.dup2(pipe, place)
    for pipe in {*apart, *pipes} - {*range(FIRST_PIPE, FIRST_PIPE + len(pipes))}:
        os.close(pipe)


def _become(command: list[str], memory: int, guardian: int) -> None:
    """Turn this child into the program; it dies with its guardian."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guardian:
        os._exit(NOT_STARTED)
    for restored in (*IGNORED, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ):  # Python, or a shell, ignores them
        signal.signal(restored, signal.SIG_DFL)
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    try:
        os.execv(command[0], command)  # noqa: S606 - the user's own program, with no shell
    except OSError as error:
        os.write(2, f"{command[0]} cannot be run: {error.strerror}\n".encode())
    os._exit(NOT_STARTED)


def _leave(pipes: list[int]) -> None:
    """Close what is the program's, so that it alone decides when a pipe ends."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    for pipe in (*pipes, nowhere):
        os.close(pipe)


def _end(program: int, ended: int) -> None:
    """Ask the group to end, and see to it after the time of grace."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(program, ending)  # which may have left the group
        if ending is signal.SIGTERM:
            os.killpg(0, ending)
        select.select([ended], [], [], GRACE)


if __name__ == "__main__":
    main()
