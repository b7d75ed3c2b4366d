"""A real browser for tests, and what a page says and asks for while it is open."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update")
"""Chromium asks nothing of the network by itself."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A page in a browser: Playwright's page, what stood in its console or went wrong, the addresses it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """Give Playwright's browser; skips the test, with the reason, where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install -e '.[dev]')")
    # Chromium's sandbox does not work for root, which tests in a container are run by.
    given = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else []), *arguments]
    with api.sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=given) as one:
        yield one


@contextmanager
def visit(address: str) -> Iterator[Visit]:
    """Open `address` in Chromium; skips the test, with the reason, where there is none."""
    with chromium() as one:
        visited = Visit(one.new_page())
        visited.page.on("console", lambda message: visited.said.append(message.text))
        visited.page.on("pageerror", lambda error: visited.said.append(str(error)))
        visited.page.on("request", lambda request: visited.asked.append(request.url))
        visited.page.goto(address)
        yield visited
