import json

import pytest

from data.dataset import inspect_dataset
from model.network.paper import paper_network
from model.network.summary import summary


def test_the_network_is_printed_as_the_papers_appendix_does_and_drawn(agesearch, tmp_path):
    ended = agesearch("summary", "--figure", "network.png")
    assert (ended.code, ended.out) == (0, summary(paper_network()) + "\ndrawing: network.png\n")
    assert (tmp_path / "network.png").read_bytes().startswith(b"\x89PNG")
    assert "1,398,168" in agesearch("summary", "--recipe", "strong").out
    found = json.loads(agesearch("summary", "--json").out)
    assert (found["parameters"], found["trainable_parameters"]) == (1_431_905, 1_429_217)
    assert found["layers"][0] == {
        "name": "conv2d_0",
        "keras_type": "Conv2D",
        "output_shape": [89, 89, 32],
        "parameters": 320,
    }


@pytest.mark.usefixtures("faces")
def test_a_network_of_the_user_s_own_is_printed_for_the_dataset_s_images(agesearch, tmp_path):
    (tmp_path / "net.toml").write_text('[[layers]]\nkind = "flatten"\n[[layers]]\nkind = "dense"\nunits = 1\n')
    found = json.loads(agesearch("summary", "--network", "net.toml", "--data", "faces.h5", "--json").out)
    height, width, channels = inspect_dataset(tmp_path / "faces.h5").image_shape
    assert found["parameters"] == height * width * channels + 1
