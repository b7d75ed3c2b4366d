"""From a source's files to three splits: which files are used, how they are labelled, where each goes."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import psutil

from data.arrays import SPLITS, Split
from data.decoding import Decoder
from data.errors import DatasetError, Rejected, RejectedFilesError
from data.layout import Layout, age_of, find_layout, folder_age, split_folder, split_of
from data.members import content_digest
from data.options import OLDEST
from data.splits import stratified_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.options import BuildOptions
    from data.sources import Source

Progress = Callable[[int, int], None]
"""Called with the files done and their total."""

MOST_WHOLE: Final = 200
"""Different whole labels up to which each is a stratum of its own."""

TWENTIETHS: Final = 20


@dataclass(frozen=True, slots=True)
class Collected:
    """What a source gave: its splits, the files left out, and its digest.

    `drawn` says whether the splits were drawn, and not the source's own. `duplicates` counts the groups of
    byte-identical images, `shared` those of them that lie in more than one split, and `contradicting` those with
    different labels, of the first of which `contradiction` tells two.
    """

    layout: Layout
    splits: dict[str, Split]
    rejected: tuple[Rejected, ...]
    source_digest: str
    drawn: bool = False
    duplicates: int = 0
    shared: int = 0
    contradicting: int = 0
    contradiction: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One usable file and its label; `split` is None where it is still to be chosen."""

    name: str
    label: float
    split: str | None
    pixels: NDArray[np.uint8]
    sha256: str


def collect(source: Source, options: BuildOptions, progress: Progress, built: Layout | None = None) -> Collected:
    """Read, label and decode every file of a source and sort the images into splits, by name within a split.

    In the course layout the folder decides; crops are split by age with `options.seed`. Raises RejectedFilesError for
    files that cannot be used unless `options.skip_bad`, and DatasetError where the layout is unknown, a split empty, or
    memory too small. Where the layout was `built` from the source before, it is known, and splits may be empty.
    """
    layout = built if built in (Layout.COURSE, Layout.CROPS) else find_layout(source)
    prefix = _shared(source, layout)
    check_memory(len(source.names), options)
    images: list[Image] = []
    rejected = list(source.rejected)
    digests: list[tuple[str, str]] = []
    with Decoder() as decoder:
        for done, member in enumerate(source.read(), start=1):
            digests.append((member.name, hashlib.sha256(member.content).hexdigest()))
            name = member.name[prefix:]
            try:
                age, split = _label(layout, member.name, options)
                source.limits.check_file(member.content)
                pixels = decoder.decode(member.content, options.image_size, options.channels)
                images.append(Image(name, age, split, pixels, digests[-1][1]))
            except DatasetError as error:
                rejected.append(Rejected(name, str(error)))
            progress(done, len(source.names))
    return collected(layout, str(source.path), images, rejected, content_digest(digests), options, whole=built is None)


def collected(
    layout: Layout,
    source: str,
    images: list[Image],
    rejected: list[Rejected],
    digest: str,
    options: BuildOptions,
    *,
    whole: bool,
) -> Collected:
    """Sort labelled images into splits, none of them empty where a dataset shall be `whole`.

    Raises RejectedFilesError and DatasetError as `collect` does.
    """
    rejected = sorted(rejected, key=lambda one: one.name)
    if rejected and not options.skip_bad:
        raise RejectedFilesError(source, rejected)
    try:
        placed = _place(sorted(images, key=lambda image: image.name), options.seed, whole=whole)
    except DatasetError as error:
        were = "was" if len(rejected) == 1 else "were"
        left_out = f"; {len(rejected)} {were} left out, the first of them {rejected[0]}" if rejected else ""
        raise DatasetError(f"{error}{left_out}") from error
    splits = {name: _split(placed[name]) for name in SPLITS}
    drawn = any(image.split is None for image in images)
    return Collected(layout, splits, tuple(rejected), digest, drawn, *_duplicates(placed))


def _strata(images: list[Image]) -> list[int]:
    """Return what every split shall have alike: whole labels themselves, of others the twentieth that they lie in."""
    labels = [image.label for image in images]
    if all(label == round(label) for label in labels) and len(set(labels)) <= MOST_WHOLE:
        return [round(label) for label in labels]
    ranks = {label: rank for rank, label in enumerate(sorted(labels))}
    return [ranks[label] * TWENTIETHS // len(labels) for label in labels]


def _label(layout: Layout, name: str, options: BuildOptions) -> tuple[int, str | None]:
    """Return the age and the split of a file; raises DatasetError with the reason where it cannot be used."""
    split = split_of(name) if layout is Layout.COURSE else None
    if layout is Layout.COURSE and split is None:
        raise DatasetError("it lies in no split folder")
    age = age_of(name)
    if not options.min_age <= age <= options.max_age:
        wider = "; --ages takes in others" if age <= OLDEST else ""
        raise DatasetError(f"the age {age} is out of the range {options.min_age}-{options.max_age}{wider}")
    return age, split


def _shared(source: Source, layout: Layout) -> int:
    """Return the length of the folder that all files lie in, but for a split's or an age's, which names keep."""
    length = len(source.prefix)
    if layout is Layout.COURSE:
        splits = {split_folder(name) for name in source.names if split_of(name)}
        kept = next((folder for folder in splits if len(folder) < length), "")
    else:
        kept = source.prefix[:-1] if folder_age(source.prefix[:-1]) is not None else ""
    return kept.rfind("/") + 1 if kept else length


def _place(images: list[Image], seed: int, *, whole: bool) -> dict[str, list[Image]]:
    """Put every image into its split; raises DatasetError where a split stays empty, but shall be `whole`."""
    placed: dict[str, list[Image]] = {name: [] for name in SPLITS}
    drawn = images and images[0].split is None
    names = _draw(images, seed, whole=whole) if drawn else [str(image.split) for image in images]
    for name, image in zip(names, images, strict=True):
        placed[name].append(image)
    empty = [name for name in SPLITS if not placed[name]]
    if whole and empty:
        raise DatasetError(f"no usable image is left for {' and '.join(empty)}; give more images")
    return placed


def _draw(images: list[Image], seed: int, *, whole: bool) -> list[str]:
    """Draw the split of every image; too few to be drawn are all of the first where nothing need be `whole`."""
    try:
        numbers = stratified_split(_strata(images), [image.sha256 for image in images], seed)
    except DatasetError:
        if whole:
            raise
        return [SPLITS[0]] * len(images)
    return [SPLITS[number] for number in numbers]


def _split(images: list[Image]) -> Split:
    return Split(
        images=np.array([image.pixels for image in images], np.uint8),
        labels=np.array([image.label for image in images], np.float32),
        names=tuple(image.name for image in images),
    )


def _duplicates(placed: dict[str, list[Image]]) -> tuple[int, int, int, str]:
    """Count the groups of byte-identical images as `Collected` has them, and tell the first contradiction."""
    found: dict[str, list[tuple[str, Image]]] = defaultdict(list)
    for name, images in placed.items():
        for image in images:
            found[image.sha256].append((name, image))
    groups = [group for group in found.values() if len(group) > 1]
    shared = sum(len({name for name, _ in group}) > 1 for group in groups)
    contradictions = [pair for group in groups if (pair := _contradiction([image for _, image in group]))]
    return len(groups), shared, len(contradictions), contradictions[0] if contradictions else ""


def _contradiction(same: list[Image]) -> str:
    """Tell two of some byte-identical images whose labels differ as they will be stored, or nothing."""
    first, *others = same
    for other in others:
        if np.float32(first.label) != np.float32(other.label):
            return f"{first.name} ({first.label:.9g}) and {other.name} ({other.label:.9g})"
    return ""


if TYPE_CHECKING:
    from data.options import BuildOptions

CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")

_COPIES: Final = 2
"""Each image as it was decoded and in its split, and later in its split and in the bytes of the file."""


def check_memory(images: int, options: BuildOptions) -> None:
    """Raise DatasetError where so many images of the options' size are more than all memory can hold.

    Linux grants memory that is not there and then kills whoever uses it, so nothing would say so later.
    """
    shape = (*options.image_size, options.channels)
    needed, there = _COPIES * images * math.prod(shape), _memory()
    if needed > there:
        raise DatasetError(
            f"{images:,} images of {'×'.join(map(str, shape))} take {needed / 2**30:.1f} GiB of memory to build, and "
            f"there are {there / 2**30:.1f}; choose a smaller --size, or fewer images"
        )


def _memory() -> int:
    """Return the bytes of memory of this machine, or of the container if that has fewer."""
    machine: int = psutil.virtual_memory().total
    try:
        return min(machine, int(CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # there is no container, or it says "max"
        return machine
