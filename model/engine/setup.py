"""What is compiled into a training step, as a value without TensorFlow."""

from dataclasses import dataclass

from model.engine.augmentation import Augmentation


@dataclass(frozen=True, slots=True)
class Setup:
    """What is compiled into a step, so that another one needs another engine.

    `momentum` is batch normalisation's, with which moving statistics follow the batches'. `precision`, "float32" or
    "bfloat16", is that of the convolutions; weights are float32 always. `augmentation` varies the images of training.
    `decay` is the optimiser's. `balanced` has images of rare labels count for more in the loss.
    """

    batch_size: int
    momentum: float
    precision: str
    augmentation: Augmentation | None = None
    decay: float = 0.0
    balanced: bool = False
