import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from data.errors import DatasetError
from data.figures import draw_dataset_histograms, draw_histograms


def test_the_histograms_of_a_dataset_are_a_png(stored, tmp_path):
    draw_dataset_histograms(stored, tmp_path / "figures/labels.png")
    with Image.open(tmp_path / "figures/labels.png") as image:
        assert image.format == "PNG"
        assert image.width > image.height > 100
        assert len(set(image.convert("L").get_flattened_data())) > 10


def test_an_unwritable_figure_is_named(tmp_path):
    with pytest.raises(DatasetError, match="cannot write"):
        draw_histograms({"test": np.ones(3, np.float32)}, tmp_path)


def test_importing_the_module_does_not_import_matplotlib():
    code = "import sys, data.figures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
