"""The task `program`: what a trial trains is the user's own, in any framework."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psutil

from search.settings.settings import Settings
from search.space.samplers import require_installed
from search.study.spec import StudySpec
from search.study.study import Study
from search.tasks.checking import Checked
from search.tasks.program.check import check_program
from search.tasks.program.configuration import tables_of
from search.tasks.program.digests import digests
from search.tasks.program.runner import ProgramRunner
from search.tasks.program.specifying import program_of, require_same_files, spec_of, spec_to_resume, with_stored
from search.tasks.task import Baseline, Devices, Runner

OWN: Final = ("command", "python", "trial_minutes", "trial_memory")


class ProgramTask:
    """Trials of a user's program."""

    kind = "program"

    def require_possible(self, settings: Settings) -> None:
        """Raise SearchError for what no worker could run."""
        require_installed(settings.sampler)
        spec_of(settings)
        with ProgramRunner(program_of(settings)):
            pass

    def spec(self, settings: Settings, stored: StudySpec | None) -> StudySpec:
        """Return the study that the settings describe."""
        return spec_to_resume(settings, stored) if stored else spec_of(settings)

    def worker_settings(self, settings: Settings) -> Mapping[str, str]:
        """Return where the program is, and the limits of a trial."""
        own = {name: str(value) for name in OWN if (value := getattr(settings, name)) is not None}
        own |= {"program": str(settings.program.absolute())} if settings.program else {}
        own |= {"watch": ",".join(settings.watch)} if settings.watch else {}
        return own | ({"allow_changed": "true"} if settings.allow_changed else {})

    def threads(self, spec: StudySpec) -> int:
        """Return how many threads the program's libraries are asked to use."""
        return int(spec.task.settings["threads"] or 1)

    def devices(self, spec: StudySpec) -> Devices:
        """Return the GPUs that the driver names, and how many workers the cores have room for."""
        usable = len(os.sched_getaffinity(0))
        cores = min(usable, psutil.cpu_count(logical=False) or usable)
        return Devices(_gpus(), max(1, cores // self.threads(spec)))

    @contextmanager
    def open(self, study: Study, settings: Settings, gpu_share: float) -> Iterator[Runner]:  # noqa: ARG002
        """Start the program with the first trial, and end it with the last."""
        require_installed(study.spec.sampler)
        asked = with_stored(settings, study.spec)
        program = program_of(asked)
        require_same_files(program, study.spec.task, asked.allow_changed)
        with ProgramRunner(program, expected=digests(program)) as run:
            yield Runner(run, os.environ.get("CUDA_VISIBLE_DEVICES") or "CPU")

    def tables(self, spec: StudySpec) -> dict[str, Any]:
        """Return the program, its files and its budget, as the final fit reads them."""
        return tables_of(spec)

    def baseline(self, settings: Settings) -> Baseline | None:  # noqa: ARG002
        """Return nothing: a program's value is its own."""
        return None

    def doubt(self, study: Study, settings: Settings) -> str:  # noqa: ARG002
        """Return nothing: what a value is worth, the program alone knows."""
        return ""

    def check(self, settings: Settings) -> Checked:
        """Find out what the program asks for, and whether a slot's trial repeats."""
        return check_program(settings)


def _gpus() -> list[int]:
    """Return the indices of the GPUs, by NVIDIA's driver; where some alone are visible, among those."""
    if not (driver := shutil.which("nvidia-smi")):
        return []
    asked = subprocess.run([driver, "--list-gpus"], capture_output=True, text=True, check=False)  # noqa: S603
    count = len(asked.stdout.splitlines()) if asked.returncode == 0 else 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return list(range(count if visible is None else len([name for name in visible.split(",") if name.strip()])))
