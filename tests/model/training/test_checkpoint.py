"""Checkpoints: everything comes back, and nothing but a whole checkpoint of the same fit is taken."""

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from model.engine.engine import Snapshot
from model.errors import ModelError
from model.network.initializers import Weights, initial_weights
from model.network.layers import BatchNorm, Conv2D, Dense, Flatten
from model.network.network import Network
from model.training.checkpoint import from_bytes, to_bytes
from model.training.final_fit import FitState
from model.training.history import Epoch

NETWORK = Network((BatchNorm(), Flatten(), Dense(2), Dense(1)), (2, 2, 1))
OTHER = Network((Conv2D(2, 1), Flatten(), Dense(1)), (2, 2, 1))
FINGERPRINT = "this fit"
Arrays = dict[str, Any]


def state(network: Network = NETWORK) -> FitState:
    weights = initial_weights(network, 1)
    stream = np.random.default_rng(2)
    first, second = (
        [stream.random(spec.shape, np.float32) for spec in network.weights if spec.trainable] for _ in range(2)
    )
    history = (Epoch(1, 14.1, 13.000000000000002, 60.5, True), Epoch(2, 11.5, 13.5, 61.25, False))
    return FitState(Snapshot(weights, first, second, 338, 2**31 - 1, 0.25), history, initial_weights(network, 3))


WHOLE = to_bytes(state(), FINGERPRINT)


def same(found: FitState, expected: FitState) -> bool:
    def arrays(one: FitState) -> Weights:
        kept = one.snapshot
        return [*kept.weights, *kept.first_moments, *kept.second_moments, *one.best_weights]

    pairs = zip(arrays(found), arrays(expected), strict=True)
    return (
        all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)
        and (found.snapshot.steps, found.snapshot.seed) == (expected.snapshot.steps, expected.snapshot.seed)
        and found.snapshot.scale == expected.snapshot.scale
        and found.history == expected.history
    )


def unpacked() -> Arrays:
    with np.load(io.BytesIO(WHOLE)) as arrays:
        return dict(arrays)


def packed(arrays: Arrays, compressed: bool = False) -> bytes:
    content = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(content, **arrays)
    return content.getvalue()


def headed(**changes: object) -> bytes:
    """Pack a checkpoint with another header; a change to None leaves the entry out."""
    arrays = unpacked()
    header = {**json.loads(str(arrays["header"])), **changes}
    kept = {name: value for name, value in header.items() if value is not None}
    return packed({**arrays, "header": np.array(json.dumps(kept))})


def refusal(content: bytes, network: Network = NETWORK, fingerprint: str = FINGERPRINT) -> str:
    with pytest.raises(ModelError) as caught:
        from_bytes(content, network, fingerprint)
    return str(caught.value)


def test_a_state_comes_back_bit_for_bit() -> None:
    assert same(from_bytes(WHOLE, NETWORK, FINGERPRINT), state())


def test_a_state_before_the_first_epoch_comes_back() -> None:
    start = FitState(state().snapshot, (), state().best_weights)
    assert same(from_bytes(to_bytes(start, FINGERPRINT), NETWORK, FINGERPRINT), start)


def test_the_same_state_is_packed_into_the_same_bytes() -> None:
    assert to_bytes(state(), FINGERPRINT) == WHOLE


def test_another_fits_checkpoint_is_refused() -> None:
    expected = "the checkpoint belongs to a fit with other settings or data; choose another --out"
    assert refusal(WHOLE, fingerprint="that fit") == expected


def test_another_versions_checkpoint_is_refused_whatever_else_it_holds() -> None:
    expected = "the checkpoint has version 2, not 1; use the program that wrote it, or another --out"
    assert refusal(headed(version=2)) == expected
    assert refusal(packed({"header": np.array('{"version": 2}')})) == expected


def test_another_networks_checkpoint_is_refused() -> None:
    expected = "the checkpoint holds another network's weights; choose another --out"
    assert refusal(WHOLE, OTHER) == expected
    assert refusal(to_bytes(state(OTHER), FINGERPRINT)) == expected


@pytest.mark.parametrize("group", ["weights", "first", "second", "best"])
def test_a_group_of_arrays_with_one_too_few_or_of_another_shape_is_refused(group: str) -> None:
    arrays = unpacked()
    last = max(name for name in arrays if name.startswith(group))
    assert "another network" in refusal(packed({name: value for name, value in arrays.items() if name != last}))
    assert "another network" in refusal(packed({**arrays, last: np.zeros((3, 7), np.float32)}))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *(("weights_0", dtype) for dtype in (np.float64, np.float16, np.int32, ">f4", "U3")),
        *((name, np.float64) for name in ("first_1", "second_0", "best_2")),
    ],
)
def test_arrays_of_another_type_are_refused(name: str, dtype: Any) -> None:
    arrays = unpacked()
    assert "damaged" in refusal(packed({**arrays, name: arrays[name].astype(dtype)}))


@pytest.mark.parametrize("entry", ["version", "fingerprint", "steps", "seed", "history"])
def test_a_header_without_one_of_its_entries_is_refused(entry: str) -> None:
    assert (
        refusal(headed(**{entry: None}))
        == "the checkpoint is damaged; choose another --out, or remove the fit's folder"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": "many"},
        {"steps": [1]},
        {"seed": float("inf")},
        {"history": 5},
        {"history": [5]},
        {"history": [{"epoch": 1}]},
        {"history": [{"epoch": 1, "training_mae": "low", "validation_mae": 1, "seconds": 1, "best": True}]},
        {"history": [{"epoch": 1, "training_mae": 1, "validation_mae": 1, "seconds": 1, "best": True, "more": 1}]},
    ],
)
def test_a_header_with_an_entry_of_another_type_is_refused(changes: dict[str, Any]) -> None:
    assert "damaged" in refusal(headed(**changes))


@pytest.mark.parametrize("header", ["", "{", "[]", "7", "null", '"text"'])
def test_a_header_that_is_not_a_json_object_is_refused(header: str) -> None:
    assert "damaged" in refusal(packed({**unpacked(), "header": np.array(header)}))


def test_pickled_objects_are_refused_and_not_run() -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("unpickled",)

    for name in ("header", "weights_0"):
        assert "damaged" in refusal(packed({**unpacked(), name: np.array(Trap(), dtype=object)}))


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"PK", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"\x80\x04N.", b"epoch,training_mae\n"],
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    assert "damaged" in refusal(content)


def test_a_single_array_instead_of_an_archive_is_refused() -> None:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    assert "damaged" in refusal(content.getvalue())


def test_an_archive_of_something_else_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("header", "{}")
    assert "damaged" in refusal(content.getvalue())
    assert "damaged" in refusal(packed({"something": np.zeros(3)}))


def test_a_truncated_checkpoint_is_refused_wherever_it_ends() -> None:
    for length in range(0, len(WHOLE), 61):
        assert "damaged" in refusal(WHOLE[:length])


@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_byte_is_refused_or_makes_no_difference(compressed: bool) -> None:
    whole = packed(unpacked(), compressed)
    stream = np.random.default_rng(6)
    refused = 0
    for _ in range(600):
        content = bytearray(whole)
        content[stream.integers(len(content))] ^= int(stream.integers(1, 256))
        try:
            found = from_bytes(bytes(content), NETWORK, FINGERPRINT)
        except ModelError:
            refused += 1
        else:
            assert same(found, state())
    assert refused > 200


def test_a_checkpoint_that_says_no_unit_was_learnt_in_the_labels_own() -> None:
    assert from_bytes(headed(scale=None), NETWORK, FINGERPRINT).snapshot.scale == 1
