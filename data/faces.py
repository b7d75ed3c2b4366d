"""What a drawn face looks like at an age: proportions, hair, wrinkles, and what differs from person to person."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
