"""Preloaded into the process that the workers of a test are forked from: does once what would take each 0.4 s."""

from tests.integration.fake_study import create_or_resume, in_memory, new_storage, spec_of

with in_memory() as _folder:
    _storage = new_storage(_folder)
    create_or_resume(_storage, "warm", spec_of(1))
    _storage.engine.dispose()  # no connection may live through a fork
