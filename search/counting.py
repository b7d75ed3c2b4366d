"""What a training takes, in words."""

from data.counting import counted


def budget(images: int, epochs: int) -> str:
    """Return what a training takes, as in "500 images, 5 epochs"."""
    return f"{counted(images, 'image')}, {counted(epochs, 'epoch')}"
