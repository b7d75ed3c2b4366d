"""The built-in synthetic dataset: faces of our own drawing whose looks change with age, as many as wanted.

Ages follow Table I of the paper (mean 32.03, SD 18.23, quartiles 23, 29, 42); always answering the median costs about
14 years, and a perfect reader of the drawings still errs by about three.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from data.arrays import SPLITS, Split
from data.collecting import check_memory
from data.errors import DatasetError
from data.images import IMAGE_SIZE
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


if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Face:
    """The traits of one face. Lengths in face units, tones 0-255, everything else 0-1 unless said otherwise.

    `child` falls from 1 at birth to 0 at eighteen, `worn` rises from 0 in the twenties to 1 at eighty.
    """

    child: float
    worn: float
    skin: float
    half_width: float
    jaw: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    iris: float
    brow: float
    nose_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lips: float
    smile: float
    teeth: float
    hair: float
    hairline: float
    temples: float
    hair_cover: float
    long_hair: bool
    beard: float
    wrinkles: float
    spots: float
    yaw: float


def apparent_age(rng: np.random.Generator, age: int) -> float:
    """Return the age a face looks like, in years: off by about 1 for infants, 4 at thirty and 5 from forty on (SD).

    No network can see through this, so even a perfect one keeps an error of about three years.
    """
    return max(0.5, age + float(rng.standard_normal()) * (0.5 + 0.115 * min(age, 40)))


def random_face(rng: np.random.Generator, age: float) -> Face:
    """Draw the traits of one person who looks `age` years old."""
    child = min(max((18 - age) / 17, 0.0), 1.0)
    worn = min(max((age - 22) / 58, 0.0), 1.1)
    male = rng.random() < 0.5
    vary = _Vary(rng)
    hair_tone, hair_cover = _hair(vary, age)
    balding = max(0.0, vary(0.45 if male else 0.1, 0.3)) * min(max((age - 25) / 45, 0.0), 1.0)
    return Face(
        child=child,
        worn=worn,
        skin=float(rng.uniform(95, 215)),
        half_width=vary(0.72 + 0.13 * child + 0.03 * worn, 0.03),
        jaw=vary(0.40 - 0.22 * child - 0.14 * worn + (-0.04 if male else 0.04), 0.04),
        eye_x=vary(0.33 + 0.03 * child, 0.015),
        eye_y=vary(-0.10 + 0.22 * child**1.3, 0.03),
        eye_width=vary(0.135 + 0.045 * child - 0.012 * worn, 0.008),
        eye_height=max(0.02, vary(0.062 + 0.045 * child - 0.028 * worn, 0.007)),
        iris=float(rng.uniform(20, 95)),
        brow=max(0.1, vary(0.75 - 0.5 * child + (0.15 if male else -0.05), 0.12)),
        nose_y=vary(0.27 + 0.12 * child + 0.05 * worn, 0.025),
        nose_width=vary(0.135 - 0.03 * child + 0.035 * worn, 0.012),
        mouth_y=vary(0.58 + 0.07 * child + 0.02 * worn, 0.025),
        mouth_width=vary(0.27 - 0.09 * child + 0.01 * worn, 0.025),
        lips=max(0.012, vary(0.060 - 0.008 * child - 0.034 * worn, 0.008)),
        smile=vary(0.03, 0.045),
        teeth=float(rng.random() < 0.35) * float(rng.uniform(0.3, 1.0)) * (1 - 0.7 * child**4),
        hair=hair_tone,
        hairline=vary(-0.60 - 0.06 * child, 0.05) - 0.32 * min(balding, 1.0),
        temples=min(max(vary(0.15, 0.08) + 0.8 * balding, 0.0), 1.2),
        hair_cover=hair_cover * (1 - 0.55 * max(0.0, min(balding, 1.0) - 0.35)),
        long_hair=bool(rng.random() < (0.12 if male else 0.75)) and age > 3,
        beard=float(male and age > 19 and rng.random() < 0.3) * float(rng.uniform(0.2, 0.9)),
        wrinkles=worn**1.25 * math.exp(0.28 * float(rng.standard_normal())),
        spots=max(0.0, vary(worn, 0.2)),
        yaw=vary(0.0, 0.045),
    )


@dataclass(frozen=True, slots=True)
class _Vary:
    """Draws a person's value around what is usual."""

    rng: np.random.Generator

    def __call__(self, usual: float, sd: float) -> float:
        return usual + sd * float(self.rng.standard_normal())


def _hair(vary: _Vary, age: float) -> tuple[float, float]:
    """Return the tone of the hair, greying from about forty on, and how well it covers: thin in infants."""
    young = float(vary.rng.uniform(12, 80)) if vary.rng.random() < 0.78 else float(vary.rng.uniform(80, 165))
    gray = min(max(vary((age - 34) / 38, 0.16), 0.0), 1.0)
    gray *= float(vary.rng.random() > 0.18 * (age < 70))  # some dye it
    return young + gray * (vary(205, 12) - young), min(max(vary(0.2 + age / 4.5, 0.15), 0.05), 1.0)
