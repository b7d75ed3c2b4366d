"""A training is the same in any process, whatever the process did before: bit for bit, on one thread."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import hashlib, json, sys
from model.engine.device import configure
configure(threads=1)
import numpy as np
from model.engine.engine import Engine, Hyperparameters
from model.arrays import Examples
from model.network.layers import AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool
from model.network.network import Network
from model.engine.setup import Setup

network = Network(
    (Conv2D(32, batch_norm=True), MaxPool(), Conv2D(8, 2, "same", "tanh"), BatchNorm(), AveragePool(), Flatten(),
     Dropout(0.3), Dense(16, batch_norm=True), Dense(1, "linear")),
    (24, 24, 1),
)
stream = np.random.default_rng(0)
images = stream.integers(0, 256, (200, 24, 24, 1), dtype=np.uint8)
examples = Examples(images, stream.uniform(1, 80, 200).astype(np.float32))

def train(engine, seed, count, training):
    engine.reset(seed, 33.0)
    rows = np.random.default_rng(seed).permutation(200)[:count].astype(np.int32)
    maes = [engine.train(np.roll(rows, epoch), training) for epoch in range(3)]
    engine.precise_batch_norm(rows)
    return maes

def answer(precision, others):
    engine = Engine(network, examples, Setup(32, 0.9, precision))
    for turn in range(others):
        train(engine, 100 + turn, 20 * turn + 9, Hyperparameters(10.0 ** (5 * turn - 4), 10.0 ** -turn))  # some diverge
    maes = train(engine, 1, 150, Hyperparameters(1e-3, 1e-4))
    end = engine.snapshot()
    digest = hashlib.sha256()
    for array in (*end.weights, *end.first_moments, *end.second_moments, engine.predict(images)):
        digest.update(array.tobytes())
    return {"maes": maes, "digest": digest.hexdigest(), "traces": engine.traces}

print(json.dumps({precision: answer(precision, int(sys.argv[1])) for precision in ("float32", "bfloat16")}))
"""


def run(others: int) -> dict[str, dict[str, object]]:
    command = [sys.executable, "-c", PROGRAM, str(others)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, dict[str, object]] = json.loads(finished.stdout)
    return answer


def test_a_tenth_training_equals_the_same_one_in_a_fresh_process_bit_for_bit_in_both_precisions() -> None:
    with ThreadPoolExecutor(2) as pool:
        tenth, fresh = pool.map(run, (9, 0))
    assert tenth == fresh
    assert fresh["float32"]["traces"] == fresh["bfloat16"]["traces"] == 1
    assert fresh["float32"]["digest"] != fresh["bfloat16"]["digest"]
