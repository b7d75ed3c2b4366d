"""Mutated dataset files and images: each must be refused in one sentence or read correctly, thousands of times.

`python -m tests.data.fuzz --cases 5000` is the long form. The cases run in a process of their own, which may crash:
then the case is looked at once more, as the product does it, and the next process goes on behind it.
"""

import argparse
import io
import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from data import dataset
from data.arrays import SPLITS, Split
from data.decoding import Decoder
from data.errors import DatasetError
from data.images import decode_image
from data.inspection import inspect_dataset
from data.structure import inspect_file

ROOT = Path(__file__).parents[2]
KINDS = ("dataset", "png", "jpeg")
SIZE = (24, 24)
CASE_SECONDS = 60
EXTREME = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)


def mutate(whole: bytes, dice: random.Random) -> bytes:
    """Damage bytes in one to four places: other bits, extreme numbers, pieces left out, copied or cut off."""
    damaged = bytearray(whole)
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(damaged)), dice.choice((1, 2, 4, 8))
        kind = dice.choice(("bit", "byte", "number", "number", "copy", "leave out", "cut"))
        if kind == "bit":
            damaged[at] ^= 1 << dice.randrange(8)
        elif kind == "byte":
            damaged[at] = dice.randrange(256)
        elif kind == "number":
            damaged[at : at + length] = (dice.choice(EXTREME) % 256**length).to_bytes(length, "little")
        elif kind == "copy":
            start, count = dice.randrange(len(damaged)), dice.randint(1, 64)
            damaged[at : at + count] = damaged[start : start + count]
        elif kind == "leave out":
            del damaged[at : at + dice.randint(1, 16)]
        elif dice.random() < 0.2:
            del damaged[max(at, 8) :]
        damaged = damaged or bytearray(whole)
    return bytes(damaged)


def make_whole(kind: str, folder: Path) -> bytes:
    """The bytes of an undamaged file."""
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    if kind == "dataset":
        dataset.write_dataset(folder / "whole.h5", tiny_dataset())
        return (folder / "whole.h5").read_bytes()
    stream, exif = io.BytesIO(), Image.Exif()
    exif[274] = 6  # to be turned a quarter clockwise
    Image.fromarray(pixels).save(stream, kind.upper(), exif=exif)
    return stream.getvalue()


def tiny_dataset() -> dataset.Dataset:
    stream = np.random.default_rng(0)
    splits = {}
    for name, count in zip(SPLITS, (5, 3, 2), strict=True):
        images = stream.integers(0, 256, (count, 8, 8, 1), np.uint8)
        labels = stream.uniform(1, 80, count).astype(np.float32)
        splits[name] = Split(images, labels, tuple(f"é{place}.jpg" for place in range(count)))
    return dataset.make_dataset(splits, "faces.zip", "0" * 64)


def read(kind: str, path: Path, content: bytes) -> str:
    """Read one file as the product does, but within this process; returns "read" or "refused"."""
    try:
        if kind == "dataset":
            check_dataset(dataset.open_dataset(path))
        else:
            decoded = decode_image(content, SIZE)
            assert (decoded.shape, decoded.dtype) == ((*SIZE, 1), np.uint8)
    except DatasetError as error:
        return "refused" if "\n" not in str(error) else f"refused in several lines: {error}"
    return "read"


def check_dataset(found: dataset.Dataset) -> None:
    whole = tiny_dataset()
    assert found.digest == whole.digest
    for name in SPLITS:
        assert np.array_equal(found.split(name).images, whole.split(name).images)
        assert np.array_equal(found.split(name).labels, whole.split(name).labels)
        assert found.split(name).names == whole.split(name).names


def run_cases(kind: str, first: int, end: int) -> None:
    """Run cases in this process, and print each one's number before and its answer after it."""
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    dataset.inspect_dataset = inspect_file
    with TemporaryDirectory() as folder:
        whole, path = make_whole(kind, Path(folder)), Path(folder, "case")
        path.write_bytes(whole)
        assert read(kind, path, whole) == "read"
        for case in range(first, end):
            signal.alarm(CASE_SECONDS)
            content = mutate(whole, random.Random(case))  # noqa: S311  (damage, no secrets)
            path.write_bytes(content)
            print(case, end=" ", flush=True)
            print(read(kind, path, content), flush=True)


def fuzz(kind: str, first: int, count: int) -> Counter:
    """Run so many cases, however many processes that takes; returns how many were read, refused, and crashed.

    Raises AssertionError where one is neither read correctly nor refused in one sentence.
    """
    answers: Counter = Counter()
    start, end = first, first + count
    while start < end:
        command = [sys.executable, "-m", "tests.data.fuzz", kind, str(start), str(end)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        told = [line.split() for line in ended.stdout.splitlines()]
        answers.update(answer for _, answer in (line for line in told if len(line) == 2))
        if ended.returncode == 0:
            break
        case = int(told[-1][0]) if told else start
        assert ended.returncode < 0, f"{kind}, case {case}: {ended.stderr}"
        check_contained(kind, case)
        answers[f"crashed by signal {-ended.returncode}"] += 1
        start = case + 1
    return answers


def check_contained(kind: str, case: int) -> None:
    """Look at a case that crashes or hangs the process that reads it as the product does, in another process."""
    with TemporaryDirectory() as folder, Decoder() as decoder, suppress(DatasetError):
        content, path = mutate(make_whole(kind, Path(folder)), random.Random(case)), Path(folder, "case")  # noqa: S311
        path.write_bytes(content)
        if kind == "dataset":
            inspect_dataset(path)
        else:
            decoder.decode(content, SIZE)


def main() -> None:
    """Run many cases of each kind, and print what came of them."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    for kind in KINDS:
        print(f"{kind}: {dict(fuzz(kind, asked.first, asked.cases))}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in KINDS:
        run_cases(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
