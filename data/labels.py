"""File names and the ages they state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from data.errors import DatasetError


class NameForm(Enum):
    """Which of the two known conventions a file name follows."""

    COURSE = "course"
    CROP = "crop"


@dataclass(frozen=True, slots=True)
class NameLabel:
    """What a file name states: the age in whole years, and the convention it follows."""

    age: int
    form: NameForm


# ASCII only: \d would take digits of other scripts.
_COURSE: Final = re.compile(r"(?P<age>[0-9]{1,3})_[0-9]{1,20}\.(?:jpe?g|png)", re.IGNORECASE)
_CROP: Final = re.compile(
    r"(?P<age>[0-9]{1,3})_(?P<codes>(?:[0-9]?_){0,2})(?P<time>[0-9]{14,20}) ?\.?jpg\.chip\.jpg", re.IGNORECASE
)
_GENDERS: Final = ("0", "1")
_RACES: Final = ("0", "1", "2", "3", "4")
_FORMS: Final = "<age>_<timestamp>.jpg or <age>_<gender>_<race>_<timestamp>.jpg.chip.jpg"


def parse_name(name: str) -> NameLabel:
    """Read the age from a file name without folders.

    Two forms are known. Course: `<age>_<timestamp>.jpg` (also .jpeg, .png), the age in one to three digits, the
    timestamp in one to twenty. Crop, UTKFace's own: `<age>_<gender>_<race>_<timestamp>.jpg.chip.jpg`, gender 0-1, race
    0-4. The ending tells the forms apart, so a crop that lacks fields is never taken for a course name.

    Of a crop's name these slips are read, since they leave the age beyond doubt: a timestamp of 14 to 20 digits instead
    of 17, one space before the ending, and a missing dot before `jpg`. A missing or empty gender or race is read
    only where the first field is above 1: a 0 or 1 could itself be the gender, the age being what is missing.
    Every other name raises DatasetError with the reason.
    """
    if match := _COURSE.fullmatch(name):
        return NameLabel(int(match["age"]), NameForm.COURSE)
    if match := _CROP.fullmatch(name):
        _check_codes(int(match["age"]), match["codes"].split("_")[:-1])
        return NameLabel(int(match["age"]), NameForm.CROP)
    raise DatasetError(f"the name is not of the form {_FORMS}")


def _check_codes(age: int, codes: list[str]) -> None:
    """Raise DatasetError where gender and race are impossible, or missing in a way that leaves the age in doubt."""
    present = [code for code in codes if code]
    if len(present) == 2:
        if present[0] not in _GENDERS or present[1] not in _RACES:
            raise DatasetError(f"the name states gender {present[0]} and race {present[1]}, known are 0-1 and 0-4")
        return
    if any(code not in _RACES for code in present):
        raise DatasetError(f"the name states {present[0]} as gender or race, known are 0-1 and 0-4")
    if age <= 1:
        raise DatasetError(f"the name lacks a field, and its first, {age}, may be the gender instead of the age")
