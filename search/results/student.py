"""The quantiles of Student's t distribution, without loading SciPy, which takes longer than any command here."""

import math


def quantile(share: float, freedom: int) -> float:
    """Return the value that a variable with `freedom` degrees of freedom stays below with probability `share`, > ½."""
    low, high = 0.0, 1.0
    while _two_sided(high, freedom) < 2 * share - 1:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _two_sided(middle, freedom) < 2 * share - 1 else (low, middle)
    return high


def _two_sided(t: float, freedom: int) -> float:
    """Return the probability of less than `t` in size (Abramowitz & Stegun, 26.7.3 for odd and 26.7.4 for even)."""
    angle = math.atan(t / math.sqrt(freedom))
    term = math.cos(angle) if freedom % 2 else 1.0
    total, start = (0.0, 2) if freedom % 2 else (0.0, 1)
    for k in range(start, freedom, 2):
        total += term
        term *= k / (k + 1) * math.cos(angle) ** 2
    if freedom % 2:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
