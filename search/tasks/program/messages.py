"""The lines of the protocol between a worker and a program that is kept: JSON objects, one a line, UTF-8."""

import json
import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from search.study.trial import Diverged, Ending, Measure, Outcome, Trial
from search.tasks.program.failure import ProgramFailure

VERSION: Final = 1
"""The version of the protocol, which a program begins with."""

LONGEST: Final = 2**20
"""The most bytes of a line."""

ASKED: Final = "asked"
"""The option of a trial that is there to find out what the program asks for; it takes that in."""

ATTRIBUTES: Final = "attributes.json"
"""The file of a trial with the attributes that are no measures."""


@dataclass(frozen=True, slots=True)
class Message:
    """A program's message: its type, the number of the trial that it is about, and what else it says."""

    type: str
    trial: int | None
    says: Mapping[str, Any]

    def number(self, name: str) -> float:
        """Return a number of the message; raise ProgramFailure for anything else."""
        value = self.says.get(name)
        if type(value) not in (int, float):
            raise ProgramFailure(f"the program sent a {self.type} whose {name} is no number: {_short(value)}")
        return as_float(value)  # type: ignore[arg-type]

    def text(self, name: str) -> str:
        """Return a text of the message, or ""."""
        value = self.says.get(name)
        return value[:LONGEST] if isinstance(value, str) else ""

    def attributes(self) -> Mapping[str, Any]:
        """Return the attributes that the program gave the trial."""
        value = self.says.get("attributes", {})
        if not isinstance(value, dict):
            raise ProgramFailure(f"the program sent attributes that are no object: {_short(value)}")
        return value


@dataclass(slots=True)
class Lines:
    """Cuts what a program sends into messages; `closed` once it can send no more."""

    closed: bool = False
    _rest: bytearray = field(default_factory=bytearray)
    _whole: deque[bytes] = field(default_factory=deque)

    def feed(self, piece: bytes) -> None:
        """Take in a piece; raise ProgramFailure if it makes a line longer than `LONGEST`."""
        self.closed = self.closed or not piece
        *whole, rest = piece.split(b"\n")
        if whole:
            self._whole.extend((bytes(self._rest) + whole[0], *whole[1:]))
            self._rest.clear()
        self._rest += rest
        if max(len(self._rest), *map(len, self._whole), 0) > LONGEST:
            raise ProgramFailure(f"the program sent a line of more than {LONGEST} bytes")

    def forget(self) -> None:
        """Leave out the messages that are whole."""
        self._whole.clear()

    def messages(self) -> Iterator[Message]:
        """Give the messages that are whole, once; raise ProgramFailure for a line that is none."""
        while self._whole:
            yield _message(self._whole.popleft())


def _message(line: bytes) -> Message:
    try:
        says = json.loads(line)
    except (ValueError, RecursionError):
        says = None
    if not isinstance(says, dict) or not isinstance(says.get("type"), str):
        raise ProgramFailure(f"the program sent a line that is no message: {_short(line)}")
    trial = says.get("trial")
    return Message(says["type"], trial if isinstance(trial, int) else None, says)


def line_of(**message: Any) -> bytes:
    """Return a message as a line."""
    return json.dumps(message).encode() + b"\n"


def trial_line(token: int, trial: Trial, folder: str) -> bytes:
    """Return the message that gives a program a trial."""
    message = {
        "type": "trial",
        "trial": token,
        "number": trial.number,
        "params": dict(trial.params),
        "budget": dict(trial.budget),
        "seed": trial.seeds.weights,
        "folder": folder,
        "final": trial.final,
    }
    return line_of(**message, **({"check": True} if ASKED in trial.options else {}))


def scored(value: float, attributes: Mapping[str, Any]) -> Ending:
    """Return what a value makes of a trial: NaN and infinity are a divergence.

    Attributes that are finite numbers, or lists of them, are measures; the others are kept as a file.
    """
    number = as_float(value)
    if not math.isfinite(number):
        return Diverged(f"the value is {number}", as_file(attributes))
    measures = {name: measure for name, given in attributes.items() if (measure := _measure(given)) is not None}
    return Outcome(number, measures, as_file({name: attributes[name] for name in attributes if name not in measures}))


def as_float(number: float) -> float:
    """Return a number of JSON, which has whole ones of any length, as the nearest float."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def as_file(attributes: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the file of a trial that holds the attributes, if there are any."""
    return {ATTRIBUTES: json.dumps(dict(attributes), indent=1).encode()} if attributes else {}


def _measure(value: Any) -> Measure | None:
    if _is_finite(value):
        return float(value)
    if isinstance(value, list) and value and all(map(_is_finite, value)):
        return tuple(map(float, value))
    return None


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(as_float(value))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
