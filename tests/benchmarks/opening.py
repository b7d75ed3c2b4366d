"""The seconds until a large study is open on the dashboard: of the page's own requests, and in a browser."""

import tempfile
import time

from big_study import make_big
from clients import dashboard, get

from tests.browser import chromium


def opening(trials: int, browser: bool = True) -> dict[str, float]:
    """Measure the seconds of the page's own requests on a study of so many trials, from a server just started."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/study.db"
        study = make_big(url, "bench", trials).id
        with dashboard(url) as port:
            seconds: dict[str, float] = {}
            for name, path in {
                "page": f"/dashboard/studies/{study}",
                "script": "/static/bundle.js",
                "settings": "/api/meta",
                "study": f"/api/studies/{study}?after=0",
                "importances": f"/api/studies/{study}/param_importances",
                "study again": f"/api/studies/{study}?after={trials}",
            }.items():
                began = time.perf_counter()
                status, body = get(port, path)
                seconds[name] = time.perf_counter() - began
                if status != 200:
                    raise RuntimeError(f"{path} was answered with {status}: {body[:200]!r}")
            if browser:
                seconds["in a browser"] = _in_a_browser(f"http://127.0.0.1:{port}/dashboard/studies/{study}")
    return seconds


def _in_a_browser(address: str) -> float:
    """Return the seconds until the search map of a page is drawn in Chromium."""
    with chromium() as browser:
        page = browser.new_page()
        began = time.perf_counter()
        page.goto(address)
        page.locator("text.gtitle", has_text="Search map of").first.wait_for(timeout=120_000)
        return time.perf_counter() - began


def print_opening(seconds: dict[str, float], trials: int) -> None:
    """Print what each request took; what a reader waits for is the study."""
    for name, each in seconds.items():
        print(f"{trials} trials, {name}: {each:.2f} s", flush=True)
