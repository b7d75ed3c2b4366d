"""The dashboard in a real browser, while a search runs: what people see, and what is refused. Keeps screenshots."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore, Thread
from types import SimpleNamespace

import pytest

from search.dashboard import board
from search.dashboard.board import Board
from search.run.loop import Workplace, work
from search.storage.artifacts import ArtifactFolder
from search.storage.database import open_storage, quieten_optuna
from search.study.slots import Slots
from search.study.study import load_study
from search.tasks.images.learning_curve import draw_curve
from tests.browser import chromium
from tests.integration import fake_study
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "runs" / "screenshots"
PASSWORD = "correct horse"  # noqa: S105
STAGES = (8, 6)


class GatedSearch:
    """A search in a thread of this process, whose trials end when the test lets them."""

    def __init__(self, folder):
        self.study = fake_study.new_study(folder, fake_study.spec_of(*STAGES))
        self.url = self.study.storage.url
        self._gate, self._stop = Semaphore(0), Event()
        artifacts = ArtifactFolder(Path(f"{folder}/study.db.artifacts"))
        place = Workplace("a processor", artifacts, Board(self.study).update)
        self._thread = Thread(target=work, args=(Slots(self.study), self._trial, self._stop, place))
        self._thread.start()

    def _trial(self, task):
        error = fake_study.value_of(task.params, task.seeds)
        curve = {epoch: error + 10 / epoch for epoch in range(1, 6)}
        for epoch, value in curve.items():
            task.report(epoch, value)
        self._gate.acquire()
        plot = draw_curve(curve, error, f"stage {task.stage}", "MAE (years)")
        return replace(fake_study.run_trial(task), files={"learning_curve.svg": plot})

    def let_end(self, count):
        done = self.finished()
        for _ in range(count):
            self._gate.release()
        until(lambda: self.finished() >= done + count, f"the end of {count} trials")

    def finished(self):
        trials = self.study.storage.rdb.get_all_trials(self.study.id, deepcopy=False)
        return sum(trial.state.is_finished() for trial in trials)

    def close(self):
        self._stop.set()
        self._gate.release(sum(STAGES))
        self._thread.join()
        self.study.storage.engine.dispose()


class Served:
    """A dashboard in a process of its own: its address, and what it has logged so far."""

    def __init__(self, url, log, *flags, **environment):
        ours = {name: text for name, text in os.environ.items() if not name.startswith("AGESEARCH_")}
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "search", "dashboard", "--port", "0", *flags],
                env={**ours, "PYTHONPATH": str(ROOT), "AGESEARCH_STORAGE": url, **environment},
                stdout=subprocess.PIPE, stderr=file, text=True,
            )  # fmt: skip
        self.address = re.search(r"http://\S+:\d+", self._process.stdout.readline())[0]

    def has_answered(self, line):
        """Wait until an answer has been logged."""
        until(lambda: line in self._log.read_text(), f"{line} in {self._log.read_text()}", 20)

    def close(self):
        self._process.terminate()
        self._process.communicate()
        log = self._log.read_text()
        assert "Traceback" not in log
        assert not re.search(r" 5\d\d \d+ ms", log)
        assert PASSWORD not in log


@pytest.fixture(scope="module")
def world():
    """A running search, its dashboard with a password, another that is read-only, and a browser."""
    quieten_optuna()
    with ExitStack() as ends:
        # Some versions ask the user before a site may reach this machine; the guard must not depend on that.
        alone = "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"
        browser = ends.enter_context(chromium("--host-resolver-rules=MAP evil.example 127.0.0.1", alone))
        folder = Path(ends.enter_context(fake_study.in_memory()))
        patch = ends.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(board, "EVERY_SECONDS", 0.0)
        patch.setattr(board, "_SHARE", 0)
        search = ends.enter_context(closing(GatedSearch(folder)))
        guarded = Served(search.url, folder / "guarded.log", AGESEARCH_DASHBOARD_PASSWORD=PASSWORD)
        ends.callback(guarded.close)
        read_only = Served(search.url, folder / "read-only.log", "--read-only")
        ends.callback(read_only.close)
        yield SimpleNamespace(search=search, browser=browser, guarded=guarded, read_only=read_only)


@pytest.fixture
def opened(world):
    """Open a page in a browser of its own, with the password unless there is none."""
    contexts = []

    def open_at(address, password=PASSWORD):
        credentials = None if password is None else {"username": "anybody", "password": password}
        context = world.browser.new_context(http_credentials=credentials, viewport={"width": 1500, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        return page

    yield open_at
    for context in contexts:
        context.close()


def keep(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def asked(page, method, path, body="{}"):
    """Let the page itself ask for something, and return the status of the answer."""
    script = (
        "([method, path, body]) => fetch(path, method == 'GET' ? {} : {method, body}).then(answer => answer.status)"
    )
    return page.evaluate(script, [method, path, body])


def test_a_search_can_be_watched(world, opened):
    study = f"{world.guarded.address}/dashboard/studies/{world.search.study.id}"
    world.search.let_end(2)
    page = opened(world.guarded.address)
    world.guarded.has_answered("GET / 401")  # before the browser gave the password
    page.get_by_text("ages").first.click()
    page.wait_for_url(study)
    page.goto(f"{study}/trials")
    page.get_by_text("3 Trials").wait_for()
    keep(page, "trials")
    world.search.let_end(8)
    page.get_by_text("11 Trials").wait_for()  # without being told to look again

    page.goto(f"{study}/trials?numbers=3")
    for text in ("Trial 3 (trial_id=4)", "stage 1", "slot 3", "attempt 1", "device a processor", "validation_mae 1"):
        page.get_by_text(text).first.wait_for()
    picture = page.locator("img[alt='learning_curve.svg']")
    picture.wait_for()
    until(lambda: picture.evaluate("image => image.naturalWidth") == 560, "the learning curve")
    keep(page, "trial")

    page.goto(f"{study}/note")
    page.get_by_text("The trials it follows from:").wait_for()
    page.get_by_text("agesearch search").wait_for()
    keep(page, "note")


def test_the_search_map_and_the_importances_are_drawn(world, opened):
    world.search.let_end(max(0, 10 - world.search.finished()))
    page = opened(f"{world.guarded.address}/dashboard/studies/{world.search.study.id}")
    page.locator("text.gtitle", has_text="Search map of ages").wait_for()
    for name in ("box of stage 1", "box of stage 2", "stage 1: "):
        page.locator("text.legendtext", has_text=name).first.wait_for()
    page.get_by_text("Hyperparameter Importance").first.wait_for()
    page.locator("g.barlayer path").first.wait_for()
    keep(page, "study")


def test_another_sites_page_can_neither_change_nor_read_nor_frame_anything(world, opened):
    ours = world.read_only.address
    frame = (
        f'<h1>win a phone</h1><iframe src="{ours}/dashboard"></iframe><script src="{ours}/static/bundle.js"></script>'
    )
    page = opened("about:blank", None)
    page.route("http://evil.example/**", lambda route: route.fulfill(body=frame, content_type="text/html"))
    page.goto("http://evil.example/")
    send = "url => fetch(url, {method: 'POST', mode: 'no-cors'}).then(() => 'answered', () => 'refused')"
    assert page.evaluate(send, f"{ours}/api/studies") == "refused"
    for line in ("GET /dashboard 403", "GET /static/bundle.js 403", "POST /api/studies 403"):
        world.read_only.has_answered(line)


def test_read_only_lets_look_and_change_nothing(world, opened):
    page = opened(f"{world.read_only.address}/dashboard/studies/{world.search.study.id}", None)
    assert asked(page, "GET", "/api/studies") == 200
    assert asked(page, "PUT", "/api/studies/1/note", '{"version": 9, "body": "x"}') == 405
    assert asked(page, "POST", "/api/studies", '{"study_name": "x", "directions": ["minimize"]}') == 405
    assert asked(page, "DELETE", "/api/studies/1") == 405
    assert load_study(open_storage(world.search.url), world.search.study.name)


def test_an_html_artifact_is_saved_and_does_not_run(world, opened):
    page = opened(f"{world.guarded.address}/dashboard/studies/1")
    html = "data:text/html;base64,PHNjcmlwdD5kb2N1bWVudC50aXRsZSA9ICdvd25lZCc8L3NjcmlwdD4="
    upload = """file => fetch('/api/artifacts/1', {
        method: 'POST', body: JSON.stringify({file, filename: 'a.html'}), headers: {'Content-Type': 'application/json'}
    }).then(answer => answer.json())"""
    artifact = page.evaluate(upload, html)["artifact_id"]
    with page.expect_download() as saved, pytest.raises(Exception, match=r"Download is starting|ERR_ABORTED"):
        page.goto(f"{world.guarded.address}/artifacts/1/{artifact}")
    assert saved.value.suggested_filename
    assert page.title() != "owned"
