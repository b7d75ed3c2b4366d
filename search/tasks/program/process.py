"""One process of a user's program, under its guardian: started, listened to, and ended with all that it started."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from search.tasks.program.failure import ProgramFailure
from search.tasks.program.guardian import GRACE, NOT_STARTED
from search.tasks.program.program import Program

Sink: TypeAlias = Callable[[bytes], None]
"""Takes in what a pipe brings; nothing, b"", at its end."""

GUARDIAN: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("guardian.py")))
PIECE: Final = 2**18
"""The most bytes that are read at a time."""

LAST_SECONDS: Final = 1.0
"""How long a pipe is read after the program's end, which something that it started may have open."""


class ProgramProcess:
    """A process whose pipes are read while `turn` runs, each into its sink; `pipes` are others than stdout and stderr.

    `exit_code` is that of the program (minus a signal's number) once it has ended, None until then.
    """

    def __init__(
        self, program: Program, words: Sequence[str], environment: Mapping[str, str], pipes: Sequence[int] = ()
    ) -> None:
        self.exit_code: int | None = None
        self._selector = selectors.DefaultSelector()
        self._socket, other = socket.socketpair()
        memory = int(program.memory * 2**30) if program.memory else 0
        numbers = ",".join(map(str, pipes))
        with other, self._closing_on_failure():
            self._guardian = subprocess.Popen(  # noqa: S603 - the user's own program, with no shell
                [*GUARDIAN, str(other.fileno()), str(memory), numbers, *words],
                env=environment,
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[other.fileno(), *pipes],
                start_new_session=True,
            )
        self._selector.register(self._socket, selectors.EVENT_READ)

    def listen(self, stdout: Sink, stderr: Sink) -> None:
        """Have the two streams read into their sinks."""
        for pipe, sink in ((self._guardian.stdout, stdout), (self._guardian.stderr, stderr)):
            assert pipe is not None  # noqa: S101 - both are pipes
            self.read(os.dup(pipe.fileno()), sink)
            pipe.close()

    def read(self, pipe: int, sink: Sink) -> None:
        """Have a pipe read into a sink, and closed at its end."""
        os.set_blocking(pipe, False)
        self._selector.register(pipe, selectors.EVENT_READ, sink)

    def turn(self, seconds: float) -> bool:
        """Wait up to as many seconds until there is anything to read, and read it; at its end, all that is left.

        Returns whether there was anything.
        """
        ready = self._selector.select(max(0.0, seconds))
        for key, _ in ready:
            if key.fileobj is self._socket:
                self._take_leave()
                break
            self._take(key)
        return bool(ready)

    def _take(self, key: selectors.SelectorKey) -> bool:
        """Read a piece from a pipe, and return whether there was one."""
        try:
            piece = os.read(key.fd, PIECE)
        except BlockingIOError:
            return False
        if not piece:
            self._selector.unregister(key.fd)
            os.close(key.fd)
        key.data(piece)
        return bool(piece)

    def wait(self, seconds: float) -> bool:
        """Read for up to as many seconds, and return whether the program has ended."""
        deadline = time.monotonic() + seconds
        while self.exit_code is None and (left := deadline - time.monotonic()) > 0:
            self.turn(left)
        return self.exit_code is not None

    def _take_leave(self) -> None:
        """Keep the exit code, and read what the program has left in its pipes."""
        code = self._socket.recv(16)
        if not code:  # the guardian was killed, and the program with it
            with suppress(ProcessLookupError):
                os.killpg(self._guardian.pid, signal.SIGKILL)
        self._guardian.wait()
        self.exit_code = int(code) if code else -signal.SIGKILL
        self._selector.unregister(self._socket)
        self._drain()

    def _drain(self) -> None:
        """Read what is left in the pipes."""
        deadline = time.monotonic() + LAST_SECONDS
        for key in list(self._selector.get_map().values()):
            while key.data and self._take(key) and time.monotonic() < deadline:
                pass

    def end(self) -> None:
        """End the program if it has not ended: SIGTERM to its group, SIGKILL after `GRACE` seconds; close all pipes."""
        if self._selector.get_map() is None:
            return
        self._socket.close()
        try:
            self._guardian.wait(2 * GRACE + LAST_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._guardian.pid, signal.SIGKILL)
            self._guardian.wait()
        with suppress(ProgramFailure):
            self._drain()
        for key in list(self._selector.get_map().values()):
            if key.data:
                os.close(key.fd)
        self._selector.close()

    @contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._socket.close()
            self._selector.close()
            raise

    def why_it_ended(self) -> str:
        """Return in words how the program has ended."""
        code = self.exit_code or 0
        if code == NOT_STARTED:
            return "the program could not be started (exit code 127)"
        return (
            f"the program was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"
        )


def write_now(pipe: int, line: bytes) -> None:
    """Write a line to a program; raise ProgramFailure where it has left so many unread that there is no room."""
    try:
        written = os.write(pipe, line)
    except BlockingIOError:
        written = 0
    except BrokenPipeError:
        return  # it has closed the pipe, and is about to end or to say no more
    if written < len(line):
        raise ProgramFailure(f"the program does not read what it is sent: {len(line)} bytes have no room in the pipe")
