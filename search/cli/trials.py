"""`agesearch trials`: every trial of a study, as a table or as records."""

from search.cli.options import AsJson, takes_settings
from search.cli.printing import answer, answer_json, columns
from search.cli.search import study_of
from search.settings.settings import Settings


@takes_settings("study", "storage")
def trials(settings: Settings, as_json: AsJson = False) -> None:
    """List every trial with its state, place, parameters and value; --json adds measures, seeds and reports."""
    from search.results.records import table, trial_records
    from search.storage.failures import storage_errors

    study = study_of(settings)
    with storage_errors(study.storage):
        records = trial_records(study)
    if as_json:
        answer_json(records)
    else:
        answer(columns(table(study, records)))
