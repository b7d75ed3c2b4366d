"""Tiny images and sources for the tests of data/, made on the spot, and where the real data would be."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.arrays import Split
from data.build import build_dataset
from data.dataset import make_dataset, write_dataset

REAL = Path(__file__).parents[2].parent / "shared/data"


def _image(seed, size=(12, 12), form="JPEG", mode="L"):
    shape = size if mode == "L" else (*size, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def _course(top="faces/"):
    counts = {"training_set": 5, "validation_set": 3, "test_set": 2}
    files, seed = {}, 0
    for folder, count in counts.items():
        for _ in range(count):
            seed += 1
            files[f"{top}{folder}/{20 + seed:03d}_2016{seed:013d}.jpg"] = _image(seed)
    return files


def _crops(count=20):
    return {
        f"UTKFace/{1 + i * 3 % 80}_{i % 2}_{i % 5}_2017{i:013d}.jpg.chip.jpg": _image(i, (30, 30)) for i in range(count)
    }


def _zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _tar(path, files):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


class Make:
    """Everything the tests build sources from."""

    image = staticmethod(_image)
    course = staticmethod(_course)
    crops = staticmethod(_crops)
    zip = staticmethod(_zip)
    tar = staticmethod(_tar)
    folder = staticmethod(_folder)


@pytest.fixture(scope="session")
def make():
    return Make


def _split(rng, count):
    images = rng.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    names = tuple(f"{count}/é{place}.jpg" for place in range(count))
    return Split(images, rng.uniform(1, 80, count).astype(np.float32), names)


@pytest.fixture(scope="session")
def dataset():
    rng = np.random.default_rng(0)
    splits = {"training": _split(rng, 5), "validation": _split(rng, 3), "test": _split(rng, 2)}
    return make_dataset(splits, "faces.zip", "0" * 64)


@pytest.fixture
def stored(dataset, tmp_path):
    write_dataset(tmp_path / "faces.h5", dataset)
    return tmp_path / "faces.h5"


@pytest.fixture(scope="session")
def paper_zip():
    path = REAL / "UTKFace_downsampled.zip"
    if not path.exists():
        pytest.skip("the paper's dataset is not on this machine")
    return path


@pytest.fixture(scope="session")
def paper_h5(paper_zip, tmp_path_factory):
    path = tmp_path_factory.mktemp("paper") / "utk.h5"
    build_dataset(paper_zip, path)
    return path


@pytest.fixture(scope="session")
def raw_zip():
    path = REAL / "UTKFace_raw_sample.zip"
    if not path.exists():
        pytest.skip("the sample of raw UTKFace crops is not on this machine")
    return path
