"""The files in the folder of a final fit, for those who look for them without loading TensorFlow."""

from pathlib import Path

from search.errors import SearchError

MODEL, HISTORY, CURVE, STATE, ABOUT = "model.keras", "history.csv", "learning_curve.png", "checkpoint.npz", "fit.toml"


def model_file(folder: Path) -> Path:
    """Return the model of a finished fit; raises SearchError where there is none."""
    path = folder / MODEL
    if path.is_file():
        return path
    if (folder / STATE).is_file():
        raise SearchError(
            f"the fit in {folder} has not ended; run the same 'agesearch fit' again, it goes on from there"
        )
    raise SearchError(f"{folder} holds no {MODEL}; give the folder that 'agesearch fit' wrote")
