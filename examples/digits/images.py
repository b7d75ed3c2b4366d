"""Write scikit-learn's 1,797 handwritten digits (8×8, gray) as image files, with a table of what each shows.

python examples/digits/images.py runs/digits/images
agesearch data build runs/digits/images/labels.csv --size 8 --unit digits --out runs/digits/digits.h5
agesearch run --config examples/digits/agesearch.toml
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def write_digits(folder: Path) -> None:
    """Write 0000.png to 1796.png and labels.csv; the digits come with the package, so that nothing is downloaded."""
    digits = load_digits()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("path", "value"))
        for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
            name = f"{number:04d}.png"
            Image.fromarray((pixels * 255 / 16).round().astype(np.uint8)).save(folder / name)
            table.writerow((name, int(digit)))


if __name__ == "__main__":
    write_digits(Path(sys.argv[1]))
