"""source: small regular text files are read, everything else is None."""

import os
import sys
from pathlib import Path

import pytest

from context.source import MAX_BYTES, read_source


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbfa", "a"),
        (b"caf\xe9\n", "caf\ufffd\n"),
        ("a\u2028b\x0cc\n".encode(), "a\u2028b\x0cc\n"),
        (b"a\0b", None),
        (b"x" * MAX_BYTES, "x" * MAX_BYTES),
        (b"x" * (MAX_BYTES + 1), None),
    ],
    ids=[
        "empty",
        "line ends",
        "byte order mark",
        "bad UTF-8",
        "odd separators",
        "binary",
        "at the cap",
        "above it",
    ],
)
def test_bytes_become_text(tmp_path: Path, content: bytes, text: str | None) -> None:
    (tmp_path / "a.py").write_bytes(content)

    assert read_source(str(tmp_path / "a.py")) == text


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "link.py").symlink_to(tmp_path / "link.py")

    assert read_source(str(tmp_path)) is None
    assert read_source(str(tmp_path / "gone.py")) is None
    assert read_source(str(tmp_path / "link.py")) is None
    assert read_source("nul\0byte") is None


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders")
@pytest.mark.timeout(20)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    assert read_source(str(tmp_path / "pipe.py")) is None
