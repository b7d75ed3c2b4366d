"""What the answers of a `.keras` file are, kept in the file itself: their unit, their decimals, their range."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from model.errors import ModelError
from model.results.quantity import YEARS

WRITTEN_BY: Final = {"written_by": "agesearch"}
"""By which a fit knows that the file may be replaced."""

METADATA: Final = "metadata.json"


@dataclass(frozen=True, slots=True)
class Answers:
    """The unit of a network's answers, "" for none, and the smallest and the largest of them."""

    unit: str
    low: float
    high: float

    @property
    def decimals(self) -> int | None:
        """How many decimals of them mean something; None for all that float32 has."""
        return 1 if self.unit == YEARS else None

    def as_dict(self) -> dict[str, Any]:
        """Return them by name, as the file has them."""
        return {"unit": self.unit, "decimals": self.decimals, "range": [self.low, self.high]}


def read_answers(path: Path) -> Answers | None:
    """Return what the file at `path` says of its answers, without loading it; None where it says nothing.

    Such is any model that another program wrote, and what is no model at all. Raises ModelError where the file is
    damaged.
    """
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(METADATA)).get("answers") if METADATA in archive.namelist() else None
        return found and Answers(str(found["unit"]), *map(float, found["range"]))
    except Exception as error:  # ZIP, its codecs and JSON raise errors of many kinds for damaged bytes
        raise ModelError(f"{path} is damaged; give the folder that 'agesearch fit' wrote") from error
