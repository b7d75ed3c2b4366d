"""`agesearch status`, `export` and `dashboard`: looking at a study, and taking its best configuration along."""

from pathlib import Path
from typing import Annotated

import typer

from search.commands.options import AsJson, takes_settings
from search.commands.printing import answer, answer_json, columns
from search.commands.search import print_verdict
from search.settings import Settings


@takes_settings("study", "storage")
def status(settings: Settings, as_json: AsJson = False) -> None:
    """Show where the study stands, worker by worker."""
    from search.slots import Slots
    from search.storage import open_storage
    from search.study import load_study
    from search.summary import summary

    study = load_study(open_storage(settings.storage), settings.study)
    now, failed = summary(study), Slots(study).failed()
    if as_json:
        answer_json(
            {**now.as_dict(), "failed": [{"stage": f.stage, "slot": f.slot, "reason": f.reason} for f in failed]}
        )
        return
    for line in now.lines():
        answer(line)
    for each in failed:
        answer(f"stage {each.stage}, slot {each.slot} was closed as failed: {each.reason}")
    print_verdict(now.verdict)
    if now.workers:
        rows = [("worker", "state", "finished", "runs", "silent for", "device")]
        for one in now.workers:
            runs = f"stage {one.runs[0]}, slot {one.runs[1]}" if one.runs else "-"
            place = f"{one.host} {one.pid}"
            rows.append((place, one.state, str(one.finished), runs, f"{one.silent_for:.0f} s", one.device))
        answer("")
        answer(columns(rows))


@takes_settings("study", "storage")
def export(
    settings: Settings,
    out: Annotated[Path, typer.Option(help="The TOML file to write.")] = Path("best.toml"),
    as_json: AsJson = False,
) -> None:
    """Write the best configuration, with where it came from, to a TOML file."""
    import tomllib

    from data.files import write_bytes
    from search.configuration import export_configuration
    from search.storage import open_storage
    from search.study import load_study

    content = export_configuration(load_study(open_storage(settings.storage), settings.study))
    write_bytes(out, content)
    document = tomllib.loads(content.decode())
    if as_json:
        answer_json(document)
        return
    found = document["hyperparameters"]
    score = document["trial"]["score"]
    answer(f"{out}: learning rate {found['learning_rate']:.3g}, L2 {found['l2']:.3g}, {score:.3f} years in its trial")
    answer(f"chosen as {document['choice']['reason']}")


@takes_settings("storage", "host", "port")
def dashboard(settings: Settings) -> None:
    """Serve optuna-dashboard for the storage, while workers go on; Ctrl-C ends it."""
    from search.dashboard import serve

    serve(settings.storage, settings.host, settings.port, lambda url: answer(f"dashboard: {url} (Ctrl-C ends it)"))
    raise KeyboardInterrupt  # the server has taken it for its own end


COMMANDS = (status, export, dashboard)
