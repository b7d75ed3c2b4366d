"""`agesearch init` creates a study, `search` launches its workers and watches them, `worker` is one of them."""

import logging
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import DatasetError
from search.cli.next_steps import place_of, typed
from search.cli.options import AsJson, takes_settings
from search.cli.printing import answer, answer_json, columns, remark
from search.errors import SearchFailure
from search.settings.settings import Settings

if TYPE_CHECKING:
    from search.results.verdict import Verdict
    from search.study.study import Study

FILES = ("command", "python", "watch", "allow_changed", "trial_minutes", "trial_memory")
TASK = ("data", *FILES)
PROGRAM = (*TASK, "direction", "metric", "unit", "budget", "finalist_budget")
STUDY = ("study", "storage")
BUDGET = ("trials", "images", "epochs", "batch_size")
SPACE = ("seed", "learning_rate", "l2", "space", "ranges", "enqueue", "sampler", "pruning", "pruning_images")
FINALISTS = ("finalists", "finalist_repeats", "finalist_images", "finalist_epochs")
CREATION = (
    *STUDY, *PROGRAM, *BUDGET, *SPACE, *FINALISTS, "network", "recipe", "precision", "threads", "max_attempts", "out",
)  # fmt: skip

INTERRUPTED = "interrupted: the running trials were handed back, and the same command goes on from here"


@takes_settings(*CREATION, argument="program")
def init(settings: Settings, as_json: AsJson = False) -> None:
    """Create a study, and its storage if there is none, for workers that are started elsewhere."""
    from search.storage.database import quieten_optuna
    from search.tasks.working import prepare_study

    quieten_optuna()
    prepare_study(settings)
    print_result(settings, as_json)


@takes_settings(*CREATION, "workers", "per_gpu", "on", "gpus_per_worker", "artifacts", argument="program")
def search(settings: Settings, as_json: AsJson = False) -> None:
    """Create or resume a study, launch workers and show progress; then print the best trials and the finalists."""
    if not search_to_the_end(settings):
        with suppress(SearchFailure, DatasetError):  # what is away may be why the search was stopped
            print_result(settings, as_json)
            remark(INTERRUPTED)
        raise KeyboardInterrupt
    print_result(settings, as_json)
    require_result(study_of(settings), settings)
    remark(f"next: {typed('export', *place_of(settings), '--out', 'best.toml')}")


@takes_settings("program", *TASK, *STUDY, "artifacts")
def worker(
    settings: Settings,
    tethered: Annotated[bool, typer.Option("--tethered", hidden=True, help="Stop when stdin is closed.")] = False,
    gpu_share: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="The share of its GPU's memory that this worker may take.")
    ] = 1.0,
) -> None:
    """Run one worker until the study is done, from any machine that reaches the storage."""
    from threading import Thread

    from search.run.launcher import stop_when_untethered
    from search.run.stopping import stop_on_signals
    from search.tasks.working import run_worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with stop_on_signals() as stop:
        if tethered:
            Thread(target=stop_when_untethered, args=(stop,), daemon=True).start()
        try:
            run_worker(settings, stop, gpu_share)
        except SearchFailure as failure:  # such as a database that is away, which a stopped worker does not wait for
            if not stop.is_set():
                raise
            logging.warning("%s", failure)
    if stop.is_set():
        raise KeyboardInterrupt


def require_result(study: "Study", settings: Settings) -> None:
    """Raise SearchFailure where a search has ended and has nothing to show for it; say so where it learnt nothing."""
    from search.results.ranking import best_score, nothing_found
    from search.tasks.registry import task_of_study

    if best_score(study) is None:
        raise SearchFailure(f"{nothing_found(study)}: all of them diverged or failed, see above")
    if doubt := task_of_study(study).doubt(study, settings):
        remark(doubt)


def study_of(settings: Settings) -> "Study":
    """Open the study that the settings name; raises SearchError where there is none."""
    from search.storage.database import open_storage
    from search.study.study import load_study

    return load_study(open_storage(settings.storage), settings.study)


def search_to_the_end(settings: Settings) -> bool:
    """Run the search and show it on stderr; return whether it came to its end."""
    from search.storage.database import quieten_optuna
    from search.tasks.working import prepare_study

    quieten_optuna()
    return run_to_the_end(settings, prepare_study(settings))


def run_to_the_end(settings: Settings, study: "Study") -> bool:
    """Launch the workers of a study and show on stderr how it goes; return whether it came to its end."""
    from rich.console import Console

    from search.run.progress import Display, StudyProgress, study_progress
    from search.space.narrowing import explain
    from search.study.slots import Slots
    from search.study.stages import sampled_stages
    from search.tasks.working import launch_workers

    first = study_progress(Slots(study))
    display, shown = Display(Console(stderr=True), first, study.spec.slot_costs), first.opened

    def watch(now: StudyProgress) -> None:
        nonlocal shown
        for number, plan in sampled_stages(study)[shown:] if now.opened > shown else ():
            if plan.narrowing:
                display.say(f"narrowed for stage {number}\n{explain(plan.narrowing)}")
        shown = now.opened
        display.update(now)

    with display.shown():
        return launch_workers(settings, study, watch)


def print_result(settings: Settings, as_json: bool) -> None:
    """Print where the study stands, its five best trials as the paper's Table II, and the verdict on the finalists."""
    from search.results.ranking import best_trials, table
    from search.results.summary import summary
    from search.tasks.registry import task_of_study

    study = study_of(settings)
    if as_json:
        answer_json(result_of(study, settings))
        return
    best, now = best_trials(study, 5), summary(study)
    heading, *lines = now.lines()
    if best and (baseline := task_of_study(study).baseline(settings)):
        heading = f"{heading}; {baseline.words} scores {now.score.shown(baseline.score)}"
    for line in (heading, *lines):
        answer(line)
    if best:
        answer("")
        answer(columns(table(study, best)))
    print_verdict(study, now.verdict)


def result_of(study: "Study", settings: Settings) -> dict[str, Any]:
    """Return the same by name."""
    from search.results.answer import answer_of
    from search.tasks.registry import task_of_study

    baseline = task_of_study(study).baseline(settings)
    return {**answer_of(study), "baseline": baseline and asdict(baseline)}


def print_verdict(study: "Study", judged: "Verdict | None") -> None:
    """Print what the finalists came to, if there are any."""
    if judged is None or not judged.finalists:
        return
    from search.results.verdict import table

    answer("")
    answer(columns(table(study, judged)))
    answer(f"chosen: {judged.sentence}")
