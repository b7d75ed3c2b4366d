"""What is compiled into a training step, as values without TensorFlow: its setup, and how training images are varied.

`distortion` varies them in the graph.
"""

from dataclasses import dataclass, replace

from model.errors import ModelError


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The ranges that each image's own variation is drawn from, uniformly and anew every time it is learnt from.

    `flip` is the share of images mirrored left to right. `rotation` is in degrees to either side, `shift` a share of
    the image's side in each direction, `scale` the deviation from 1 of the magnification; `contrast` that of the factor
    on the distance from the image's mean, `brightness` the offset to either side, of pixels scaled to [0, 1]. In a
    share `erasing` of the images one box of `erased` (least, most) shares of a side is replaced by the image's mean
    (Zhong et al., 2020). Raises ModelError for values that make no sense.
    """

    flip: float = 0.5
    rotation: float = 10.0
    scale: float = 0.12
    shift: float = 6 / 91
    contrast: float = 0.25
    brightness: float = 0.15
    erasing: float = 0.5
    erased: tuple[float, float] = (8 / 91, 30 / 91)

    def __post_init__(self) -> None:
        for name, most in (
            ("flip", 1), ("rotation", 180), ("scale", 0.9), ("shift", 1), ("contrast", 1), ("brightness", 1),
            ("erasing", 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise ModelError(f"{name} is {value!r}; it must be a number from 0 to {most}")
        if not 0 < self.erased[0] <= self.erased[1] <= 1:
            raise ModelError(f"erased is {self.erased!r}; it must be (least, most) shares of a side, the smaller first")

    def scaled(self, strength: float) -> "Augmentation | None":
        """Return every deviation and the share of erased images `strength` times as large; None for a strength of 0.

        The share of mirrored images stays: a mirror image is no more or less of one. Raises ModelError where that
        makes no sense, as for a strength below 0.
        """
        if strength == 0:
            return None
        names = ("rotation", "scale", "shift", "contrast", "brightness", "erasing")
        return replace(self, **{name: strength * getattr(self, name) for name in names})


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
