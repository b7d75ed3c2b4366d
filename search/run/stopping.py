"""Signals that ask to end as an event, for what must give something back before it ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Final

WARNINGS: Final = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""What batch systems send some time before they end a job, which would kill a process that does not know them."""


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """Give an event that Ctrl-C, SIGTERM and the warnings of batch systems set, for the length of the block."""
    stop = Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, *WARNINGS)}
    for number, handler in before.items():
        if number is not signal.SIGHUP or handler is not signal.SIG_IGN:  # what nohup starts outlives its terminal
            signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
