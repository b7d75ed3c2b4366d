"""A disk that fills while something is written, of every size from next to nothing to what is needed."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.dataset import open_dataset
from tests.integration import fake_study as fake
from tests.search.tiny import write_tiny

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


def agesearch(*words, **environment):
    command = [Path(sys.executable).with_name("agesearch"), *words]
    own = os.environ | environment
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=own)


def build(source, out):
    return agesearch("data", "build", source, "--size", "64", "--out", out)


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


CONFIGURATION = """
network = [
  {kind = "conv2d", filters = 4, padding = "same", batch_norm = true},
  {kind = "average_pool", size = 8},
  {kind = "flatten"},
  {kind = "dense", units = 1, activation = "linear"},
]

[hyperparameters]
learning_rate = 1e-3
l2 = 1e-4
"""
FILES = ["checkpoint.npz", "fit.toml", "history.csv", "learning_curve.png", "model.keras"]


@pytest.fixture
def fit(tmp_path):
    """Fit a small network for one epoch."""
    write_tiny(tmp_path / "tiny.h5")
    (tmp_path / "best.toml").write_text(CONFIGURATION)
    line = ("fit", tmp_path / "best.toml", "--data", tmp_path / "tiny.h5", "--fit-epochs", "1")
    return lambda out, **environment: agesearch(*line, "--out", out, **environment)


def said_at_the_end(ended):
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


def sums(folder):
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}


def test_a_fit_on_a_full_disk_says_so_leaves_whole_files_alone_and_goes_on_with_more_room(fit, tmp_path, tell):
    assert fit(tmp_path / "calm").returncode == 0
    calm, codes = sums(tmp_path / "calm"), []
    needed = sum(-(-len(content) // 4096) * 4096 for content in calm.values()) + 16 * 4096
    for size in np.linspace(4096, needed, STEPS, dtype=int):
        with disk_of(tmp_path / "disk", size) as disk:
            ended = fit(disk / "fit")
            codes.append(ended.returncode)
            left = sums(disk / "fit")
            for name in ("model.keras", "checkpoint.npz", "history.csv", "learning_curve.png"):
                assert name not in left or len(left[name]) >= 0.9 * len(calm[name])
            assert {path.name for path in (disk / "fit").iterdir()} <= {*FILES, ".lock"}
            if ended.returncode:
                assert f"cannot write {disk / 'fit'}" in said_at_the_end(ended)
                assert "No space left on device" in said_at_the_end(ended)
                again = tmp_path / f"again-{size}"
                shutil.copytree(disk / "fit", again)
    assert codes == sorted(codes, reverse=True)
    assert (codes[0], codes[-1]) == (1, 0)
    assert fit(again).returncode == 0
    assert sorted(sums(again)) == FILES
    tell(f"exit codes of a fit from 4096 to {needed} bytes: {codes}")


@pytest.mark.parametrize("size", [4096, 6 * 4096, 12 * 4096])
def test_a_full_temporary_folder_is_named_and_the_same_command_ends_the_fit(size, fit, tmp_path):
    with disk_of(tmp_path / "disk", size) as disk:
        ended = fit(tmp_path / "fit", TMPDIR=str(disk))
        if ended.returncode:
            assert ended.returncode == 1
            assert f"cannot write to the temporary folder {disk}" in said_at_the_end(ended)
        assert size > 4096 or ended.returncode
    assert fit(tmp_path / "fit").returncode == 0
    assert sorted(sums(tmp_path / "fit")) == FILES


def test_an_export_to_a_full_disk_says_so_and_leaves_the_old_file(tmp_path):
    study = fake.new_study(tmp_path, fake.spec_of(2))
    fake.work_to_the_end(study.storage.url)
    line = ("export", "--storage", study.storage.url, "--study", study.name)
    with disk_of(tmp_path / "disk", 3 * 4096) as disk:
        assert agesearch(*line, "--out", disk / "best.toml").returncode == 0
        old = (disk / "best.toml").read_bytes()
        (disk / "filler").write_bytes(bytes(3 * 4096 - -(-len(old) // 4096) * 4096))
        ended = agesearch(*line, "--out", disk / "best.toml")
        assert ended.returncode == 1
        assert f"cannot write {disk / 'best.toml'}: No space left on device" in said_at_the_end(ended)
        assert (disk / "best.toml").read_bytes() == old
        assert {path.name for path in disk.iterdir()} == {"best.toml", "filler"}
