"""How a source is laid out: split folders as in the course, labelled images, a table, or drawn by ourselves."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from data.arrays import SPLITS
from data.errors import DatasetError
from data.labels import FORMS, IMAGES, age_of, folder_age
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
