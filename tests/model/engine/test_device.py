"""The device: its name, its fastest precision, and what the launcher reads of it."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.engine import device
from model.engine.device import _convolution_seconds, cpu_name, device_name, fastest_precision, usable_cores
from model.errors import ModelError

ROOT = Path(__file__).parents[3]


def test_the_processor_has_a_name_on_one_line() -> None:
    name = cpu_name()
    assert name
    assert name == name.strip()
    assert "\n" not in name


def test_the_device_has_a_name() -> None:
    assert device_name()


def test_the_fastest_precision_is_one_of_the_two() -> None:
    assert fastest_precision() in ("float32", "bfloat16")


@pytest.mark.parametrize(
    ("float32", "bfloat16", "chosen"), [(1.0, 0.5, "bfloat16"), (1.0, 0.9, "float32"), (1.0, 3.0, "float32")]
)
def test_bfloat16_is_chosen_only_where_it_is_much_faster(
    monkeypatch: pytest.MonkeyPatch, float32: float, bfloat16: float, chosen: str
) -> None:
    seconds = {"float32": float32, "bfloat16": bfloat16}
    monkeypatch.setattr("model.engine.device._convolution_seconds", lambda precision, _hopeless: seconds[precision])
    assert fastest_precision() == chosen


@pytest.mark.parametrize(
    ("limit", "cores"),
    [(None, 8), ("max 100000\n", 8), ("300000 100000\n", 3), ("250000 100000\n", 2), ("5000 10000", 1)],
)
def test_no_more_cores_are_counted_than_a_container_may_keep_busy(
    limit: str | None, cores: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(device.psutil, "cpu_count", lambda **_: 8)
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _process: range(8))
    monkeypatch.setattr(device, "CPU_LIMIT", tmp_path / "cpu.max")
    if limit is not None:
        (tmp_path / "cpu.max").write_text(limit)
    assert usable_cores() == cores


def test_a_precision_that_is_hopelessly_slow_is_timed_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0, 30)  # every convolution takes half a minute
    monkeypatch.setattr("model.engine.device.time.perf_counter", lambda: float(next(clock)))
    assert _convolution_seconds("float32", hopeless=1.0) == 30.0
    assert next(clock) == 60


class FakeGpu:
    """Stands in for TensorFlow's list of GPUs, and keeps what is set for the one there is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import tensorflow as tf

        self.limits: list[float] = []
        self.grows = self.repeatable = False
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: [self])
        monkeypatch.setattr(tf.config, "set_logical_device_configuration", self._limit)
        monkeypatch.setattr(tf.config.experimental, "set_memory_growth", self._grow)
        monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", self._repeat)
        monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda _count: None)
        monkeypatch.setattr(tf.config.threading, "set_inter_op_parallelism_threads", lambda _count: None)

    def _limit(self, _gpu: object, logical: list[Any]) -> None:
        self.limits = [each.memory_limit for each in logical]

    def _grow(self, _gpu: object, grows: bool) -> None:
        self.grows = grows

    def _repeat(self) -> None:
        self.repeatable = True


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """Put a driver's tool first on the path."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_a_worker_that_has_a_gpu_to_itself_takes_its_memory_as_it_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu(monkeypatch)
    device.configure(1)
    assert (gpu.grows, gpu.limits) == (True, [])


def test_on_a_gpu_a_trial_gives_the_same_bits_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = FakeGpu(monkeypatch)
    device.configure(1)
    assert gpu.repeatable


def test_a_worker_that_shares_a_gpu_is_held_to_its_share_of_the_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gpu = FakeGpu(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    nvidia_smi(tmp_path, monkeypatch, '[ "$3" = --id=3 ] && echo 16384')
    device.configure(1, gpu_share=0.25)
    assert (gpu.grows, gpu.limits) == (False, [4096])


def test_a_process_that_was_set_up_for_a_fit_predicts_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "usable_cores", lambda: 7)
    import tensorflow as tf

    device.configure(1)
    tf.ones(1)  # from now on it cannot be set up otherwise
    device.configure_for_predictions()
    assert tf.config.threading.get_intra_op_parallelism_threads() == 1


@pytest.mark.parametrize("says", ["echo none", "exit 9"])
def test_memory_that_the_driver_does_not_tell_is_not_shared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str
) -> None:
    FakeGpu(monkeypatch)
    nvidia_smi(tmp_path, monkeypatch, says)
    with pytest.raises(ModelError, match="use one worker per GPU"):
        device.configure(1, gpu_share=0.5)


def test_run_as_a_program_it_prints_the_devices_as_one_line_of_json_and_nothing_else() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "model.engine.device"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert finished.stdout.count("\n") == 1
    devices = json.loads(finished.stdout)
    assert set(devices) == {"gpus", "cores", "precision"}
    assert devices["gpus"] == list(range(len(devices["gpus"])))
    assert 1 <= devices["cores"] <= (os.cpu_count() or 1)
    assert devices["precision"] in ("float32", "bfloat16")
    assert finished.stderr == ""


def test_this_process_has_the_one_thread_that_its_configuration_asked_for() -> None:
    import tensorflow as tf

    threading = tf.config.threading
    assert threading.get_intra_op_parallelism_threads() == 1  # tests/model/conftest.py
    assert threading.get_inter_op_parallelism_threads() == 1
