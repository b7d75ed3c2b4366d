"""An export that is killed leaves the file it found, or the whole new one."""

import signal
from pathlib import Path

import pytest

from data.files import write_bytes
from search.results.configuration import export_configuration
from search.tasks.images.configuration import tables_of
from tests.integration import fake_study as fake

STEPS = [
    ("after search.results.configuration:export_configuration", "old"),
    ("before data.files:_sync", "old"),
    ("after data.files:_sync", "old"),
    ("before pathlib:Path.replace", "old"),
    ("after pathlib:Path.replace", "new"),
]


def export_and_die(url: str, out: Path, step: str) -> None:
    study = fake.reopen(url)
    fake.die_at(step, 1)
    from search.results import configuration

    write_bytes(out, configuration.export_configuration(study, tables_of(study.spec)))


@pytest.mark.parametrize("before", [None, b"# Written by agesearch\n"])
@pytest.mark.parametrize(("step", "left"), STEPS)
def test_a_killed_export_leaves_a_whole_file_and_can_be_repeated(tmp_path, start, before, step, left):
    study, out = fake.new_study(tmp_path, fake.spec_of(2)), tmp_path / "best.toml"
    fake.work_to_the_end(study.storage.url)
    if before:
        out.write_bytes(before)
    dying = start(export_and_die, study.storage.url, out, step)
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    whole = export_configuration(study, tables_of(study.spec))
    assert (out.read_bytes() if out.exists() else None) == (before if left == "old" else whole)
    write_bytes(out, whole)
    assert out.read_bytes() == whole
    study.storage.engine.dispose()
