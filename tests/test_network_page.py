"""The page about networks of one's own: its example works, and its table has every kind of layer and setting."""

import json
import re
import tomllib
from dataclasses import MISSING, fields

import pytest

from model.network.description import layers_from
from model.network.layers import KINDS
from model.network.network import Network
from tests.pages import ROOT

PAGE = (ROOT / "docs/network.md").read_text()
CELLS = [row.split("|")[1:3] for row in re.findall(r"^\| `.*$", PAGE, re.MULTILINE)]
SETTINGS = {kind: re.findall("`(.+?)`", told) for kinds, told in CELLS for kind in re.findall("`(.+?)`", kinds)}


def test_the_example_is_a_network_whose_pooling_takes_all_that_is_left():
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    network = Network(layers_from(tomllib.loads(example)["layers"]), (24, 32, 3))
    assert [step.output_shape for step in network.steps if step.layer.kind == "average_pool"] == [(1, 1, 32)]


def test_the_table_has_all_kinds_of_layers_and_no_other():
    assert SETTINGS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_has_all_settings_of_a_layer_with_their_defaults(kind):
    assert sorted(SETTINGS[kind]) == sorted(map(told, fields(KINDS[kind])))


def told(setting):
    """Return a setting as the page tells it: as TOML, with its default where it has one."""
    if setting.default is MISSING:
        return setting.name
    return f"{setting.name} = {json.dumps(setting.default)}"
