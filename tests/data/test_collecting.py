import pytest

from data import collecting
from data.build import build_dataset
from data.collecting import check_memory, collect
from data.errors import DatasetError, RejectedFilesError
from data.layout import Layout
from data.members import Limits
from data.options import BuildOptions
from data.sources import open_source

OPTIONS = BuildOptions(image_size=(12, 12))
SKIP = BuildOptions(image_size=(12, 12), skip_bad=True)


def quiet(done, total):
    assert 0 < done <= total


def test_the_folder_decides_the_split_in_the_course_layout(make, tmp_path):
    collected = collect(open_source(make.zip(tmp_path / "a.zip", make.course())), OPTIONS, quiet)
    assert collected.layout is Layout.COURSE
    assert [len(split) for split in collected.splits.values()] == [5, 3, 2]
    assert collected.splits["test"].names == (
        "test_set/029_20160000000000009.jpg",
        "test_set/030_20160000000000010.jpg",
    )
    assert collected.splits["test"].labels.tolist() == [29.0, 30.0]


def test_crops_are_split_by_the_seed_and_identical_ones_stay_together(make, tmp_path):
    files = make.crops(40)
    names = sorted(files)
    files[names[3]] = files[names[30]]
    source = open_source(make.folder(tmp_path / "crops", files))
    one = collect(source, OPTIONS, quiet)
    assert sum(len(split) for split in one.splits.values()) == 40
    assert (one.duplicates, one.shared) == (1, 0)
    again = collect(source, OPTIONS, quiet)
    other = collect(source, BuildOptions(image_size=(12, 12), seed=5), quiet)
    assert again.splits["test"].names == one.splits["test"].names != other.splits["test"].names


def test_identical_images_across_course_folders_are_counted(make, tmp_path):
    files = make.course()
    names = sorted(files)
    files[names[0]] = files[names[-1]]
    files[names[1]] = files[names[-1]]
    collected = collect(open_source(make.folder(tmp_path / "x", files)), OPTIONS, quiet)
    assert (collected.duplicates, collected.shared) == (1, 1)


def test_identical_images_with_different_labels_are_counted_and_the_first_two_told(make, tmp_path):
    files = make.course()
    names = sorted(files)
    files[names[0]] = files[names[1]]  # of one split
    files[names[2]] = files[names[9]]  # of two
    files[names[3].replace("_2016", "_2017")] = files[names[3]]  # of one age
    collected = collect(open_source(make.folder(tmp_path / "x", files)), OPTIONS, quiet)
    assert (collected.duplicates, collected.shared, collected.contradicting) == (3, 1, 2)
    assert collected.contradiction == (
        "training_set/021_20160000000000001.jpg (21) and validation_set/028_20160000000000008.jpg (28)"
    )


def test_every_file_that_cannot_be_used_is_listed_with_its_reason(make, tmp_path):
    bad = {
        "faces/training_set/085_20160000000000001.jpg": (
            make.image(1),
            "the age 85 is out of the range 1-80; --ages takes in others",
        ),
        "faces/training_set/000_20160000000000001.jpg": (make.image(1), "the age 0 is out of the range 1-80"),
        "faces/training_set/030_20160000000000002.jpg": (b"text", "it is not a JPEG or PNG image"),
        "faces/training_set/thirty.jpg": (make.image(1), "neither is the name of the form"),
        "faces/test_set/deeper/030_20160000000000003.jpg": (make.image(1), "it lies in no split folder"),
        "faces/notes.txt": (b"hello", "it lies in no split folder"),
    }
    files = make.course() | {name: content for name, (content, _) in bad.items()}
    source = open_source(make.zip(tmp_path / "a.zip", files))
    with pytest.raises(
        RejectedFilesError, match=r"6 files of .*a.zip cannot be used, repair them or pass --skip-bad"
    ) as e:
        collect(source, OPTIONS, quiet)
    expected = {name.removeprefix("faces/"): reason for name, (_, reason) in bad.items()}
    assert {one.name for one in e.value.rejected} == set(expected)
    assert all(one.reason.startswith(expected[one.name]) for one in e.value.rejected)
    skipped = collect(source, SKIP, quiet)
    assert skipped.rejected == e.value.rejected
    assert [len(split) for split in skipped.splits.values()] == [5, 3, 2]


def test_a_file_of_a_folder_that_is_too_large_is_listed_and_not_the_end_of_the_others(make, tmp_path):
    large = "faces/test_set/030_20160000000000003.jpg"
    source = make.folder(tmp_path / "x", make.course() | {large: make.image(1) + bytes(2000)})
    collected = collect(open_source(source, Limits(file_bytes=2000)), SKIP, quiet)
    assert [(one.name, one.reason) for one in collected.rejected] == [
        (large.removeprefix("faces/"), "it is larger than 2000 bytes, the limit for one file")
    ]
    assert [len(split) for split in collected.splits.values()] == [5, 3, 2]


def test_a_long_list_of_bad_files_is_cut_in_the_message_only(make, tmp_path):
    files = make.course() | {f"faces/test_set/bad{place}.jpg": b"" for place in range(50)}
    with pytest.raises(RejectedFilesError, match=r"; and 30 more$") as caught:
        collect(open_source(make.folder(tmp_path / "x", files)), OPTIONS, quiet)
    assert len(caught.value.rejected) == 50


def labels(collected):
    return {
        name: label
        for split in collected.splits.values()
        for name, label in zip(split.names, split.labels, strict=True)
    }


@pytest.mark.parametrize("name", ["25_{0}.png", "25_1_0_2017010915055{0:04d}.jpg", "25/{0}.webp", "sub/025/x{0}.jpg"])
def test_images_without_split_folders_have_the_ages_of_their_names_or_folders(make, tmp_path, name):
    files = {f"faces/{name.format(number)}": make.image(number) for number in range(12)}
    files |= {f"faces/31_{number}.jpg": make.image(20 + number) for number in range(12)} | {
        "faces/me.jpg": make.image(1)
    }
    collected = collect(open_source(make.folder(tmp_path / "x", files)), SKIP, quiet)
    assert {name.startswith("31_"): label for name, label in labels(collected).items()} == {False: 25, True: 31}
    assert len(labels(collected)) == 24
    assert [one.name for one in collected.rejected] == ["me.jpg"]
    assert "list it in a table" in collected.rejected[0].reason


def test_split_folders_may_hold_folders_named_by_age(make, tmp_path):
    files = {f"x/{split}/{age}/{age}.jpg": make.image(age) for split in ("train", "val", "test") for age in (20, 30)}
    collected = collect(open_source(make.folder(tmp_path / "x", files)), OPTIONS, quiet)
    assert labels(collected) == {name.removeprefix("x/"): float(name[-6:-4]) for name in files}


def test_an_age_that_differs_from_its_folders_is_rejected_unless_the_name_is_utkfaces(make, tmp_path):
    files = make.crops() | {"UTKFace/003/30_1.jpg": make.image(1), "UTKFace/003/30_1_0_20170109150557335.jpg": b""}
    collected = collect(open_source(make.folder(tmp_path / "x", files)), SKIP, quiet)
    assert {one.name: one.reason for one in collected.rejected} == {
        "003/30_1.jpg": "its name states the age 30, its folder 3; list it in a table of path,value",
        "003/30_1_0_20170109150557335.jpg": "it is empty",
    }


def test_files_with_odd_names_are_listed_among_the_others(make, tmp_path):
    source = open_source(make.folder(tmp_path / "x", make.course() | {"faces/test_set/030\\1.jpg": make.image(1)}))
    with pytest.raises(RejectedFilesError, match="its name has a backslash; rename it"):
        collect(source, OPTIONS, quiet)
    assert [str(one) for one in collect(source, SKIP, quiet).rejected] == [
        r"'faces/test_set/030\\1.jpg': its name has a backslash; rename it"
    ]


def test_a_split_left_empty_is_named(make, tmp_path):
    files = make.course() | {name: b"" for name in make.course() if "test_set" in name}
    with pytest.raises(DatasetError, match="no usable image is left for test"):
        collect(open_source(make.folder(tmp_path / "x", files)), SKIP, quiet)


def test_progress_counts_every_file(make, tmp_path):
    seen = []
    collect(open_source(make.zip(tmp_path / "a.zip", make.course())), OPTIONS, lambda *at: seen.append(at))
    assert seen == [(done, 10) for done in range(1, 11)]


GIB = 2**30


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return how to give this machine so many bytes of memory, and its container such a limit."""

    def give(total, container):
        monkeypatch.setattr(collecting, "CONTAINER_LIMIT", tmp_path / "memory.max")
        (tmp_path / "memory.max").write_text(container)
        monkeypatch.setattr(collecting.psutil, "virtual_memory", lambda: type("Memory", (), {"total": total}))

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
