"""`agesearch check`: what a program asks for, and whether one slot's trial repeats to the bit."""

import typer

from search.cli.options import AsJson, takes_settings
from search.cli.printing import answer, answer_json, remark
from search.errors import SearchError
from search.settings.settings import Settings

TAKEN = (
    "data", "command", "python", "budget", "space", "seed", "threads", "trial_minutes", "trial_memory",
    "learning_rate", "l2", "network", "recipe", "precision", "batch_size",
)  # fmt: skip


@takes_settings(*TAKEN, argument="program")
def check(settings: Settings, as_json: AsJson = False) -> None:
    """Run one slot twice in fresh processes and as the third trial of one; exits 1 unless all are equal to the bit.

    For a program, it first prints the [space] that its suggest_ calls ask for. Images are checked on a small slot.
    """
    from search.tasks.registry import task_of

    if settings.program is None and settings.command is None and settings.data is None:
        raise SearchError("nothing is named to check; give a PROGRAM, --command, or --data FILE.h5")
    found = task_of(settings).check(settings)
    if as_json:
        answer_json(found.as_dict())
    else:
        for line in found.lines():
            answer(line)
        for text in found.remarks:
            remark(text)
    if not found.equal:
        raise typer.Exit(1)
