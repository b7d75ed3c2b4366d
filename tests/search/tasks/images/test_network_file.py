import json

import pytest

from model.errors import ModelError
from model.network.layers import Conv2D, Dense, Flatten
from search.errors import SearchError
from search.tasks.images.network_file import layers_of, network_tables, read_network

TEXT = """
[[layers]]
kind = "conv2d"
filters = 4
kernel = [3, 5]

[[layers]]
kind = "flatten"

[[layers]]
kind = "dense"
units = 1
activation = "linear"
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        (tmp_path / "network.toml").write_text(text)
        return tmp_path / "network.toml"

    return write


def test_a_network_is_read_and_kept_as_text_that_gives_its_layers(file):
    kept = read_network(file(TEXT))
    assert layers_of(kept) == (Conv2D(4, (3, 5)), Flatten(), Dense(1, "linear"))
    assert network_tables(kept) == json.loads(kept)


def test_the_same_layers_are_the_same_text_however_they_are_written(file):
    assert read_network(file(TEXT)) == read_network(file(TEXT + "batch_norm = false\n"))


def test_no_network_is_the_papers():
    assert layers_of(None) is None
    assert network_tables(None) == []


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("layers = ", SearchError, "is not TOML"),
        (TEXT + "[extra]\n", SearchError, "has an unknown table 'extra'; only \\[\\[layers\\]\\] is known"),
        ("", ModelError, "a network is a list of layers"),
        ("[[layers]]\nkind = 'cnn'\n", ModelError, "layer 0: kind is 'cnn'"),
    ],
)
def test_a_file_that_describes_no_network_is_refused(text, kind, said, file):
    with pytest.raises(kind, match=said):
        read_network(file(text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SearchError, match=r"none\.toml cannot be read: No such file"):
        read_network(tmp_path / "none.toml")
