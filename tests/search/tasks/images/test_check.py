import json
import subprocess
import sys

import pytest

from data.dataset import inspect_dataset
from search.tasks.checking import FRESH, THIRD
from search.tasks.images import check as checking
from tests.search.tiny import write_tiny

NETWORK = """
layers = [
  {kind = "conv2d", filters = 2, padding = "same", batch_norm = true},
  {kind = "average_pool", size = 8},
  {kind = "flatten"},
  {kind = "dense", units = 1, activation = "linear"},
]
"""


@pytest.fixture
def small(tmp_path):
    write_tiny(tmp_path / "faces.h5", counts=(40, 6, 3), shape=(16, 16, 1))
    (tmp_path / "small.toml").write_text(NETWORK)
    return ("--data", "faces.h5", "--network", "small.toml", "--precision", "float32", "--batch-size", "8")


def test_a_small_slot_is_equal_to_the_bit_in_fresh_processes_and_as_the_third_trial(agesearch, small):
    ended = agesearch("check", *small, "--json")
    found = json.loads(ended.out)
    assert ended.code == 0
    assert [repeat["how"] for repeat in found["repeats"]] == [FRESH, THIRD]
    assert (found["equal"], found["remarks"]) == (True, ["checked on 32 images, 1 epoch, float32"])


def test_the_command_loads_no_tensorflow(small, tmp_path):
    script = f"""
import sys
sys.argv = ["agesearch", "check", *{small}]
from search.__main__ import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
assert not {{"tensorflow", "keras"}} & sys.modules.keys()
"""
    ran = subprocess.run([sys.executable, "-P", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_a_dataset_with_fewer_images_makes_a_smaller_slot(tmp_path):
    write_tiny(tmp_path / "faces.h5")
    assert checking.small_slot(inspect_dataset(tmp_path / "faces.h5"))["images"] == 6


def test_a_process_that_fails_is_a_failure_with_its_last_line(failed, small, monkeypatch):
    monkeypatch.setattr(checking, "CHECK", (sys.executable, "-c", "raise SystemExit('no device')"))
    assert failed("check", *small).endswith("exit code 1: no device")
