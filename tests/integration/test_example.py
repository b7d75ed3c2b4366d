"""The example on other images than faces: from the digits of a package to an evaluated network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "sklearn", reason="scikit-learn, which brings the digits, is not installed: pip install -e '.[dev]'"
)

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_digits_are_searched_fitted_and_told_apart(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    python(tmp_path, "examples/digits/images.py", "runs/digits/images")
    table = ("runs/digits/images/labels.csv", "--size", "8", "--unit", "digits", "--out", "runs/digits/digits.h5")
    built = python(tmp_path, "-m", "search", "data", "build", *table)
    assert built.splitlines()[0].endswith("1093 training, 469 validation, 235 test; table, 8×8×1")
    small = ("--trials", "2,1", "--finalists", "0", "--workers", "1", "--fit-epochs", "6")
    said = python(tmp_path, "-m", "search", "run", "--config", "examples/digits/agesearch.toml", *small)
    assert "stage 2: 1/1 finished" in said
    assert "years" not in said
    error, constant = map(
        float, re.search(r"test MAE (\S+) ± .* digits.* would score (\S+)\n", said, re.DOTALL).groups()
    )
    assert error < constant / 2


def python(folder, *arguments):
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    command = [sys.executable, *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
