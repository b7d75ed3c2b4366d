import subprocess
import sys
from pathlib import Path

import pytest

from data.dataset import open_dataset, read_labels, read_split
from data.errors import DatasetError
from data.inspection import inspect_dataset
from data.structure import inspect_file


def test_another_process_finds_what_this_one_would(stored):
    assert inspect_dataset(stored) == inspect_file(stored)


def test_what_is_wrong_is_told_as_this_process_would_tell_it(tmp_path):
    (tmp_path / "a.h5").write_text("hello")
    with pytest.raises(DatasetError) as apart:
        inspect_dataset(tmp_path / "a.h5")
    with pytest.raises(DatasetError) as here:
        inspect_file(tmp_path / "a.h5")
    assert str(apart.value) == str(here.value)


def test_a_missing_file_a_folder_and_a_name_that_cannot_be_are_told_without_another_process(tmp_path):
    nothing = ("/nowhere",)
    for path, message in (
        (tmp_path / "no.h5", rf"^{tmp_path}/no.h5 does not exist; give an .h5 dataset$"),
        (tmp_path, f"^{tmp_path} is not a file; give an .h5 dataset$"),
        (tmp_path / "x" / ("n" * 300), "cannot be read: File name too long|does not exist"),
    ):
        with pytest.raises(DatasetError, match=message):
            inspect_dataset(path, nothing)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import ctypes; ctypes.string_at(0)", r"it crashes the HDF5 library \(signal 11\)"),
        ("while True: pass", r"reading it takes more than 0.5 seconds"),
    ],
)
def test_a_file_that_crashes_or_hangs_the_library_is_a_damaged_dataset(stored, program, message):
    with pytest.raises(DatasetError, match=f"{stored} is a damaged dataset: {message}"):
        inspect_dataset(stored, (sys.executable, "-c", program), seconds=0.5 if "while" in program else 60)


def test_a_process_that_cannot_be_run_at_all_is_no_fault_of_the_file(stored):
    with pytest.raises(RuntimeError, match="No module named 'nothing'"):
        inspect_dataset(stored, (sys.executable, "-c", "import nothing"))


def test_a_file_is_looked_into_once_until_it_changes(stored, dataset, monkeypatch):
    inspect_dataset(stored)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", None)
        assert read_split(stored, "training").names == dataset.training.names
        assert open_dataset(stored).digest == dataset.digest
    stored.write_bytes(stored.read_bytes()[:-1])
    with pytest.raises(DatasetError):
        inspect_dataset(stored)


def test_a_file_cut_short_after_it_was_looked_into_is_refused(stored, monkeypatch):
    info = inspect_dataset(stored)
    stored.write_bytes(stored.read_bytes()[:1000])
    monkeypatch.setattr("data.dataset.inspect_dataset", lambda _path: info)
    with pytest.raises(DatasetError, match="labels reaches beyond the end of the file"):
        read_labels(stored, "test")


def test_reading_a_dataset_loads_no_hdf5_library_into_the_process(stored):
    program = (
        "import sys; from pathlib import Path; from data.dataset import open_dataset; "
        "open_dataset(Path(sys.argv[1])); assert 'h5py' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, stored], cwd=Path(__file__).parents[2], check=True)


def test_a_path_of_any_name_is_passed_on_as_it_is(stored):
    for name in ("-h", "a b\n'\"$(x).h5", "\udcff.h5"):
        path = stored.rename(stored.with_name(name))
        assert inspect_dataset(path).path == path
        path.rename(stored)
