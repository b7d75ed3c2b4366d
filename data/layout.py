"""How a source is laid out: split folders as in the course, labelled images, a table, or drawn by ourselves.

Ages are stated by the names of files, or by the folders that they lie in.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from data.arrays import SPLITS
from data.errors import DatasetError
from data.sources import Kind

if TYPE_CHECKING:
    from data.sources import Source

SPLIT_FOLDERS: Final = {
    "training_set": "training",
    "training": "training",
    "train": "training",
    "validation_set": "validation",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test_set": "test",
    "test": "test",
}
"""The folders of the course layout and the splits they hold, in whatever case they are written."""


class Layout(Enum):
    """The layouts that are known."""

    COURSE = "course"
    CROPS = "crops"
    SYNTHETIC = "synthetic"
    TABLE = "table"


def find_layout(source: Source) -> Layout:
    """Tell a source's layout from its names alone.

    Split folders, all under one top folder, make the course layout; without any, at least one file whose name or
    folder states an age makes crops. Raises DatasetError where neither holds, or where split folders are missing,
    doubled or scattered.
    """
    if not source.names:
        rejected = f" that can be used (such as {source.rejected[0]})" if source.rejected else ""
        raise DatasetError(f"{source.path} holds no files{rejected}; give a folder or an archive of face images")
    folders = {tuple(split_folder(name).split("/")) for name in source.names}
    found = {folder for folder in folders if folder and split_called(folder[-1])}
    if found:
        _check_split_folders(source, found)
        return Layout.COURSE
    if any(_states_age(name) for name in source.names):
        return Layout.CROPS
    raise DatasetError(
        f"{source.path} holds neither the folders {'; '.join(map(names_of, SPLITS))} "
        f"nor images that are named {FORMS}, or whose folders are named by age{_table_hint(source)}"
    )


def split_of(name: str) -> str | None:
    """Return the split whose folder a file lies in, directly or in a folder named by age, or None."""
    return split_called(split_folder(name).rpartition("/")[2])


def split_folder(name: str) -> str:
    """Return the folder that a file lies in, without one named by age."""
    folder = name.rpartition("/")[0]
    return folder.rpartition("/")[0] if folder_age(folder) is not None else folder


def split_called(name: str) -> str | None:
    """Return the split of that name, as a folder or a table may call it, or None."""
    return SPLIT_FOLDERS.get(name.lower())


def names_of(split: str) -> str:
    """List the names that a split may have."""
    *others, last = (name for name, meant in SPLIT_FOLDERS.items() if meant == split)
    return f"{', '.join(others)} or {last}"


def _states_age(name: str) -> bool:
    try:
        age_of(name)
    except DatasetError:
        return False
    return name.rpartition("/")[2].lower().endswith(IMAGES)


def _table_hint(source: Source) -> str:
    """Say what to pass instead where a source of no known layout holds a table."""
    tables = [name for name in source.names if name.lower().endswith(".csv")]
    if not tables:
        return "; list them in a table of path,value, and pass that"
    if source.kind is Kind.FOLDER:
        return f"; if a table lists the images, pass it: {source.path / tables[0]}"
    return f"; if a table lists the images, unpack the archive and pass the table: {tables[0]}"


def _check_split_folders(source: Source, found: set[tuple[str, ...]]) -> None:
    if len({folder[:-1] for folder in found}) > 1:
        listed = ", ".join(sorted("/".join(folder) for folder in found)[:6])
        raise DatasetError(f"{source.path} has split folders in several places ({listed}); pass one of these places")
    by_split: dict[str, str] = {}
    for folder in sorted(found):
        split = SPLIT_FOLDERS[folder[-1].lower()]
        if split in by_split:
            raise DatasetError(f"{source.path} has two {split} folders, {by_split[split]} and {folder[-1]}; keep one")
        by_split[split] = folder[-1]
    missing = [names_of(name) for name in SPLITS if name not in by_split]
    if missing:
        raise DatasetError(f"{source.path} has {', '.join(by_split.values())} but lacks {'; '.join(missing)}")


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
