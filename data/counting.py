"""Numbers of things, in words."""


def counted(count: int, noun: str) -> str:
    """Return how many there are, as in "1 image" and "2 images"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
