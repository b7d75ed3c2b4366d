"""The samplers' names, apart from what samples, so that settings need no NumPy."""

from typing import Literal, TypeAlias

SamplerName: TypeAlias = Literal["random", "sobol"]
