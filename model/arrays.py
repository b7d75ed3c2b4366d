"""What the model is given: images with their labels, as arrays."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model.errors import ModelError

Images: TypeAlias = npt.NDArray[np.uint8]
Labels: TypeAlias = npt.NDArray[np.float32]
Rows: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """`images`, uint8 (N, H, W, C), and their `labels`, float32 (N,), in whatever unit; N ≥ 1.

    Raises ModelError where the two do not fit together.
    """

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise ModelError(f"images are {self.images.dtype} {self.images.shape}; they must be uint8 (N, H, W, C)")
        if self.labels.dtype != np.float32 or self.labels.shape != self.images.shape[:1] or not len(self.labels):
            raise ModelError(
                f"labels are {self.labels.dtype} {self.labels.shape} for images of {self.images.shape}; "
                "they must be float32 (N,), N ≥ 1"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every image."""
        height, width, channels = self.images.shape[1:]
        return height, width, channels
