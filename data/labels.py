"""The ages that files state in their names, or by the folders that they lie in."""

from __future__ import annotations

import re
from typing import Final

from data.errors import DatasetError

IMAGES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif")
"""How the names of images end."""

_IMAGE: Final = f"(?:{'|'.join(map(re.escape, IMAGES))})"
# ASCII only: \d would take digits of other scripts.
_AGE: Final = re.compile(r"[0-9]{1,3}")
_COURSE: Final = re.compile(rf"(?P<age>[0-9]{{1,3}})_(?P<time>[0-9]{{1,20}}){_IMAGE}", re.IGNORECASE)
_UTKFACE: Final = re.compile(
    rf"(?P<age>[0-9]{{1,3}})_(?P<codes>(?:[0-9]?_){{0,2}})(?P<time>[0-9]{{14,20}})(?: ?\.?jpg\.chip\.jpg|{_IMAGE})",
    re.IGNORECASE,
)
_GENDERS: Final = ("0", "1")
_RACES: Final = ("0", "1", "2", "3", "4")
_DIGITS_OF_A_TIME: Final = 14
FORMS: Final = "<age>_<number>.jpg, <age>_<gender>_<race>_<date>.jpg or <age>_<gender>_<race>_<timestamp>.jpg.chip.jpg"


def age_of(path: str) -> int:
    """Read the age, in years, from a file's name or, where that states none, from its folder's.

    Raises DatasetError where neither states one, or where the two differ and the name may be no more than a count.
    """
    folder, _, name = path.rpartition("/")
    lies_in = folder_age(folder)
    if lies_in is None:
        return parse_name(name)
    try:
        states = parse_name(name)
    except DatasetError:
        return lies_in
    short = _COURSE.fullmatch(name)
    if states != lies_in and short and len(short["time"]) < _DIGITS_OF_A_TIME:
        raise DatasetError(f"its name states the age {states}, its folder {lies_in}; list it in a table of path,value")
    return states


def folder_age(folder: str) -> int | None:
    """Return the age that the last folder of a path is named by, if it is."""
    named = folder.rpartition("/")[2]
    return int(named) if _AGE.fullmatch(named) else None


def parse_name(name: str) -> int:
    """Read the age from a file name without folders.

    Two forms are known. Course: `<age>_<timestamp>.jpg` (or another image's ending), the age in one to three digits,
    the timestamp in one to twenty. UTKFace's own: `<age>_<gender>_<race>_<timestamp>.jpg.chip.jpg`, in the wild without
    `.chip.jpg`, gender 0-1, race 0-4. A crop that lacks fields is never taken for a course name.

    Of UTKFace's names these slips are read, since they leave the age beyond doubt: a timestamp of 14 to 20 digits
    instead of 17, one space before the ending, and a missing dot before `jpg`. A missing or empty gender or race is
    read only where the first field is above 1: a 0 or 1 could itself be the gender, the age being what is missing.
    Every other name raises DatasetError with the reason.
    """
    if match := _COURSE.fullmatch(name):
        return int(match["age"])
    if match := _UTKFACE.fullmatch(name):
        _check_codes(int(match["age"]), match["codes"].split("_")[:-1])
        return int(match["age"])
    raise DatasetError(
        f"neither is the name of the form {FORMS} nor the folder an age; list it in a table of path,value"
    )


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
