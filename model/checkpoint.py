"""A fit's state as bytes and back, so that whoever keeps files can keep it."""

import io
import json
import zipfile
from dataclasses import asdict

import numpy as np

from model.engine import Snapshot
from model.errors import ModelError
from model.final_fit import Epoch, FitState
from model.initializers import Weights
from model.layers import Network

VERSION = 1


def to_bytes(state: FitState, fingerprint: str) -> bytes:
    """Pack `state` as an uncompressed .npz; `fingerprint` says what fit it belongs to."""
    snapshot = state.snapshot
    header = {
        "version": VERSION,
        "fingerprint": fingerprint,
        "steps": snapshot.steps,
        "seed": snapshot.seed,
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
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            header = json.loads(str(arrays["header"]))
            groups = [
                [
                    arrays[f"{group}_{index}"]
                    for index in range(sum(name.startswith(f"{group}_") for name in arrays.files))
                ]
                for group in GROUPS
            ]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError("the checkpoint is damaged; remove it to start the fit over") from error
    if header["version"] != VERSION:
        raise ModelError(
            f"the checkpoint has version {header['version']}, not {VERSION}; remove it to start the fit over"
        )
    if header["fingerprint"] != fingerprint:
        raise ModelError("the checkpoint belongs to a fit with other settings or data; choose another --out")
    weights, first, second, best = groups
    _check(network, weights, best)
    snapshot = Snapshot(weights, first, second, header["steps"], header["seed"])
    return FitState(snapshot, tuple(Epoch(**epoch) for epoch in header["history"]), best)


GROUPS = ("weights", "first", "second", "best")


def _groups(*groups: Weights) -> dict[str, np.ndarray]:
    return {
        f"{name}_{index}": array
        for name, group in zip(GROUPS, groups, strict=True)
        for index, array in enumerate(group)
    }


def _check(network: Network, *groups: Weights) -> None:
    expected = [spec.shape for spec in network.weights]
    if any([array.shape for array in group] != expected for group in groups):
        raise ModelError("the checkpoint holds another network's weights; choose another --out")
