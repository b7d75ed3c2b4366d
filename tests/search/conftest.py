from threading import Event

import pytest


@pytest.fixture
def no_stop():
    return Event()
