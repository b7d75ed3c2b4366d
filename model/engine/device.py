"""The device a process computes on: how it is set up, what it is called, and which precision is fastest on it.

`python -m model.engine.device` prints the devices and the precision as JSON; the launcher asks so without
loading TensorFlow.
"""

import json
import math
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import psutil

from model.errors import ModelError

Precision: TypeAlias = Literal["float32", "bfloat16"]

CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""What a container's processes may use, where it has a limit: microseconds of computing in so many of time."""

WORTHWHILE = 1.3
"""How many times faster bfloat16 must be measured before it is chosen: less is not worth its rounding."""


@dataclass(frozen=True, slots=True)
class Devices:
    """What this machine computes on: the GPUs' indices, the physical cores, and the fastest precision."""

    gpus: tuple[int, ...]
    cores: int
    precision: Precision


def configure(threads: int, gpu_share: float = 1.0) -> None:
    """Set TensorFlow up in this process: `threads` for each operation on the CPU, GPU memory taken as it is needed.

    With a `gpu_share` below 1, that share of a GPU's memory and no more. On a GPU, operations give the same bits each
    time, at some cost in speed. Must come before anything is computed, and before TensorFlow is imported elsewhere.
    Raises ModelError where the memory to share is not known.
    """
    tf = _tensorflow()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # This rewriting makes sums of three terms out of sums of two, and another one adds those up as they come. After
    # some 90 steps TensorFlow knows which operations are cheap, and runs them at once: then the last bits are others.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    for gpu in tf.config.list_physical_devices("GPU"):
        # Else two workers would give the same trial two values. It rules out XLA, whose gradient of max-pooling has no
        # such form (TensorFlow's issue 69417).
        tf.config.experimental.enable_op_determinism()
        if gpu_share < 1:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=int(gpu_share * _gpu_mebibytes()))
            tf.config.set_logical_device_configuration(gpu, [limit])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)


def configure_for_predictions() -> None:
    """Set TensorFlow up on all cores, unless this process has been set up before, as for a fit: it can be but once."""
    if not _tensorflow().config.threading.get_intra_op_parallelism_threads():
        configure(usable_cores())


def _tensorflow() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # By itself TensorFlow uses oneDNN with AVX-512 or AMX alone; with AVX2, too, a step takes a fifth less time.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with _native_output_held_back():
        import tensorflow as tf
    return tf


def _gpu_mebibytes() -> int:
    """Ask the driver's own tool for the memory of the one GPU that this process sees."""
    chosen = f"--id={os.environ.get('CUDA_VISIBLE_DEVICES', '0')}"
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits", chosen]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - no shell, no input
        return int(asked.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise ModelError(
            f"the memory of the GPU cannot be shared, as nvidia-smi does not report it ({error}); "
            "use one worker per GPU"
        ) from error


@contextmanager
def _native_output_held_back() -> Iterator[None]:
    """Keep what native code writes to stderr to itself, and give it out only where the block fails.

    TensorFlow announces itself there while it is imported, before any setting of its own can tell it not to.
    """
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def device_name() -> str:
    """Name the device that this process computes on, as its maker does."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        return str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
    return cpu_name()


def cpu_name() -> str:
    """Name the processor: its model where Linux tells it, else its architecture."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def fastest_precision() -> Precision:
    """Return the faster precision for a convolution here.

    Measured on a CPU, since a flag such as AVX512-BF16 does not say whether the libraries use it; on a GPU bfloat16
    from compute capability 8.0 on, which has it in hardware.
    """
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        return "bfloat16" if capability >= (8, 0) else "float32"
    enough = _convolution_seconds("float32", math.inf) / WORTHWHILE
    return "bfloat16" if _convolution_seconds("bfloat16", enough) < enough else "float32"


def _convolution_seconds(precision: Precision, hopeless: float) -> float:
    """Time one convolution of the network's fourth layer's shape: the fastest of five, in seconds.

    Given up after the first of them where that took over ten times `hopeless`: a processor that only emulates bfloat16
    takes a second for each.
    """
    import tensorflow as tf

    images, kernel = tf.ones((16, 41, 41, 64), precision), tf.ones((3, 3, 64, 64), precision)
    convolve = tf.function(lambda: tf.reduce_max(tf.nn.conv2d(images, kernel, 1, "VALID")))
    convolve().numpy()  # traced and warm
    seconds: list[float] = []
    while len(seconds) < 5 and min(seconds, default=0.0) <= 10 * hopeless:
        start = time.perf_counter()
        convolve().numpy()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def usable_cores() -> int:
    """Count the physical cores that this process may use, and its container may keep busy."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return min(cores, len(os.sched_getaffinity(0)), _cores_allowed(cores))


def _cores_allowed(cores: int) -> int:
    """Return the whole cores in the container's limit, and one at least; `cores` where there is none."""
    allowed, _, period = CPU_LIMIT.read_text().partition(" ") if CPU_LIMIT.exists() else ("max", "", "")
    return cores if allowed == "max" else max(1, int(allowed) // int(period))


def main() -> None:
    """Print this machine's devices as one line of JSON."""
    configure(threads=1)
    import tensorflow as tf

    gpus = tuple(range(len(tf.config.list_physical_devices("GPU"))))
    print(json.dumps(asdict(Devices(gpus, usable_cores(), fastest_precision()))))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
