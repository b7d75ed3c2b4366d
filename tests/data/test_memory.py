import pytest

from data import memory
from data.build import BuildOptions, build_dataset
from data.errors import DatasetError
from data.memory import check_memory

GIB = 2**30


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return how to give this machine so many bytes of memory, and its container such a limit."""

    def give(total, container):
        monkeypatch.setattr(memory, "CONTAINER_LIMIT", tmp_path / "memory.max")
        (tmp_path / "memory.max").write_text(container)
        monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: type("Memory", (), {"total": total}))

    return give


@pytest.mark.parametrize(("total", "container"), [(GIB, "max\n"), (64 * GIB, f"{GIB}\n")])
def test_more_images_than_fit_into_the_memory_of_the_machine_or_its_container_are_refused(machine, total, container):
    machine(total, container)
    options = BuildOptions(image_size=(1024, 512), channels=1)
    check_memory(1024, options)
    with pytest.raises(DatasetError) as caught:
        check_memory(1536, options)
    assert str(caught.value) == (
        "1,536 images of 1024×512×1 take 1.5 GiB of memory to build, and there are 1.0; "
        "choose a smaller --size, or fewer images"
    )


@pytest.mark.parametrize("kind", ["folder", "table", "synthetic"])
def test_a_build_that_cannot_fit_is_refused_before_an_image_is_read(machine, make, tmp_path, kind):
    machine(2000, "max")
    rows = b"path,value\n" + b"".join(b"%d.png,1\n" % number for number in range(10))
    source = {
        "folder": lambda: make.folder(tmp_path / "folder", make.course()),
        "table": lambda: make.folder(tmp_path / "rows", {"a.csv": rows}) / "a.csv",
        "synthetic": lambda: "synthetic",
    }[kind]()
    options = BuildOptions(image_size=(12, 12), sizes=(5, 3, 2))
    with pytest.raises(DatasetError, match="10 images of 12×12×1 take"):
        build_dataset(source, tmp_path / "a.h5", options, progress=lambda *_: pytest.fail("an image was read"))
    assert not (tmp_path / "a.h5").exists()
