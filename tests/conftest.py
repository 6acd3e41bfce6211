"""Fixtures that tests of several rooms share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_home import Home


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test, nor a process that it starts, keeps facts of its files in the user's cache, or counts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home whose engines end with the module; its path is short, as a socket's must be."""
    folder = Path(tempfile.mkdtemp(prefix="gf")).resolve()
    home = Home(folder)
    yield home
    home.end_engines()
    shutil.rmtree(folder, ignore_errors=True)
