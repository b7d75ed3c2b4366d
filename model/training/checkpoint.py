"""A fit's state as bytes and back, for the caller to keep in a file."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from model.engine.engine import Snapshot
from model.errors import ModelError
from model.network.initializers import Weights
from model.network.network import Network
from model.training.final_fit import FitState
from model.training.history import Epoch

VERSION = 1


def to_bytes(state: FitState, fingerprint: str) -> bytes:
    """Pack `state` as an uncompressed .npz; `fingerprint` says what fit it belongs to."""
    snapshot = state.snapshot
    header = {
        "version": VERSION,
        "fingerprint": fingerprint,
        "steps": snapshot.steps,
        "seed": snapshot.seed,
        "scale": snapshot.scale,
        "history": [asdict(epoch) for epoch in state.history],
    }
    groups = _groups(snapshot.weights, snapshot.first_moments, snapshot.second_moments, state.best_weights)
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, header=np.array(json.dumps(header)), **groups)
    return packed.getvalue()


def from_bytes(content: bytes, network: Network, fingerprint: str) -> FitState:
    """Unpack what `to_bytes` packed.

    Raises ModelError where it is damaged, made for another network or version, or has another fingerprint.
    """
    try:
        return _unpacked(content, network, fingerprint)
    except ModelError:
        raise
    except Exception as error:  # ZIP, its codecs, NumPy and JSON raise errors of many kinds for damaged bytes
        raise ModelError("the checkpoint is damaged; choose another --out, or remove the fit's folder") from error


GROUPS = ("weights", "first", "second", "best")


def _unpacked(content: bytes, network: Network, fingerprint: str) -> FitState:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        header = json.loads(str(arrays["header"]))
        version = header["version"]
        if version != VERSION:
            raise ModelError(
                f"the checkpoint has version {version}, not {VERSION}; use the program that wrote it, or another --out"
            )
        if header["fingerprint"] != fingerprint:
            raise ModelError("the checkpoint belongs to a fit with other settings or data; choose another --out")
        weights, first, second, best = (_group(arrays, name) for name in GROUPS)
    _check(network, (weights, first, second, best))
    scale = float(header.get("scale", 1.0))  # which checkpoints once did not have
    snapshot = Snapshot(weights, first, second, int(header["steps"]), int(header["seed"]), scale)
    return FitState(snapshot, tuple(_epoch(**row) for row in header["history"]), best)


def _group(arrays: Mapping[str, np.ndarray], group: str) -> Weights:
    names = [f"{group}_{index}" for index in range(sum(name.startswith(f"{group}_") for name in arrays))]
    return [arrays[name] for name in names]


def _epoch(epoch: int, training_mae: float, validation_mae: float, seconds: float, best: bool) -> Epoch:
    return Epoch(int(epoch), float(training_mae), float(validation_mae), float(seconds), bool(best))


def _groups(*groups: Weights) -> dict[str, np.ndarray]:
    return {
        f"{name}_{index}": array
        for name, group in zip(GROUPS, groups, strict=True)
        for index, array in enumerate(group)
    }


def _check(network: Network, groups: Sequence[Weights]) -> None:
    every = [spec.shape for spec in network.weights]
    trainable = [spec.shape for spec in network.weights if spec.trainable]
    expected = (every, trainable, trainable, every)
    if any([array.shape for array in group] != shapes for group, shapes in zip(groups, expected, strict=True)):
        raise ModelError("the checkpoint holds another network's weights; choose another --out")
    # A damaged type may pass for another: fewer bytes are read then, and the archive's checksum is never reached.
    if any(array.dtype != np.float32 for group in groups for array in group):
        raise ModelError("the checkpoint is damaged; choose another --out, or remove the fit's folder")
