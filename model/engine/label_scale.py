"""The unit in which a network learns labels: one in which they spread about as far as ages do, whatever theirs is.

The size of a step, the weight of the penalty and the ranges in which both are searched suit numbers of such a size. The
factor is a power of two, which changes no bit of a float but its exponent.
"""

import math
from typing import Final

import numpy as np

from model.arrays import Labels
from model.network.initializers import Weights
from model.network.layers import Dense
from model.network.network import Network

ALIKE: Final = 1.0, 100.0
"""Standard deviations at which labels are learnt as they are; those of the paper's ages spread by 18."""

AIM: Final = 10.0
"""The standard deviation that all others come near."""


def label_scale(labels: Labels, network: Network) -> float:
    """Return what one of the network's units is in that of `labels`; 1 where its output is bounded, and so are they."""
    constant = labels.min() == labels.max()  # of which rounding may leave a deviation
    spread, (least, most) = float(labels.std(dtype=np.float64)), ALIKE
    bounded = isinstance(network.layers[-1], Dense) and network.layers[-1].activation in ("sigmoid", "tanh")
    if bounded or constant or least <= spread <= most:
        return 1.0
    return float(2.0 ** round(math.log2(spread / AIM)))


def times(network: Network, weights: Weights, factor: np.float32) -> Weights:
    """Return the weights with which `network` answers `factor` times what it does with `weights`.

    Those are the last it has: what an expectation is taken of, kernel and bias of a dense layer, or gamma and beta of
    the batch normalisation behind it. A ReLU that follows keeps the factor.
    """
    roles = [spec.role for spec in network.weights]
    first = len(roles) - {"values": 1, "bias": 2}.get(roles[-1], 4)
    return [
        value * factor if place >= first and not roles[place].startswith("moving") else value
        for place, value in enumerate(weights)
    ]
