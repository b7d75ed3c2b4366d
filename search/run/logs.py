"""Where a study's workers on this machine write their logs."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from search.settings.settings import Settings

_MOST_BYTES: Final = 200


def log_folder(settings: Settings) -> Path:
    """Return the folder of the logs of a study's workers on this machine."""
    return settings.out / "logs" / file_name(settings.study)


def file_name(text: str) -> str:
    """Return what a file or folder is called after `text`: one name, its own, that leads nowhere else.

    It is the text where that will do, else what will do of it with a digest, so that no two texts share a name.
    """
    name = text.replace("/", "_").encode()[:_MOST_BYTES].decode(errors="ignore")
    if name == text and name.strip("."):
        return name
    return f"{name}-{sha256(text.encode()).hexdigest()[:8]}"
