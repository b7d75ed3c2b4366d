"""The built-in synthetic dataset: faces of our own drawing whose looks change with age, as many as wanted.

Ages follow Table I of the paper (mean 32.03, SD 18.23, quartiles 23, 29, 42); always answering the median costs about
14 years, and a perfect reader of the drawings still errs by about three.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

from data.arrays import SPLITS, Split
from data.errors import DatasetError
from data.faces import apparent_age, random_face
from data.images import IMAGE_SIZE
from data.memory import check_memory
from data.portraits import draw_portrait

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.collecting import Progress
    from data.options import BuildOptions

DRAWING_VERSION: Final = 1
"""Counts up with every change that alters a pixel, so that digests of the source tell."""

# Share of the faces below an age: straight lines between a few points, chosen to give Table I's figures.
_SHARES: Final = (0.0, 0.10, 0.20, 0.25, 0.50, 0.75, 0.90, 0.95, 1.0)
_AGES: Final = (0.5, 4.0, 20.0, 23.0, 29.0, 42.0, 57.0, 66.0, 80.5)
YOUNGEST: Final = 1
ELDEST: Final = 80
_GOLDEN: Final = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio


def synthetic_age(seed: int, index: int) -> int:
    """Return the age of one face in whole years, 1 to 80, from (seed, index) alone.

    Multiples of the golden ratio fill the distribution evenly, so any run of indices has nearly the same ages.
    """
    start = int.from_bytes(hashlib.sha256(f"ages {seed}".encode()).digest()[:8])
    share = (start + index * _GOLDEN) % 2**64 / 2**64
    return min(max(round(float(np.interp(share, _SHARES, _AGES))), YOUNGEST), ELDEST)


def draw_face(seed: int, index: int, size: tuple[int, int] = IMAGE_SIZE) -> NDArray[np.uint8]:
    """Draw one face, uint8 (H, W, 1), from (seed, index) alone; `size` is (H, W) in pixels."""
    rng = np.random.default_rng((seed, index))
    face = random_face(rng, apparent_age(rng, synthetic_age(seed, index)))
    return draw_portrait(rng, face, size)


def draw_splits(options: BuildOptions, progress: Progress) -> dict[str, Split]:
    """Draw the three splits of `options.sizes`, indices running on from one split to the next.

    Faces whose age lies outside the options' range are passed over, the next index taking their place. Raises
    DatasetError for a range in which no face has its age, and where memory is too small.
    """
    if options.max_age < YOUNGEST or options.min_age > ELDEST:
        raise DatasetError(
            f"ages are {options.min_age} to {options.max_age}, but drawn faces are {YOUNGEST} to {ELDEST}; "
            "choose --ages among these"
        )
    check_memory(sum(options.sizes), options)
    splits: dict[str, Split] = {}
    index, drawn, total = 0, 0, sum(options.sizes)
    for name, count in zip(SPLITS, options.sizes, strict=True):
        images = np.empty((count, *options.image_size, 1), np.uint8)
        ages: list[int] = []
        names: list[str] = []
        while len(ages) < count:
            age = synthetic_age(options.seed, index)
            if options.min_age <= age <= options.max_age:
                images[len(ages)] = draw_face(options.seed, index, options.image_size)
                ages.append(age)
                names.append(f"{name}/{age:03d}_{index:08d}.png")
                drawn += 1
                progress(drawn, total)
            index += 1
        splits[name] = Split(images, np.array(ages, np.float32), tuple(names))
    return splits


def synthetic_digest(options: BuildOptions) -> str:
    """Return the hex SHA-256 of everything that decides the synthetic faces."""
    parts = (DRAWING_VERSION, options.seed, options.image_size, options.min_age, options.max_age, options.sizes)
    return hashlib.sha256(f"synthetic {parts}".encode()).hexdigest()
