"""Numbers of things, in words."""


def counted(number: int, noun: str) -> str:
    """Return how many there are, as in "1 trial" and "2 trials"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def budget(images: int, epochs: int) -> str:
    """Return what a training takes, as in "500 images, 5 epochs"."""
    return f"{counted(images, 'image')}, {counted(epochs, 'epoch')}"
