"""A launcher whose workers take no time."""

from tests.integration.fake_study import run_trial
from tests.search.tiny import work_some


class FakeLauncher:
    """Workers in this process: each time they are tended, one more trial is done; `last` is the launcher made last."""

    last = None
    run_trial = staticmethod(run_trial)

    def __init__(self, study, settings, logs, places):
        self.study, self.settings, self.logs, self.places = study, settings, logs, places
        self.started, self.stopped = 0, 0
        FakeLauncher.last = self

    def start(self):
        self.started += 1

    def replace_dead(self, closed):
        work_some(self.study, 1, self.run_trial)
        return closed < sum(self.study.spec.stage_sizes)

    def stop(self):
        self.stopped += 1
