"""What a program writes to stdout and stderr: on its way to the log, with the last of it kept for what goes wrong."""

from typing import BinaryIO, Final

LOGGED: Final = 2**20
"""The most bytes of one trial's output that go to the log."""

KEPT: Final = 2**16
"""The bytes of a trial's output that are remembered: its last ones."""

SHOWN_LINES: Final = 10
SHOWN: Final = 2000
"""The most lines, and characters, of them that a message quotes."""


class Tail:
    """The last `KEPT` bytes of what was written."""

    def __init__(self) -> None:
        self._last = b""

    def feed(self, written: bytes) -> None:
        """Take in what was written."""
        self._last = (self._last + written)[-KEPT:] if len(written) < KEPT else written[-KEPT:]

    def lines(self) -> list[str]:
        """Return the last lines as text; empty ones at the end are left out."""
        return self._last.decode(errors="replace").rstrip().splitlines()


class Output:
    """Passes a program's output on to `log`; what is beyond `LOGGED` bytes in a trial is counted, and left out."""

    def __init__(self, log: BinaryIO) -> None:
        self._log, self._passed, self._left_out, self._tail = log, 0, 0, Tail()

    def begin(self) -> None:
        """Begin a trial."""
        self.end()
        self._passed, self._tail = 0, Tail()

    def feed(self, written: bytes) -> None:
        """Take in what the program has written."""
        if not written:
            return
        passed = written[: LOGGED - self._passed]
        self._passed += len(passed)
        self._left_out += len(written) - len(passed)
        if passed:
            self._log.write(passed)
            self._log.flush()
        self._tail.feed(written)

    def end(self) -> None:
        """End a trial, and say in the log what was left out of it."""
        if self._left_out:
            self._log.write(f"\nagesearch: {self._left_out} more bytes of the program's output are left out\n".encode())
            self._log.flush()
            self._left_out = 0

    def last(self) -> str:
        """Return the last lines of a trial, as the end of a sentence on what went wrong."""
        said = "\n".join(self._tail.lines()[-SHOWN_LINES:])[-SHOWN:]
        return f"it wrote last:\n{said}" if said else "it wrote nothing"
