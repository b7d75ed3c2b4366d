"""A disk that fills while a dataset is built, of every size from next to nothing to what is needed."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.dataset import open_dataset

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SMALLEST = 64 * 1024
STEPS = 20


@contextmanager
def disk_of(folder, size):
    """Mount a file system of `size` bytes in memory at `folder`; skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def build(source, out):
    command = [Path(sys.executable).with_name("agesearch"), "data", "build", source, "--size", "64", "--out", out]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)


@pytest.fixture
def tables(tmp_path):
    """Two tables of images: one of a few that fit anywhere, and one of many; returns their paths."""
    rng = np.random.default_rng(0)
    for number in range(240):
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(tmp_path / f"{number}.png")
    for name, count in (("few", 8), ("many", 240)):
        splits = ["val", "val", "test", "test", *["training"] * (count - 4)]
        rows = [f"{number}.png,{number % 5},{split}" for number, split in enumerate(splits)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["path,value,split", *rows]))
    return tmp_path / "few.csv", tmp_path / "many.csv"


def test_a_build_on_a_full_disk_says_so_and_leaves_the_old_dataset(tables, tmp_path, tell):
    few, many = tables
    for source, name in ((few, "few.h5"), (many, "many.h5")):
        ended = build(source, tmp_path / name)
        assert (ended.returncode, ended.stderr) == (0, "")
    old = (tmp_path / "few.h5").read_bytes()
    assert len(old) < SMALLEST
    needed = len(old) + (tmp_path / "many.h5").stat().st_size + 8 * 4096
    codes = []
    for size in np.linspace(SMALLEST, needed, STEPS, dtype=int):
        with disk_of(tmp_path / "disk", size) as disk:
            (disk / "faces.h5").write_bytes(old)
            ended = build(many, disk / "faces.h5")
            codes.append(ended.returncode)
            assert [path.name for path in disk.iterdir()] == ["faces.h5"]
            if ended.returncode:
                assert (disk / "faces.h5").read_bytes() == old
                assert ended.stderr.count("\n") == 1
                assert f"cannot write {disk / 'faces.h5'}: No space left on device" in ended.stderr
            else:
                assert len(open_dataset(disk / "faces.h5").training) == 236
    tell(f"exit codes from {SMALLEST} to {needed} bytes: {codes}")
    assert codes == sorted(codes, reverse=True)
    assert (codes[0], codes[-1]) == (1, 0)
