"""Fixtures that tests of several rooms share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_home import Home


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home whose engines end with the module; its path is short, as a socket's must be."""
    folder = Path(tempfile.mkdtemp(prefix="gf")).resolve()
    home = Home(folder)
    yield home
    home.end_engines()
    shutil.rmtree(folder, ignore_errors=True)
