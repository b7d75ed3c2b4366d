"""Decoding strangers' images in a process of its own, because a hostile image can crash or hang the decoders.

That process is `python -m data.decoding`: it reads one image after another from stdin, and answers each on stdout with
its pixels or with what is wrong with it. Starting it takes some tenths of a second, an image a tenth of a millisecond.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final, Self

import numpy as np

from data.confinement import confine
from data.errors import DatasetError
from data.images import IMAGE_SIZE, decode_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SECONDS: Final = 60
"""How long one image may take; they take milliseconds."""

_PROGRAM: Final = (sys.executable, "-P", "-m", "data.decoding")
_REQUEST: Final = struct.Struct("<IIBQ")
"""Height, width and channels that are wanted, and the number of bytes of the image, which follow."""
_ANSWER: Final = struct.Struct("<?Q")
"""Whether it was decoded, and the number of bytes of its pixels or of the reason, which follow."""


class Decoder:
    """Decodes images in another process, which is started with the first image, and anew after one that crashed it."""

    def __init__(self, program: Sequence[str] = _PROGRAM) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._ended(self._process)

    def decode(self, content: bytes, size: tuple[int, int] = IMAGE_SIZE, channels: int = 1) -> NDArray[np.uint8]:
        """Decode an image as `decode_image` does; raises DatasetError with the reason where it cannot be."""
        process = self._process = self._process or self._started()
        try:
            _write(process.stdin, _REQUEST.pack(*size, channels, len(content)), content)
            decoded, length = _ANSWER.unpack(_read(process.stdout, _ANSWER.size))
            answer = _read(process.stdout, length)
        except (BrokenPipeError, EOFError):
            self._process = None
            code = self._ended(process)
            if code > 0:  # no image's fault: it cannot have been started
                raise RuntimeError(f"the process that decodes images failed with exit code {code}") from None
            slow = code == -signal.SIGALRM
            reason = f"takes more than {SECONDS} seconds" if slow else f"crashes the decoder (signal {-code})"
            raise DatasetError(f"it cannot be decoded: it {reason}") from None
        if not decoded:
            raise DatasetError(answer.decode())
        return np.frombuffer(answer, np.uint8).reshape(*size, channels)

    def _started(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(  # noqa: S603 - our own program
            self._program, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    @staticmethod
    def _ended(process: subprocess.Popen[bytes]) -> int:
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        return process.wait()


def _write(pipe: IO[bytes] | None, *parts: bytes) -> None:
    if pipe is None:
        raise EOFError
    for part in parts:
        pipe.write(part)
    pipe.flush()


def _read(pipe: IO[bytes] | None, count: int) -> bytes:
    content = pipe.read(count) if pipe else b""
    if len(content) < count:
        raise EOFError
    return content


def _main() -> None:
    confine()
    while header := sys.stdin.buffer.read(_REQUEST.size):
        height, width, channels, length = _REQUEST.unpack(header)
        content = sys.stdin.buffer.read(length)
        signal.alarm(SECONDS)
        try:
            decoded, answer = True, decode_image(content, (height, width), channels).tobytes()
        except DatasetError as error:
            decoded, answer = False, str(error).encode(errors="replace")
        signal.alarm(0)
        _write(sys.stdout.buffer, _ANSWER.pack(decoded, len(answer)), answer)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks, whose end ends this one
    _main()
