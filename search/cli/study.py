"""`agesearch status`, `repair`, `export` and `dashboard`: looking at a study, repairing it, taking its best along."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import AsJson, may_force, takes_settings
from search.cli.printing import answer, answer_json, columns
from search.cli.search import print_verdict, study_of
from search.counting import counted
from search.settings.settings import Settings

if TYPE_CHECKING:
    from search.study.findings import Finding


@takes_settings("study", "storage", "artifacts")
def status(settings: Settings, as_json: AsJson = False) -> None:
    """Show where the study stands, worker by worker."""
    from search.results.answer import answer_of
    from search.results.summary import summary
    from search.storage.artifacts import artifact_folder
    from search.storage.failures import storage_errors
    from search.study.findings import find
    from search.study.slots import Slots

    study = study_of(settings)
    with storage_errors(study.storage):
        now, findings = summary(study), find(Slots(study), artifact_folder(settings))
    if as_json:
        answer_json({**answer_of(study), "findings": [finding.as_dict() for finding in findings]})
        return
    for line in now.lines():
        answer(line)
    for finding in findings:
        answer(f"{finding.text} (see 'agesearch repair')")
    print_verdict(study, now.verdict)
    if now.workers:
        rows = [("worker", "state", "finished", "runs", "silent for", "device")]
        for one in now.workers:
            runs = f"stage {one.runs[0]}, slot {one.runs[1]}" if one.runs else "-"
            place = f"{one.host} {one.pid}"
            rows.append((place, one.state, str(one.finished), runs, f"{one.silent_for:.0f} s", one.device))
        answer("")
        answer(columns(rows))


@takes_settings("study", "storage", "artifacts")
def repair(
    settings: Settings,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be repaired, and repair nothing.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Also reopen the slots that were closed as failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Repair what crashes left behind, even while workers are running; exits 1 if something is left for you to do."""
    from search.storage.artifacts import artifact_folder
    from search.storage.database import quieten_optuna
    from search.storage.failures import storage_errors
    from search.study.findings import find
    from search.study.repair import open_failed
    from search.study.repair import repair as repaired
    from search.study.slots import Slots

    quieten_optuna()
    slots = Slots(study_of(settings))
    with storage_errors(slots.study.storage):
        findings = find(slots, artifact_folder(settings))
        if not dry_run:
            findings = repaired(slots, findings)
        shut = 0 if not failed else len(slots.failed()) if dry_run else open_failed(slots)
    if as_json:
        answer_json({"dry_run": dry_run, "findings": [each.as_dict() for each in findings], "failed": shut})
    else:
        for each in findings:
            answer(str(each))
        answer(_counted(findings, dry_run))
        if failed:
            answer(f"{counted(shut, 'failed slot')} {'would be ' if dry_run else ''}reopened")
    if not all(each.repairable for each in findings):
        sys.exit(1)


def _counted(findings: "Sequence[Finding]", dry_run: bool) -> str:
    if not findings:
        return "nothing is wrong"
    repairable = sum(each.repairable for each in findings)
    return f"{len(findings)} found, {repairable} {'would be ' if dry_run else ''}repaired"


@takes_settings("study", "storage")
@may_force
def export(
    settings: Settings,
    out: Annotated[Path, typer.Option(help="The TOML file to write.")] = Path("best.toml"),
    trial: Annotated[
        int | None,
        typer.Option(min=0, max=2**31 - 1, help="The number of the trial to write instead of the chosen one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the best configuration and its provenance to a TOML file."""
    import tomllib

    from data.files import Kind, check_replaceable, write_bytes
    from search.results.configuration import export_configuration
    from search.space.ranges import text_of
    from search.tasks.registry import task_of_study

    check_replaceable(out, Kind.TOML)
    study = study_of(settings)
    content = export_configuration(study, task_of_study(study).tables(study.spec), trial)
    write_bytes(out, content)
    # A finalist's missing score is nan in TOML, which has no null.
    document = tomllib.loads(content.decode(), parse_float=lambda text: None if text == "nan" else float(text))
    if as_json:
        answer_json(document)
        return
    task = study.spec.task
    found = ", ".join(f"{task.title_of(name)} {text_of(value)}" for name, value in document["hyperparameters"].items())
    answer(f"{out}: {found}, {task.score.shown(document['trial']['score'])} in its trial")
    answer(f"chosen as {document['choice']['reason']}")


@takes_settings("storage", "host", "port", "dashboard_password_file", "dashboard_hosts", "dashboard_path", "artifacts")
def dashboard(
    settings: Settings,
    read_only: Annotated[bool, typer.Option("--read-only", help="Let nobody change anything.")] = False,
    is_open: Annotated[
        bool, typer.Option("--i-know-it-is-open", help="Listen on any address without a password.")
    ] = False,
) -> None:
    """Serve optuna-dashboard for the storage, even while workers are running; Ctrl-C ends it.

    It asks for AGESEARCH_DASHBOARD_PASSWORD, if that is set. Requests are logged on stderr.
    """
    from search.dashboard.serving import Access, serve

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("search.dashboard.guard").setLevel(logging.INFO)
    serve(settings, Access(read_only, is_open), lambda url: answer(f"dashboard: {url} (Ctrl-C ends it)"))
    raise KeyboardInterrupt  # the server has taken it for its own end
