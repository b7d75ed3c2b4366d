"""The paper's other studies, and what it suggests next, as a table: what each varies, and the paper's own sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from search.space.ranges import Value
from search.study.variants import Experiment, Variant
from search.tasks.images.options import Curve, Keeping, options_of
from search.tasks.images.parameters import SPANNED

BASE: Final[Mapping[str, Value]] = {"learning_rate": 1e-4, "l2": 1e-4}
"""What the paper chose by its search, and had for all its later studies."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An experiment as it is declared: what its variants have in common, and by the name of each what differs.

    `about` is a sentence for the help. `images` (None: all of the training split), `epochs` and `repeats` are each
    trial's, unless the user asks for others. `lengths` are shares of a training at whose epochs its network is kept.
    """

    name: str
    title: str
    about: str
    caption: str
    variants: Mapping[str, Mapping[str, Value]]
    epochs: int
    images: int | None = None
    repeats: int = 3
    base: Mapping[str, Value] = field(default_factory=lambda: BASE)
    curve: Curve = "validation"
    lengths: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Size:
    """What the user asks for instead of what is declared; None is what is declared."""

    images: int | None = None
    epochs: int | None = None
    repeats: int | None = None


LENGTHS: Final = {"100 epochs": 0.1, "600 epochs": 0.6, "800 epochs": 0.8, "1000 epochs": 1.0}
"""The lengths that the paper tried, as shares of the longest; at a constant rate a shorter training begins a longer."""

CHECKPOINTED: Final = "800 epochs"
"""The length in which the paper kept the best checkpoint, too."""

DECLARED: Final = (
    Declared(
        "capacity",
        "Is the network complex enough?",
        "Can the network learn 20 images by heart? Training error without regularisation, from several seeds.",
        "Figure 2. Training error on a few images, a curve for each seed; a logarithmic axis.",
        {"no regularisation": {}},
        images=20,
        epochs=500,
        repeats=5,
        base={"learning_rate": 1e-3, "l2": 0.0},
        curve="training",
    ),
    Declared(
        "batchnorm",
        "Batch normalisation",
        "Does batch normalisation help, and where? Without it, and in each of the paper's three places.",
        "Figure 3. Errors without batch normalisation and with it in the paper's three places.",
        {
            "none": {"batch_norm": "none"},
            "(a) at each convolution": {"batch_norm": "convolutions"},
            "(b) at the end of a block": {"batch_norm": "blocks"},
            "(c) at each dense layer": {"batch_norm": "dense"},
        },
        epochs=50,
        base={"learning_rate": 1e-4, "l2": 1e-5},
    ),
    Declared(
        "dropout",
        "Dropout",
        "Does dropout help, after the last convolution and each dense layer but the output?",
        "Errors without dropout and with two rates of it.",
        {"none": {"dropout": 0.0}, "0.2": {"dropout": 0.2}, "0.5": {"dropout": 0.5}},
        epochs=50,
    ),
    Declared(
        "initialization",
        "Initialisation",
        "Is it better to draw the initial weights from Xavier's (Glorot's) distribution or from a Gaussian?",
        "Errors from Xavier's initial weights and from Gaussian ones.",
        {"xavier": {"initializer": "xavier"}, "gaussian": {"initializer": "gaussian"}},
        epochs=50,
    ),
    Declared(
        "batch-size",
        "Batch size",
        "Is a batch of 32 better than one of 64?",
        "Errors with batches of 32 and of 64.",
        {"32": {"batch_size": 32}, "64": {"batch_size": 64}},
        epochs=50,
    ),
    Declared(
        "training-length",
        "Length of the training",
        "How good are 100, 600, 800 and 1000 epochs, and the best checkpoint on the way?",
        "Figures 5 and 6. Errors over a long training, with the lengths that the paper tried marked.",
        {"constant rate": {}},
        epochs=1000,
        repeats=1,
        lengths=LENGTHS,
    ),
    Declared(
        "residual",
        "A residual network",
        "Does a residual network with about as many parameters do better? The paper's suggestion.",
        "Errors of the paper's network and of a residual one with about as many parameters.",
        {"the paper's": {"architecture": "paper"}, "residual": {"architecture": "residual"}},
        epochs=100,
    ),
    Declared(
        "augmentation",
        "Augmentation, and weights for rare labels",
        "Do augmentation and a loss that gives rare labels more weight help? The paper's suggestion.",
        "Errors with and without augmentation, in the plain loss and in one that gives rare labels more weight.",
        {
            "plain": {"augmentation": 0.0, "weighting": "none"},
            "augmented": {"augmentation": 1.0, "weighting": "none"},
            "balanced": {"augmentation": 0.0, "weighting": "balanced"},
            "both": {"augmentation": 1.0, "weighting": "balanced"},
        },
        epochs=100,
    ),
)


def epochs_at(lengths: Mapping[str, float], longest: int) -> dict[str, int]:
    """Return the epoch of each length in a training of `longest` epochs."""
    return {name: max(1, round(share * longest)) for name, share in lengths.items()}


def experiment_of(declared: Declared, size: Size, training_images: int) -> Experiment:
    """Return a declared experiment in the size that is asked for, on a split of `training_images`.

    Raises SearchError for a size that makes no sense.
    """
    images = size.images if size.images is not None else declared.images or training_images
    epochs = size.epochs if size.epochs is not None else declared.epochs
    repeats = size.repeats if size.repeats is not None else declared.repeats
    at = epochs_at(declared.lengths, epochs)
    keeping = Keeping(tuple(at.values()), at.get(CHECKPOINTED, 0))
    variants = (
        Variant(
            name,
            {**declared.base, **differing},
            {"images": images, "epochs": epochs},
            repeats,
            options_of(declared.curve, keeping),
        )
        for name, differing in declared.variants.items()
    )
    return Experiment(declared.name, tuple(variants), spanned=SPANNED)
