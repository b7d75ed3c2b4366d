"""`agesearch check` of images: a small slot in two fresh processes, and as the third trial of one.

`python -m search.tasks.images.check` is such a process: it reads a spec, a dataset and slots as JSON, and writes what
the trial of each came to. The command itself loads no TensorFlow.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from data.dataset import DatasetInfo, read_split
from search.errors import SearchFailure
from search.space.seeds import trial_seeds
from search.storage.documents import from_json, to_json
from search.study.spec import StudySpec
from search.study.trial import Trial
from search.tasks.checking import FRESH, THIRD, Checked, Course, course_of, repeated, shares_of

IMAGES: Final = 32
"""The most training images of the slot, which is trained for one epoch."""

CHECK: Final = (sys.executable, "-P", "-m", "search.tasks.images.check")


def small_slot(info: DatasetInfo) -> dict[str, Any]:
    """Return the settings that make a slot small, for a dataset."""
    return {"images": min(IMAGES, info.counts["training"]), "epochs": 1, "finalists": 0, "enqueue": None}


def check_images(spec: StudySpec, dataset: Path) -> Checked:
    """Check whether the first slot of a study repeats; raises SearchFailure where a process cannot run it."""
    (first,), (other,), (_, _, third) = (_courses(spec, dataset, slots) for slots in ([0], [0], [1, 2, 0]))
    repeats = (repeated(FRESH, first[0], other[0]), repeated(THIRD, first[0], third[0]))
    amounts = f"{spec.budget['images']} images, {spec.budget['epochs']} epoch, {spec.task.settings['precision']}"
    costs = {"start_seconds": min(first[1], other[1]) - third[1]}
    return Checked(first[0], repeats, remarks=(f"checked on {amounts}",), costs=costs)


def _courses(spec: StudySpec, dataset: Path, slots: Sequence[int]) -> list[tuple[Course, float]]:
    """Return what the trials of some slots come to, one after another in a process of their own, and their seconds.

    A first trial's seconds have the start of the process in them.
    """
    began = time.perf_counter()
    asked = json.dumps({"spec": to_json(spec), "dataset": str(dataset.absolute()), "slots": list(slots)})
    ran = subprocess.run(CHECK, input=asked, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if ran.returncode:
        reason = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SearchFailure(f"the process that runs the trial ended with exit code {ran.returncode}: {reason}")
    lines = [json.loads(line) for line in ran.stdout.splitlines()[-len(slots) :]]
    found = [(from_json(Course, line["course"]), float(line["seconds"])) for line in lines]
    course, seconds = found[0]
    found[0] = (course, time.perf_counter() - began - sum(rest for _, rest in found[1:]))
    return found if len(found) > 1 else [(course, max(seconds, found[0][1]))]


def main() -> None:
    """Run the trials that stdin asks for."""
    asked = json.load(sys.stdin)
    spec, dataset = from_json(StudySpec, asked["spec"]), Path(asked["dataset"])
    from model.engine.device import configure
    from search.tasks.images.specifying import threads_of

    configure(threads_of(spec))
    from search.tasks.images.objective import Objective

    objective = Objective(spec.task, read_split(dataset, "training"), read_split(dataset, "validation"))
    for slot in asked["slots"]:
        began = time.perf_counter()
        reported: list[tuple[int, float]] = []
        ending = objective(_trial(spec, slot, reported))
        line = {"course": to_json(course_of(ending, reported)), "seconds": time.perf_counter() - began}
        sys.stdout.write(json.dumps(line) + "\n")


def _trial(spec: StudySpec, slot: int, reported: list[tuple[int, float]]) -> Trial:
    return Trial(
        number=slot,
        stage=1,
        slot=slot,
        attempt=1,
        params=spec.box.at(shares_of(spec.seed, slot, len(spec.box.ranges))),
        seeds=trial_seeds(spec.seed, 1, slot),
        budget=spec.budget,
        report=lambda step, value: reported.append((step, value)),
        should_stop=lambda: False,
        should_prune=lambda: "",
    )


if __name__ == "__main__":
    main()
